package client

import (
	"fmt"
	"net/http"
	"strings"
)

// The codes of refusals.
const (
	CodeInvalid         = "invalid"         // 400, 413, 415, 422: the request is malformed or names something impossible
	CodeUnauthenticated = "unauthenticated" // 401: no token, or one that does not count
	CodeDenied          = "denied"          // 403, 421: known, but not allowed
	CodeNotFound        = "not_found"       // 404, 405
	CodeConflict        = "conflict"        // 409: it does not fit the state of the thing
	CodeGone            = "gone"            // 410: it was there, but is not kept so long
	CodeTooMany         = "too_many"        // 429
	CodeUnavailable     = "unavailable"     // 503, 507
	CodeInternal        = "internal"        // 500: a defect of the server; its log tells more under the request id
	CodeForeign         = "foreign"         // made by the client: what answered is not stdops
)

// Error is a refusal of the server, as it travels: a problem document (RFC 9457) with a code.
type Error struct {
	Title     string  `json:"title" doc:"The words for the HTTP status"`
	Status    int     `json:"status" doc:"The HTTP status"`
	Code      string  `json:"code" enum:"invalid,unauthenticated,denied,not_found,conflict,gone,too_many,unavailable,internal" doc:"The kind of refusal"`
	Message   string  `json:"detail" doc:"What is wrong and where, for people"`
	RequestID string  `json:"request_id,omitempty" doc:"Names the request in the log of the server"`
	Faults    []Fault `json:"errors,omitempty" doc:"The single faults of a request, where it has several"`
}

// Fault is one fault of a request.
type Fault struct {
	Location string `json:"location,omitempty" doc:"Where it is, such as body.ids[3]"`
	Message  string `json:"message"`
}

// Temporary reports whether the server only has no room, or is not there for now: the same request may be taken later.
func (e *Error) Temporary() bool {
	return e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests
}

// Error gives what is wrong, with the single faults.
func (e *Error) Error() string {
	if len(e.Faults) == 0 {
		return e.Message
	}
	faults := make([]string, len(e.Faults))
	for i, d := range e.Faults {
		faults[i] = d.Message
		if d.Location != "" {
			faults[i] = d.Location + ": " + d.Message
		}
	}
	return e.Message + ": " + strings.Join(faults, "; ")
}

// UnreachableError says that no server answered.
type UnreachableError struct {
	Target string
	Err    error
}

// Error says which server and why.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no server answers at %s: %v", e.Target, e.Err)
}

// Unwrap gives the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }
