package script

import (
	"io"
	"unicode/utf8"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// maxTail is how much of the end of stdout and of stderr becomes an output.
const maxTail = 64 << 10

// stream takes what a script writes to one of its two outputs: all of it goes to the log, the end is kept.
type stream struct {
	log  *plugin.TextWriter
	ring []byte // the last bytes; when it is full, at is where the oldest one stands
	at   int
	open bool // the last line has no end yet
}

func newStream(log io.Writer) *stream {
	return &stream{log: plugin.NewTextWriter(log)}
}

// Write takes up bytes. It never fails.
func (s *stream) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	_, _ = s.log.Write(p)
	s.open = p[len(p)-1] != '\n'
	for rest := p[max(len(p)-maxTail, 0):]; len(rest) > 0; {
		if len(s.ring) < maxTail {
			n := min(len(rest), maxTail-len(s.ring))
			s.ring = append(s.ring, rest[:n]...)
			rest = rest[n:]
			continue
		}
		n := copy(s.ring[s.at:], rest)
		s.at = (s.at + n) % maxTail
		rest = rest[n:]
	}
	return len(p), nil
}

// close hands on what was held back.
func (s *stream) close() { _ = s.log.Close() }

// tail gives the end of what came, as text that can be kept as an output.
func (s *stream) tail() string {
	raw := append(append([]byte(nil), s.ring[s.at:]...), s.ring[:s.at]...)
	if len(s.ring) == maxTail {
		for n := 0; n < utf8.UTFMax-1 && len(raw) > 0 && !utf8.RuneStart(raw[0]); n++ {
			raw = raw[1:]
		}
	}
	text := plugin.Text(raw)
	for { // what is written as an escape in JSON takes up to six times as much
		if encoded, err := stdops.EncodeValue(string(text)); err != nil || len(encoded) <= plugin.MaxOutput {
			return string(text)
		}
		text = text[len(text)/4:]
		for len(text) > 0 && !utf8.RuneStart(text[0]) {
			text = text[1:]
		}
	}
}
