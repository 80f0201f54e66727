package engine

import (
	"io"
	"sync"

	"github.com/stdops/stdops"
)

// hidingWriter writes a log without secrets. What may be the beginning of one is held back until more comes.
type hidingWriter struct {
	secrets stdops.Secrets

	mu   sync.Mutex
	to   io.Writer
	held string
}

// Write takes over all of p.
func (w *hidingWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held += string(p)
	for {
		before, after, found := w.secrets.Cut(w.held)
		if !found {
			break
		}
		w.pass(before + stdops.Hidden)
		w.held = after
	}
	clear := len(w.held) - w.secrets.Begun(w.held)
	w.pass(w.held[:clear])
	w.held = w.held[clear:]
	return len(p), nil
}

// flush writes what was held back.
func (w *hidingWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pass(w.held)
	w.held = ""
}

func (w *hidingWriter) pass(text string) {
	if text != "" {
		_, _ = io.WriteString(w.to, text)
	}
}
