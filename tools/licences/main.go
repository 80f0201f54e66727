// Command licences checks that every Go module and npm package the product is built or tested with has a licence of the
// allow-list, and that THIRD_PARTY_NOTICES.md holds the notices of what is in the program. It reads the module cache and what
// is committed in web only.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const noticesFile = "THIRD_PARTY_NOTICES.md"

var errStale = errors.New(noticesFile + " is not current: run `make notices` and commit it")

func main() {
	root := flag.String("root", ".", "directory of the product's go.mod")
	write := flag.Bool("write", false, "write "+noticesFile+" instead of comparing it")
	flag.Parse()
	if err := run(*root, *write, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root string, write bool, out io.Writer) error {
	reader, err := newReader()
	if err != nil {
		return err
	}
	modules, err := modulesOf(root)
	if err != nil {
		return err
	}
	var problems []error
	for _, m := range modules {
		if err := reader.read(m); err != nil {
			problems = append(problems, err)
		}
	}
	packages, err := packagesOf(root, reader)
	if err := errors.Join(append(problems, err)...); err != nil {
		return err
	}
	modules = append(modules, packages...)
	if err := settle(filepath.Join(root, noticesFile), notices(modules), write); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d modules and packages, all with a licence of the allow-list; %s is current\n", len(modules), noticesFile)
	return nil
}

// settle makes the file hold want, or says that it does not.
func settle(file string, want []byte, write bool) error {
	if write {
		return os.WriteFile(file, want, 0o644)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errStale
	}
	return nil
}
