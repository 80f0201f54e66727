package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/stdops/stdops/internal/api"
)

// contentTypes are those of all files that may be served: browsers are told not to guess.
var contentTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".html":  "text/html; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".json":  "application/json",
	".md":    "text/markdown; charset=utf-8",
	".png":   "image/png",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".woff2": "font/woff2",
}

// assets is the folder of the files whose names change with their content.
const assets = "assets/"

// hashed is the name of such a file.
var hashed = regexp.MustCompile(`-[A-Za-z0-9_-]{8}\.[a-z0-9]+$`)

// How long browsers may keep what they were sent.
const (
	keepForGood = "public, max-age=31536000, immutable"
	askAgain    = "no-cache"
	keepNothing = "no-store"
)

// file is something that is served as it is.
type file struct {
	kind, cache string
	plain       []byte
	forms       func() forms
}

// forms are what is made of a file when it is asked for first.
type forms struct {
	etag   string
	packed []byte // nil when packing saves nothing
}

func newFile(name string, content []byte) (*file, error) {
	f := &file{kind: contentTypes[path.Ext(name)], cache: askAgain, plain: content}
	if f.kind == "" {
		return nil, fmt.Errorf("file %s of the app: its kind is not known", name)
	}
	if strings.HasPrefix(name, assets) {
		if f.cache = keepForGood; !hashed.MatchString(name) {
			return nil, fmt.Errorf("file %s of the app: its name does not tell its content", name)
		}
	}
	f.forms = sync.OnceValue(func() forms { return formsOf(content) })
	return f, nil
}

// worthPacking is the size from which on a file is sent packed.
const worthPacking = 1 << 10

func formsOf(content []byte) forms {
	sum := sha256.Sum256(content)
	made := forms{etag: hex.EncodeToString(sum[:12])}
	if len(content) < worthPacking {
		return made
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a valid one
	_, _ = z.Write(content)                               // a buffer takes everything
	_ = z.Close()
	if b.Len() < len(content) {
		made.packed = b.Bytes()
	}
	return made
}

// readFiles reads all files of the app.
func readFiles(from fs.FS) (map[string]*file, error) {
	all := map[string]*file{}
	err := fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		all[name], err = newFile(name, content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read app: %w", err)
	}
	return all, nil
}

// send answers with the file; what the caller has already is not sent again.
func (f *file) send(w http.ResponseWriter, r *http.Request, status int) {
	made := f.forms()
	h, content, etag := w.Header(), f.plain, `"`+made.etag+`"`
	if len(made.packed) > 0 {
		h.Add("Vary", "Accept-Encoding")
		if api.TakesGzip(r) {
			content, etag = made.packed, `"`+made.etag+`-gzip"`
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Cache-Control", f.cache)
	if f.cache != keepNothing {
		h.Set("ETag", etag)
		if status == http.StatusOK && api.HoldsETag(r.Header.Values("If-None-Match"), etag) {
			h.Del("Content-Encoding")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Type", f.kind)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // whoever asked may have gone
	}
}
