package api

import (
	"bytes"
	"errors"
	"net/textproto"
	"strconv"
)

// framing follows the bytes of a connection to tell where requests end, and refuses a head whose body two programs could
// see end in different places: one with both Transfer-Encoding and Content-Length, a transfer coding in HTTP/1.0, lengths
// that differ, or a field that goes on in the next line. net/http drops the length before a handler could look
// (docs/spec/api.md 2.4). It need not find other mistakes, since net/http closes the connection over them.
//
// What stands behind a chunked request is not looked at: such a request must be the last one ([LastIfChunked]).
type framing struct {
	opaque bool  // nothing more is looked at
	body   int64 // bytes of the body that are still to come

	begun  bool   // the request line was read
	line   []byte // the beginning of the line that is being read; of the request line its end
	cut    bool   // line is not whole
	old    bool   // the request is HTTP/1.0
	coded  bool   // it has a transfer coding
	length int64  // -1: it gives none
}

// longestLine is how much of a line is kept: more than any field needs that is looked at.
const longestLine = 128

// errFraming ends a connection. It is none of the errors that net/http takes for a peer that went away, so net/http
// answers 400 before it closes.
var errFraming = errors.New("the length of the request's body is ambiguous")

func newFraming() *framing { return &framing{length: -1} }

// follow looks at the next bytes. When they complete a line that is refused, ok is false and n is how many of the bytes
// come before the end of that line.
func (f *framing) follow(p []byte) (n int, ok bool) {
	for n < len(p) && !f.opaque {
		if f.body > 0 {
			size := min(f.body, int64(len(p)-n))
			f.body -= size
			n += int(size)
			continue
		}
		size := bytes.IndexByte(p[n:], '\n')
		if size < 0 {
			f.keep(p[n:])
			break
		}
		f.keep(p[n : n+size])
		n += size
		if !f.endLine() {
			return n, false
		}
		n++
	}
	return len(p), true
}

func (f *framing) keep(part []byte) {
	if f.begun {
		room := min(longestLine-len(f.line), len(part))
		f.line = append(f.line, part[:room]...)
		f.cut = f.cut || room < len(part)
		return
	}
	if len(part) > longestLine {
		part = part[len(part)-longestLine:]
	}
	if over := len(f.line) + len(part) - longestLine; over > 0 {
		f.line = append(f.line[:0], f.line[over:]...)
	}
	f.line = append(f.line, part...)
}

// endLine takes a line for what it is; false refuses it.
func (f *framing) endLine() bool {
	line := bytes.TrimSuffix(f.line, []byte("\r"))
	defer func() { f.line, f.cut = f.line[:0], false }()
	switch {
	case !f.begun:
		f.begun = len(bytes.Trim(line, "\r")) > 0 // net/http skips a few line ends before a request
		f.old = bytes.HasSuffix(line, []byte(" HTTP/1.0"))
		return true
	case len(line) == 0:
		return f.endHead()
	case line[0] == ' ' || line[0] == '\t':
		return false
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	switch name = textproto.TrimBytes(name); {
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		f.coded = true
	case bytes.EqualFold(name, []byte("Content-Length")):
		return f.sized(value)
	}
	return true
}

// sized reads a Content-Length as net/http does; a repeated one must say the same.
func (f *framing) sized(value []byte) bool {
	length, err := strconv.ParseUint(string(textproto.TrimBytes(value)), 10, 63)
	if err != nil || f.cut || f.length >= 0 && f.length != int64(length) {
		return false
	}
	f.length = int64(length)
	return true
}

func (f *framing) endHead() bool {
	if f.coded && (f.old || f.length >= 0) {
		return false
	}
	f.opaque, f.body = f.coded, max(f.length, 0)
	f.begun, f.length = false, -1
	return true
}
