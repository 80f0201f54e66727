package stdops

import (
	"errors"
	"fmt"
	"time"
)

// Code says what kind of refusal an [Error] is. The number that a caller of the compatible API sees, and the HTTP
// status, are chosen from it in one table of package api.
type Code uint8

// The kinds of refusal.
const (
	CodeInternal        Code = iota // a defect of ours; its text never reaches a caller
	CodeInvalid                     // the request is malformed or names something impossible
	CodeInvalidForm                 // a form field failed its check (kept apart because callers tell the numbers apart)
	CodeUnauthenticated             // no credentials, or wrong ones
	CodeForbidden                   // a known caller who may not use this call at all
	CodeDenied                      // a known caller who lacks a permission on this resource
	CodeNotFound                    // no such thing inside the caller's project
	CodeRefused                     // the operation does not fit the state of the thing
	CodeEngine                      // the engine refused a command
	CodeTooMany                     // over a rate or capacity limit
	CodeUnavailable                 // the store or the server cannot serve now
	CodeDiskFull                    // nothing can be stored until there is room on the disk
	CodeGone                        // it was there, but is not kept so long
)

// Error is the one error type that reaches users. Message is written for them: it says what is wrong and where.
type Error struct {
	Code    Code
	Message string
	// Fields holds the texts per field where a request failed field checks; it is nil otherwise.
	Fields map[string][]string
	// RetryAfter says when it may be tried again, in whole seconds; 0: soon. It counts with CodeTooMany and CodeUnavailable.
	RetryAfter time.Duration
	// Err is the cause, for logs only.
	Err error
}

// Errorf makes an [Error] with a formatted message; a %w verb sets its cause.
func Errorf(code Code, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: wrapped.Error(), Err: errors.Unwrap(wrapped)}
}

// longestShown is how many characters of a text of a caller a message repeats.
const longestShown = 64

// Short cuts a text of a caller, such as a name or an id, to what a message can bear.
func Short(text string) string {
	count := 0
	for i := range text {
		if count++; count > longestShown {
			return text[:i] + "…"
		}
	}
	return text
}

// Error gives the message.
func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause, which may be nil.
func (e *Error) Unwrap() error { return e.Err }

// ErrRecord is wrapped by errors of reading a record that lacks a part which nobody takes away, or holds one that cannot be
// read. To try again is of no use; somebody has to look at the database.
var ErrRecord = errors.New("the record is damaged")

// ErrorCode gives the code of the [Error] inside err, CodeInternal when there is none.
func ErrorCode(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
