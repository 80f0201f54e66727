package api

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/stdops/stdops"
)

// Numbers of the compatible API (docs/spec/api.md 2.3).
const (
	numberSuccess     = 0
	numberInvalid     = 3540000
	numberForbidden   = 3540100
	numberNotFound    = 3540400
	numberOperation   = 3545000
	numberValidation  = 3546100
	numberEnvironment = 3555000
	numberUnknown     = 3599999
)

// messageOfDefect is all that a caller learns of a defect of ours.
const messageOfDefect = "internal error; the server's log has it under this trace_id"

// answerTo is what a kind of refusal becomes on the wire. Business refusals travel with HTTP 200, as callers of bk-sops
// expect; only what a gateway or web server would refuse has a status of its own.
type answerTo struct {
	number int
	status int
}

// codes is the one table from the kind of a refusal to number and HTTP status.
var codes = map[stdops.Code]answerTo{
	stdops.CodeInternal:        {numberUnknown, http.StatusInternalServerError},
	stdops.CodeInvalid:         {numberInvalid, http.StatusOK},
	stdops.CodeInvalidForm:     {numberValidation, http.StatusOK},
	stdops.CodeUnauthenticated: {numberForbidden, http.StatusUnauthorized},
	stdops.CodeForbidden:       {numberForbidden, http.StatusOK},
	stdops.CodeDenied:          {numberUnknown, http.StatusOK},
	stdops.CodeNotFound:        {numberNotFound, http.StatusOK},
	stdops.CodeRefused:         {numberOperation, http.StatusOK},
	stdops.CodeEngine:          {numberUnknown, http.StatusOK},
	stdops.CodeTooMany:         {numberOperation, http.StatusTooManyRequests},
	stdops.CodeUnavailable:     {numberEnvironment, http.StatusServiceUnavailable},
	stdops.CodeDiskFull:        {numberEnvironment, http.StatusInsufficientStorage},
	stdops.CodeGone:            {numberNotFound, http.StatusOK},
}

// transport is what a refusal of the transport is called: the same envelope, but a real HTTP status.
var transport = map[int]int{
	http.StatusUnauthorized:                numberForbidden,
	http.StatusForbidden:                   numberForbidden,
	http.StatusMisdirectedRequest:          numberForbidden,
	http.StatusNotFound:                    numberNotFound,
	http.StatusMethodNotAllowed:            numberInvalid,
	http.StatusRequestTimeout:              numberInvalid,
	http.StatusRequestEntityTooLarge:       numberInvalid,
	http.StatusUnsupportedMediaType:        numberInvalid,
	http.StatusRequestHeaderFieldsTooLarge: numberInvalid,
	http.StatusTooManyRequests:             numberOperation,
	http.StatusServiceUnavailable:          numberEnvironment,
	http.StatusInsufficientStorage:         numberEnvironment,
}

// Refusal is a refusal of the transport.
type Refusal struct {
	Status  int
	Message string
	Allow   string // of a 405
}

// Error gives the message.
func (r *Refusal) Error() string { return r.Message }

// Refuse makes a [Refusal].
func Refuse(status int, message string) *Refusal { return &Refusal{Status: status, Message: message} }

// failure is a refusal in the form in which it is written.
type failure struct {
	number  int
	status  int
	message string
	fields  map[string][]string
	allow   string
	wait    time.Duration // before the next try
}

// explain gives what an error is on the wire. Anything that is no refusal of ours is a defect, whose text stays inside.
func explain(err error) failure {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		number, ok := transport[refusal.Status]
		if !ok {
			number = numberUnknown
		}
		return failure{number: number, status: refusal.Status, message: refusal.Message, allow: refusal.Allow}
	}
	var domain *stdops.Error
	if errors.As(err, &domain) && domain.Code != stdops.CodeInternal {
		to := codes[domain.Code]
		return failure{number: to.number, status: to.status, message: domain.Message, fields: domain.Fields, wait: domain.RetryAfter}
	}
	to := codes[stdops.CodeInternal]
	return failure{number: to.number, status: to.status, message: messageOfDefect}
}

// RetryAfter is the header that says after how many seconds it may be tried again: at least one.
func RetryAfter(wait time.Duration) string {
	return strconv.FormatInt(max(1, int64((wait+time.Second-1)/time.Second)), 10)
}

// Defect reports whether the error is a defect of ours, to be logged and never shown.
func Defect(err error) bool {
	return explain(err).number == numberUnknown && explain(err).status == http.StatusInternalServerError
}
