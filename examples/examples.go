// Package examples holds flows that a newcomer can run. Each is a pipeline tree in the form of bk-sops, in a file of its
// own; README.md tells what they show. It imports nothing of ours.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed *.json
var files embed.FS

// Tree gives the pipeline tree of an example, by the name of its file without .json.
func Tree(name string) ([]byte, error) { return fs.ReadFile(files, name+".json") }
