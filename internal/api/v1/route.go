package v1

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// needs is what a route asks of its caller: a [service.Permission] in the project of its path, or one of these.
type needs string

const (
	needsNothing needs = "nothing"       // open to everybody
	needsCaller  needs = "a caller"      // anybody who is known
	needsAdmin   needs = "administrator" // of the server
)

// permissionKey is where the description of an operation says what it needs.
const permissionKey = "x-needs"

// route describes an operation of the API.
type route struct {
	method, path string
	id, about    string
	needs        needs
	body         int64 // bytes that a body may have; 0 means smallBody
	status       int   // of a success; 0 means 200
	watches      bool  // it stays open, one that reads only as a stream: it has places of its own
	browser      bool  // it is for browsers: all rules for requests with cookies hold, whether one came or not
}

const smallBody = 1 << 20

// add adds an operation to the API.
func add[I, O any](s *server, r route, serve func(context.Context, *service.Caller, *I) (*O, error)) {
	huma.Register(s.api, s.operation(r), func(ctx context.Context, in *I) (*O, error) {
		out, err := serve(ctx, callerOf(ctx).caller, in)
		if err != nil {
			return nil, s.refusal(ctx, err)
		}
		return out, nil
	})
}

// door lets in who may use the route at all, before anything of a body is read;
// a request with a body, or one that stays, takes its place in a gate.
func (s *server) door(to route) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		err := admit(ctx.Context(), to.needs)
		var leave func()
		if err == nil {
			leave, err = s.enter(ctx, to)
		}
		if leave != nil {
			left := callerOf(ctx.Context()).stay
			left.leave = leave
			defer func() {
				if left.answer == nil {
					leave()
				}
			}()
		}
		if err != nil {
			s.refuse(ctx, err)
			return
		}
		next(ctx)
	}
}

// enter takes a place in the gate of a request, and gives what gives it back. One that only reads and is done soon needs none.
func (s *server) enter(ctx huma.Context, to route) (leave func(), err error) {
	w, reads := callerOf(ctx.Context()), to.method == http.MethodGet
	switch {
	case to.watches && (!reads || strings.Contains(ctx.Header("Accept"), eventStream)):
		gate, by := s.options.Gates.Watches, api.Who{App: w.caller.App, User: w.caller.User}
		if err := gate.Enter(by); err != nil {
			return nil, err
		}
		return func() { gate.Leave(by) }, nil
	case reads:
		return nil, nil
	}
	gate := s.options.Gates.Of(w.err == nil)
	if err := gate.Enter(); err != nil {
		return nil, err
	}
	return gate.Leave, nil
}

// refuse answers instead of the operation.
func (s *server) refuse(ctx huma.Context, err error) {
	_, w := humago.Unwrap(ctx)
	s.answerRefusal(ctx.Context(), w, err)
}

func (s *server) answerRefusal(ctx context.Context, w http.ResponseWriter, err error) {
	err = s.refusal(ctx, err)
	var more huma.HeadersError
	if errors.As(err, &more) {
		maps.Copy(w.Header(), more.GetHeaders())
	}
	write(w, problemOf(ctx, err))
}

// turn lets a large body wait for its turn, before anything of it is read.
func (s *server) turn(limit int64) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, _ := humago.Unwrap(ctx)
		size := r.ContentLength
		if size < 0 {
			size = limit
		}
		leave, err := s.options.Bodies.Enter(r.Context(), size, true)
		if err != nil && r.Context().Err() != nil {
			err = api.Refuse(http.StatusRequestTimeout, "the caller went away")
		}
		if err != nil {
			s.refuse(ctx, err)
			return
		}
		defer leave()
		next(ctx)
	}
}

func admit(ctx context.Context, n needs) error {
	who := callerOf(ctx)
	switch {
	case n == needsNothing:
		return nil
	case who.err != nil:
		return who.err
	case n == needsAdmin && !who.caller.Admin():
		return stdops.Errorf(stdops.CodeForbidden, "only an administrator may do this")
	}
	return nil
}

// ProjectPath is the path of a route inside of a project. It is exported because the framework fills no other fields.
type ProjectPath struct {
	Project int64 `path:"project" minimum:"1" doc:"The id of the project, as stdops numbers it"`
}

func (p *ProjectPath) project() int64 { return p.Project }

// addIn adds an operation inside of a project; it is served when the caller has the permission that the route needs.
func addIn[I any, P interface {
	*I
	project() int64
}, O any](s *server, r route, serve func(context.Context, *service.Access, *I) (*O, error)) {
	add(s, r, func(ctx context.Context, caller *service.Caller, in *I) (*O, error) {
		access, err := s.svc.Access(ctx, caller, service.ProjectRef{
			ID: decimal(P(in).project()), Scope: service.ScopeProject,
		})
		if err != nil {
			return nil, err
		}
		if err := access.Require(service.Permission(r.needs)); err != nil {
			return nil, err
		}
		return serve(ctx, access, in)
	})
}

func (s *server) operation(r route) huma.Operation {
	if r.body == 0 {
		r.body = smallBody
	}
	op := huma.Operation{
		OperationID: r.id, Method: r.method, Path: prefix + r.path, Summary: r.about, DefaultStatus: r.status,
		MaxBodyBytes: r.body, BodyReadTimeout: time.Duration(s.svc.Limits().BodyTime) * time.Second, SkipValidateParams: false,
		Extensions:  map[string]any{permissionKey: string(r.needs)},
		Responses:   map[string]*huma.Response{"default": s.problems},
		Middlewares: huma.Middlewares{s.door(r)},
	}
	if r.browser {
		op.Middlewares = append(op.Middlewares, s.visit)
	}
	if r.body > smallBody {
		op.Middlewares = append(op.Middlewares, s.turn(r.body))
	}
	if r.needs != needsNothing {
		op.Security = []map[string][]string{{"token": {}}}
	}
	return op
}

// problemResponse describes refusals.
func problemResponse(registry huma.Registry) *huma.Response {
	return &huma.Response{Description: "Refused", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: schemaOf[client.Error](registry)},
	}}
}

// schemaOf describes a type of the wire.
func schemaOf[T any](registry huma.Registry) *huma.Schema {
	return huma.SchemaFromType(registry, reflect.TypeFor[T]())
}

// body is an answer with a JSON body.
type body[T any] struct{ Body T }

func answer[T any](v T) *body[T] { return &body[T]{Body: v} }

// none is a request without parameters, or an answer without a body.
type none struct{}

const created = http.StatusCreated
