package v1

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// KeyHeader is the key of a request. It is exported because the framework fills no other fields.
type KeyHeader struct {
	Key string `header:"Idempotency-Key" json:"-" doc:"1 to 255 visible ASCII characters: for 24 hours the same request with the same key has one effect, and is answered the same way"`
}

func (k *KeyHeader) key() string { return k.Key }

// Resolve reads the key the way that the compatible API does; the framework calls it.
func (k *KeyHeader) Resolve(ctx huma.Context) []error {
	r, _ := humago.Unwrap(ctx)
	key, err := api.RequestKey(r)
	if k.Key = key; err != nil {
		return []error{&huma.ErrorDetail{Location: "header." + api.KeyHeader, Message: err.Error()}}
	}
	return nil
}

// addOnce adds an operation inside of a project whose requests may have a key; again answers one whose effect was there
// already.
func addOnce[I any, P interface {
	*I
	project() int64
	key() string
}, O any](s *server, r route, serve func(context.Context, *service.Access, *I) (*O, error), again func(context.Context, *service.Access, *I, *service.Done) (*O, error)) {
	addIn[I, P](s, r, func(ctx context.Context, a *service.Access, in *I) (*O, error) {
		key := P(in).key()
		if key == "" {
			return serve(ctx, a, in)
		}
		asked, err := json.Marshal(in) // with the ids of the path
		if err != nil {
			return nil, fmt.Errorf("hash request: %w", err)
		}
		request := api.NewRequest(key, []byte(r.id), []byte(a.Caller().User), asked)
		var out *O
		err = s.svc.Once(ctx, a, request, func(keyed *service.Access) (err error) {
			out, err = serve(ctx, keyed, in)
			return err
		}, func(done *service.Done) (err error) {
			out, err = again(ctx, a, in, done)
			return err
		})
		if err != nil {
			return nil, err
		}
		return out, nil
	})
}

// taskAgain answers with a task that was made, as it stands now.
func (s *server) taskAgain(ctx context.Context, a *service.Access, _ *createTaskInput, done *service.Done) (*body[client.Task], error) {
	return s.oneTask(ctx, a, done.Task(), false)
}

// commandAgain answers with a task that was commanded, as it stands now.
func (s *server) commandAgain(ctx context.Context, a *service.Access, in *commandInput, _ *service.Done) (*body[client.Task], error) {
	return s.oneTask(ctx, a, stdops.TaskID(in.ID), in.Run)
}

// flowAgain answers with a flow that was stored.
func (s *server) flowAgain(_ context.Context, a *service.Access, in *createFlowInput, done *service.Done) (*body[client.Flow], error) {
	stored, err := done.Template()
	if err != nil {
		return nil, err
	}
	return answer(wireFlow(a, &in.Body, stored)), nil
}
