// Command stdops is the whole program: the server, its demonstration and the command line that talks to it.
//
// There is one file per subcommand. What is asked of a server goes by way of package client; only serve and demo run
// package app, all others take no more of it than the place of the socket and the errors of a start. What the exit codes mean is in exit.go, how a server is found in connect.go.
package main

import (
	"os"
	_ "time/tzdata" // so that names of zones mean the same on every host

	"github.com/stdops/stdops/internal/plugin/script"
)

func main() {
	if script.IsShim(os.Args) { // there is one for each script that runs: it is to cost little
		os.Exit(script.Shim())
	}
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
