package sops_test

import (
	"bytes"
	"sync"
)

// lockedWriter lets many requests write to one buffer.
type lockedWriter struct {
	mu sync.Mutex
	to bytes.Buffer
}

// String gives what was written so far.
func (w *lockedWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.String()
}

// take is String and forgets what was written.
func (w *lockedWriter) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.to.Reset()
	return w.to.String()
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}
