package plugin

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// Text makes valid text of any bytes: what is no UTF-8, and zero bytes, become U+FFFD. Everything else stays, control
// characters too; whoever shows the text on a terminal has to take them out.
func Text(b []byte) []byte {
	if bytes.IndexByte(b, 0) >= 0 {
		b = bytes.ReplaceAll(b, []byte{0}, []byte("\uFFFD"))
	}
	if !utf8.Valid(b) {
		b = bytes.ToValidUTF8(b, []byte("\uFFFD"))
	}
	return b
}

// TextWriter passes on what it is given as valid text, like [Text]; a character may come in parts. Its methods must not
// be called at the same time.
type TextWriter struct {
	to   io.Writer
	held []byte // begin of a character whose rest has not come
}

// NewTextWriter makes a writer that passes text on.
func NewTextWriter(to io.Writer) *TextWriter { return &TextWriter{to: to} }

// Write passes on all but an unfinished character at the end.
func (w *TextWriter) Write(p []byte) (int, error) {
	text := p
	if len(w.held) > 0 {
		text = append(w.held, p...)
	}
	whole := len(text) - unfinished(text)
	w.held = bytes.Clone(text[whole:])
	if whole == 0 {
		return len(p), nil
	}
	if _, err := w.to.Write(Text(text[:whole])); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close passes on what was held back. It does not close the writer behind it.
func (w *TextWriter) Close() error {
	if len(w.held) == 0 {
		return nil
	}
	_, err := w.to.Write(Text(w.held))
	w.held = nil
	return err
}

// unfinished gives how many bytes at the end begin a character whose rest is not there.
func unfinished(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if end := text[len(text)-n:]; utf8.RuneStart(end[0]) {
			if utf8.FullRune(end) {
				return 0
			}
			return n
		}
	}
	return 0
}
