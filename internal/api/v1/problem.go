package v1

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// problem is a refusal as it is written.
type problem struct{ refused }

type refused = client.Error

// GetStatus gives the HTTP status.
func (p *problem) GetStatus() int { return p.Status }

// ContentType gives the media type of problem documents.
func (p *problem) ContentType(string) string { return "application/problem+json" }

// statuses is the one table from the kind of a refusal to the HTTP status.
var statuses = map[stdops.Code]int{
	stdops.CodeInternal:        http.StatusInternalServerError,
	stdops.CodeInvalid:         http.StatusUnprocessableEntity,
	stdops.CodeInvalidForm:     http.StatusUnprocessableEntity,
	stdops.CodeUnauthenticated: http.StatusUnauthorized,
	stdops.CodeForbidden:       http.StatusForbidden,
	stdops.CodeDenied:          http.StatusForbidden,
	stdops.CodeNotFound:        http.StatusNotFound,
	stdops.CodeRefused:         http.StatusConflict,
	stdops.CodeEngine:          http.StatusConflict,
	stdops.CodeTooMany:         http.StatusTooManyRequests,
	stdops.CodeUnavailable:     http.StatusServiceUnavailable,
	stdops.CodeDiskFull:        http.StatusInsufficientStorage,
	stdops.CodeGone:            http.StatusGone,
}

// words is the one table from HTTP status to the code word; every other status below 500 is "invalid".
var words = map[int]string{
	http.StatusUnauthorized:        client.CodeUnauthenticated,
	http.StatusForbidden:           client.CodeDenied,
	http.StatusMisdirectedRequest:  client.CodeDenied,
	http.StatusNotFound:            client.CodeNotFound,
	http.StatusMethodNotAllowed:    client.CodeNotFound,
	http.StatusConflict:            client.CodeConflict,
	http.StatusGone:                client.CodeGone,
	http.StatusTooManyRequests:     client.CodeTooMany,
	http.StatusServiceUnavailable:  client.CodeUnavailable,
	http.StatusInsufficientStorage: client.CodeUnavailable,
	http.StatusInternalServerError: client.CodeInternal,
}

// messageOfDefect is all that a caller learns of a defect of ours.
const messageOfDefect = "internal error; the server's log has it under this request_id"

func newProblem(ctx context.Context, status int, message string) *problem {
	word, ok := words[status]
	if !ok {
		word = client.CodeInvalid
	}
	if status >= http.StatusInternalServerError && words[status] != client.CodeUnavailable {
		word, message = client.CodeInternal, messageOfDefect
	}
	return &problem{refused{
		Title: http.StatusText(status), Status: status, Code: word, Message: message, RequestID: api.RequestIDs(ctx).Request,
	}}
}

// problemOf gives the problem document in a refusal.
func problemOf(ctx context.Context, refusal error) *problem {
	var p *problem
	if !errors.As(refusal, &p) {
		p = newProblem(ctx, http.StatusInternalServerError, messageOfDefect)
	}
	return p
}

// refusal gives an error as it is written. What is no refusal of ours is a defect: it is logged, and its text stays here.
func (s *server) refusal(ctx context.Context, err error) error {
	var transport *api.Refusal
	if errors.As(err, &transport) {
		return newProblem(ctx, transport.Status, transport.Message)
	}
	var domain *stdops.Error
	if !errors.As(err, &domain) || domain.Code == stdops.CodeInternal {
		s.log.ErrorContext(ctx, "request failed", slog.Any("error", err), "request_id", api.RequestIDs(ctx).Request)
		return newProblem(ctx, http.StatusInternalServerError, messageOfDefect)
	}
	status := statuses[domain.Code]
	if errors.Is(err, service.ErrNotInTask) {
		status = http.StatusNotFound
	}
	p := newProblem(ctx, status, domain.Message)
	var lacking service.Lacking
	if errors.As(err, &lacking) {
		need := service.Permission(lacking)
		p.Message = fmt.Sprintf("this needs the permission %s, which a user has as %s of the project", need, service.LeastRole(need))
	}
	for field, texts := range domain.Fields {
		for _, text := range texts {
			p.Faults = append(p.Faults, client.Fault{Location: field, Message: text})
		}
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {api.RetryAfter(domain.RetryAfter)}})
	}
	return p
}

// toProblem rewrites the refusals that the framework makes itself. It leaves out the values that were sent: they may be
// secrets.
func toProblem(ctx huma.Context, _ string, v any) (any, error) {
	made, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := newProblem(ctx.Context(), made.Status, made.Detail)
	for _, d := range made.Errors {
		if d != nil && p.Code != client.CodeInternal {
			p.Faults = append(p.Faults, client.Fault{Location: d.Location, Message: d.Message})
		}
	}
	return p, nil
}
