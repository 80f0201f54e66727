package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"time"
)

//go:embed static
var staticFiles embed.FS

// contentTypes are those of the static files; what is not listed is not served.
var contentTypes = map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

// assetURL gives the address of a static file. It changes with the content, so browsers may keep it for good.
func assetURL(name string) (string, error) {
	content, err := staticFiles.ReadFile("static/" + name)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return "/static/" + name + "?v=" + hex.EncodeToString(sum[:6]), nil
}

func serveStatic(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	kind := contentTypes[path.Ext(name)]
	content, err := staticFiles.ReadFile("static/" + name)
	if err != nil || kind == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	if r.URL.Query().Has("v") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}
