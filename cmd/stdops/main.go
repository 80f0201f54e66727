// Command stdops is the whole program: the server, its demonstration and the command line that talks to it.
//
// There is one file per subcommand. The subcommands that talk to a server use package client and nothing else of ours;
// only serve and demo know package app. What the exit codes mean is in exit.go, how a server is found in connect.go.
package main

import "os"

func main() { os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr, os.Environ())) }
