package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/stdops/stdops"
)

// Body is the body of a request, read once. Whether a body that is no JSON matters is for the endpoint to say, in its
// order of checks.
type Body struct {
	Empty  bool
	Object *stdops.Object // nil when the body is empty, no JSON, or no object
	Err    error          // what is wrong with the JSON text, a *stdops.JSONError; nil for valid JSON that is no object
	form   url.Values     // of a form that is no JSON; looked at for credentials only
}

// Decode reads JSON text into a value; [stdops.DecodeValue] and [stdops.DecodeExact] are the two.
type Decode func([]byte) (any, error)

// ReadBody reads and decodes the body of a request (docs/spec/api.md 3.5). The Content-Type does not matter, because
// component clients send JSON text as a form; a Content-Encoding is refused, so that nothing is ever inflated.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64, decode Decode) (*Body, error) {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, Refuse(http.StatusUnsupportedMediaType, "Content-Encoding is not supported; send the body as it is")
	}
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return nil, readError(err, limit)
	}
	if len(text) == 0 {
		return &Body{Empty: true}, nil
	}
	value, err := decode(text)
	if err != nil {
		return &Body{Err: err, form: formOf(r, text)}, nil
	}
	object, _ := value.(*stdops.Object)
	return &Body{Object: object}, nil
}

func readError(err error, limit int64) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return tooLarge(limit)
	}
	return Refuse(http.StatusRequestTimeout, "the body did not arrive in full")
}

func tooLarge(limit int64) error {
	return &Refusal{
		Status:  http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("the body is larger than %d MiB", limit>>20),
	}
}

// formOf reads a form body; nil when the request says that it is none.
func formOf(r *http.Request, text []byte) url.Values {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil
	}
	return form
}
