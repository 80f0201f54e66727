package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/stdops/stdops"
)

// Body is the body of a request, read once. Whether a body that is no JSON matters is for the endpoint to say, in its
// order of checks.
type Body struct {
	Empty  bool
	Object *stdops.Object // nil when the body is empty, no JSON, or no object
	Err    error          // what is wrong with the JSON text, a *stdops.JSONError; nil for valid JSON that is no object
	form   url.Values     // of a form that is no JSON; looked at for credentials only
	leave  func()
}

// Leave lets the next large body be read. It is to be called when what the body became is held no more; a second call
// does nothing.
func (b *Body) Leave() {
	if b.leave != nil {
		b.leave()
		b.leave = nil
	}
}

// Reading says how a body is read.
type Reading struct {
	Limit int64 // bytes
	stdops.Decoding
	Known bool // the caller proved who it is before the body
}

// MostValues is how many values and keys a body may have: several times what the largest tree needs.
const MostValues = 1_000_000

// What large bodies may take together. What is made of a body takes up to twenty times the room of its text, so that this
// is what bounds the memory of the server under hostile requests. Nothing is lost by it: the work on a body is that of a
// processor, and more bodies at the same time would only take longer each.
const (
	freeBytes     = 32 << 10 // a smaller body goes without a turn
	fewestTurns   = 4        // of the known at the same time, and of strangers, where there are no more processors
	KnownBytes    = 4 << 20  // of the bodies of callers that are known, worked on at the same time
	strangerBytes = 1 << 20  // of those whose credentials, if any, lie in the body
	turnPatience  = 10 * time.Second
)

// Bodies reads bodies, and bounds how much of them is worked on at the same time: a large body waits for its turn before
// it is read. Strangers wait among themselves, so that they cannot keep those waiting that are known.
type Bodies struct {
	known, strangers line
}

// NewBodies makes a reader of bodies; all handlers of a server are to share one.
func NewBodies() *Bodies {
	return &Bodies{known: newLine(KnownBytes), strangers: newLine(strangerBytes)}
}

// line is a line of bodies that wait.
type line struct {
	room *semaphore.Weighted
	size int64
}

func newLine(size int64) line { return line{semaphore.NewWeighted(size), size} }

// turns gives how many large bodies are worked on at the same time.
func turns() int64 { return int64(max(fewestTurns, runtime.GOMAXPROCS(0))) }

// Enter waits for the turn of a body of size bytes. A body that is larger than all that may be worked on at the same time
// is worked on alone.
func (b *Bodies) Enter(ctx context.Context, size int64, known bool) (leave func(), err error) {
	if size <= freeBytes {
		return func() {}, nil
	}
	l := b.strangers
	if known {
		l = b.known
	}
	size = min(max(size, l.size/turns()), l.size)
	limited, cancel := context.WithTimeout(ctx, turnPatience)
	defer cancel()
	if err := l.room.Acquire(limited, size); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, stdops.Errorf(stdops.CodeUnavailable, "too many large requests at once, try again")
	}
	return func() { l.room.Release(size) }, nil
}

// Read reads and decodes the body of a request (docs/spec/api.md 3.5). The Content-Type does not matter, because
// component clients send JSON text as a form; a Content-Encoding is refused, so that nothing is ever inflated.
func (b *Bodies) Read(w http.ResponseWriter, r *http.Request, how Reading) (*Body, error) {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, Refuse(http.StatusUnsupportedMediaType, "Content-Encoding is not supported; send the body as it is")
	}
	if r.ContentLength > how.Limit {
		return nil, tooLarge(how.Limit)
	}
	if 0 <= r.ContentLength && r.ContentLength <= freeBytes {
		return readSmall(r, how)
	}
	in, size := bufio.NewReader(http.MaxBytesReader(w, r.Body, how.Limit)), r.ContentLength
	if size < 0 {
		in, size = sized(in, how.Limit)
	}
	leave, err := b.Enter(r.Context(), size, how.Known)
	if err != nil {
		return nil, err
	}
	body, err := read(in, r, how.Decoding)
	if err != nil {
		leave()
		return nil, readError(err, how.Limit)
	}
	body.leave = leave
	return body, nil
}

// readSmall reads a body that goes without a turn, in one piece.
func readSmall(r *http.Request, how Reading) (*Body, error) {
	text := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, text); err != nil {
		return nil, readError(err, how.Limit)
	}
	body, err := readText(text, isForm(r) && !looksLikeJSON(text), how.Decoding)
	if err != nil {
		return nil, readError(err, how.Limit)
	}
	return body, nil
}

// sized finds the size of a body that does not tell it. One that is not small counts as the largest.
func sized(in *bufio.Reader, limit int64) (*bufio.Reader, int64) {
	in = bufio.NewReaderSize(in, freeBytes+1)
	if _, err := in.Peek(freeBytes + 1); err != nil { // comes again when it is read
		return in, int64(in.Buffered())
	}
	return in, limit
}

// read reads a body. Its error is that of the connection.
func read(in *bufio.Reader, r *http.Request, decoding stdops.Decoding) (*Body, error) {
	first, err := in.Peek(1)
	if len(first) == 0 {
		if errors.Is(err, io.EOF) {
			return &Body{Empty: true}, nil
		}
		return nil, err
	}
	if isForm(r) {
		if head, _ := in.Peek(mostSpace); !looksLikeJSON(head) {
			return readForm(in, decoding)
		}
	}
	value, err := decoding.Decode(in)
	return made(value, err)
}

func made(value any, err error) (*Body, error) {
	var problem *stdops.JSONError
	if errors.As(err, &problem) {
		return &Body{Err: problem}, nil
	}
	object, _ := value.(*stdops.Object)
	return &Body{Object: object}, err
}

func readError(err error, limit int64) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return tooLarge(limit)
	}
	return Refuse(http.StatusRequestTimeout, "the body did not arrive in full")
}

func tooLarge(limit int64) error {
	size := fmt.Sprintf("%d bytes", limit)
	if limit>>20<<20 == limit {
		size = fmt.Sprintf("%d MiB", limit>>20)
	}
	return Refuse(http.StatusRequestEntityTooLarge, "the body is larger than "+size)
}

// isForm reports whether the request says that its body is a form. It may be JSON all the same.
func isForm(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

// mostSpace is how much of a body is looked at to tell whether it begins like JSON.
const mostSpace = 512

// looksLikeJSON reports whether a body begins like an object.
func looksLikeJSON(head []byte) bool {
	head = bytes.TrimLeft(head[:min(len(head), mostSpace)], " \t\r\n")
	return len(head) > 0 && head[0] == '{'
}

// longestForm is how large a form may be: nothing of it counts but credentials.
const longestForm = freeBytes

// readForm reads what says that it is a form and does not begin like JSON.
func readForm(in io.Reader, decoding stdops.Decoding) (*Body, error) {
	text, err := io.ReadAll(io.LimitReader(in, longestForm))
	if err != nil {
		return nil, err
	}
	return readText(text, true, decoding)
}

// readText makes a body of its text. What says that it is a form is read as JSON first.
func readText(text []byte, form bool, decoding stdops.Decoding) (*Body, error) {
	if len(text) == 0 {
		return &Body{Empty: true}, nil
	}
	value, err := decoding.Decode(bytes.NewBuffer(text))
	body, err := made(value, err)
	if err != nil {
		return nil, err
	}
	if form && body.Err != nil {
		body.form, _ = url.ParseQuery(string(text)) // what is no form holds no credentials
	}
	return body, nil
}
