package api

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/stdops/stdops"
)

// An answer is collected up to flushAt before it is sent on, so that a batch of large tasks is not held twice; one of which
// the size is known, up to wholeAt, because every portion makes the other side wake up.
const (
	flushAt = 256 << 10
	wholeAt = 1 << 20
)

// buffers are used again, unless they grew beyond what is collected.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Writer writes one answer in the envelope of docs/spec/api.md 2.1: the keys of the founding page first and in its
// order. An answer is begun by [Writer.Begin], whose caller appends the data, and ended by [Writer.End]; or written
// whole by [Writer.Data] or [Writer.Fail].
type Writer struct {
	http  http.ResponseWriter
	ids   *IDs
	buf   []byte
	zip   *member // what the answer becomes part of before it is sent; nil: it is sent as it is
	flush int     // what is collected before it is sent
	began bool

	// Number is the code that was written, for the access log.
	Number int
	// Sending is called before the first byte is sent; the time of a slow reader begins there. nil: nobody is told.
	Sending func()
	// RequestKey says that the answer carries request_id as well, as the component families do.
	RequestKey bool
}

// NewWriter makes the writer of an answer.
func NewWriter(w http.ResponseWriter, ids *IDs) *Writer {
	return &Writer{http: w, ids: ids, flush: flushAt}
}

// Begin starts a successful answer; what its result appends to becomes the data.
func (w *Writer) Begin() []byte {
	w.buf = append((*buffers.Get().(*[]byte))[:0], `{"result":true,"data":`...)
	return w.buf
}

// Expect makes room for data of which the size is known.
func (w *Writer) Expect(b []byte, size int) []byte {
	size = min(size+frame, wholeAt)
	w.flush = max(w.flush, size)
	return slices.Grow(b, size)
}

// frame is more than what commonly stands around the data.
const frame = 1 << 10

// Add appends a piece of the data. Whenever much has been collected it is sent on.
func (w *Writer) Add(b, piece []byte) []byte {
	if len(piece) >= w.flush && w.zip == nil { // not copied
		if w.buf = b; len(b) > 0 {
			w.send(http.StatusOK)
		}
		b, w.buf = w.buf, piece
		w.send(http.StatusOK)
		w.buf = b // the piece belongs to others
		return b
	}
	for len(b)+len(piece) > w.flush {
		room := max(w.flush-len(b), 0)
		w.buf = append(b, piece[:room]...)
		w.send(http.StatusOK)
		b, piece = w.buf, piece[room:]
	}
	if cap(b) < flushAt && len(b)+len(piece) > flushAt/4 { // at once, since it will probably become as much
		b = slices.Grow(b, flushAt-len(b))
	}
	return append(b, piece...)
}

// VaryByEncoding says that the same request may be answered packed or not.
func (w *Writer) VaryByEncoding() { w.http.Header().Set("Vary", "Accept-Encoding") }

// Pack makes the answer a gzip member; what is appended and added from then on is plain text to be stored in it, until
// [Writer.AddDeflated] brings parts that were deflated before.
func (w *Writer) Pack() { w.zip = newMember((*buffers.Get().(*[]byte))[:0]) }

// AddDeflated adds a part of the data that [AppendDeflated] has made.
func (w *Writer) AddDeflated(b, part []byte, sum Sum) []byte {
	w.zip.plain(b)
	w.zip.deflated(part, sum)
	if w.buf = b[:0]; len(w.zip.out) >= w.flush {
		w.send(http.StatusOK)
	}
	return w.buf
}

// End completes a successful answer: b is what [Writer.Begin] gave, with the data appended; extra are further keys of the
// top level.
func (w *Writer) End(b []byte, message string, extra *stdops.Object) {
	w.Number = numberSuccess
	b = append(b, `,"code":0,"message":`...)
	b = stdops.AppendQuoted(b, message)
	for _, key := range extra.Keys() {
		value, _ := extra.Get(key)
		b = append(stdops.AppendQuoted(append(b, ','), key), ':')
		b = appendValue(b, value)
	}
	w.close(b, http.StatusOK)
}

// Data writes a whole successful answer.
func (w *Writer) Data(data any, message string, extra *stdops.Object) {
	w.End(appendValue(w.Begin(), data), message, extra)
}

// Fail writes a refusal.
func (w *Writer) Fail(err error) {
	f := explain(err)
	w.Number = f.number
	h := w.http.Header()
	if f.allow != "" {
		h.Set("Allow", f.allow)
	}
	if f.status == http.StatusTooManyRequests || f.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", RetryAfter(f.wait))
	}
	if !w.began {
		w.zip = nil
	}
	b := append(w.buf[:0], `{"result":false,"data":null,"code":`...)
	b = strconv.AppendInt(b, int64(f.number), 10)
	b = stdops.AppendQuoted(append(b, `,"message":`...), f.message)
	if f.fields != nil {
		b = appendFields(append(b, `,"errors":`...), f.fields)
	}
	w.close(b, f.status)
}

func (w *Writer) close(b []byte, status int) {
	b = stdops.AppendQuoted(append(b, `,"trace_id":`...), w.ids.Trace)
	if w.RequestKey {
		b = stdops.AppendQuoted(append(b, `,"request_id":`...), w.ids.Request)
	}
	w.buf = append(b, '}')
	out := &w.buf
	if w.zip != nil {
		w.zip.plain(w.buf)
		w.zip.end()
		w.buf, out = w.buf[:0], &w.zip.out
	}
	if !w.began {
		w.http.Header().Set("Content-Length", strconv.Itoa(len(*out)))
	}
	w.send(status)
	giveBack(w.buf)
	if w.zip != nil {
		giveBack(w.zip.out)
	}
	w.buf, w.zip = nil, nil
}

func giveBack(b []byte) {
	if cap(b) > 0 && cap(b) <= 2*wholeAt {
		buffers.Put(&b)
	}
}

// send writes what was collected. A caller that went away is no concern of ours, so the error of Write is not looked at.
func (w *Writer) send(status int) {
	out := &w.buf
	if w.zip != nil {
		w.zip.plain(w.buf)
		w.buf, out = w.buf[:0], &w.zip.out
	}
	if !w.began {
		w.began = true
		if w.Sending != nil {
			w.Sending()
		}
		h := w.http.Header()
		h.Set("Content-Type", "application/json; charset=utf-8")
		h.Set("Sops-Trace-Id", w.ids.Trace)
		h.Set("Cache-Control", "no-store") // nothing between us and the caller knows whose answer it is
		if w.zip != nil {
			h.Set("Content-Encoding", "gzip")
		}
		w.http.WriteHeader(status)
	}
	_, _ = w.http.Write(*out)
	*out = (*out)[:0]
}

// appendValue appends a value; one that has no JSON form can only be a number that is none, shown as null.
func appendValue(b []byte, v any) []byte {
	out, err := stdops.AppendJSON(b, v)
	if err != nil {
		return append(b, "null"...)
	}
	return out
}

func appendFields(b []byte, fields map[string][]string) []byte {
	b = append(b, '{')
	for i, key := range slices.Sorted(maps.Keys(fields)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(stdops.AppendQuoted(b, key), ':', '[')
		for j, text := range fields[key] {
			if j > 0 {
				b = append(b, ',')
			}
			b = stdops.AppendQuoted(b, text)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}
