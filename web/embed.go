// Package web holds the browser app as it was built: web/dist, which `make web` writes and which is committed, so that
// the program is built without Node. It imports nothing of ours.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files gives the files of the app: index.html, what it loads from assets/, and what has a fixed name beside it.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a valid path
	}
	return files
}
