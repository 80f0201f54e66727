package v1

import (
	"context"
	"net/http"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// schemes adds what is done with the execution schemes of a flow. They are listed with the flow.
func (s *server) schemes() {
	const path = "/projects/{project}/flows/{id}/schemes/{name}"
	addIn(s, route{method: http.MethodPut, path: path, id: "put-scheme", about: "Store an execution scheme of a flow", needs: needs(service.FlowEdit)}, s.putScheme)
	addIn(s, route{
		method: http.MethodDelete, path: path, id: "delete-scheme", about: "Take an execution scheme away", needs: needs(service.FlowEdit),
		status: http.StatusNoContent,
	}, s.deleteScheme)
}

// SchemePath is the path of an execution scheme. It is exported because the framework fills no other fields.
type SchemePath struct {
	ProjectPath
	ID   int64  `path:"id" minimum:"1"`
	Name string `path:"name" minLength:"1" maxLength:"64"`
}

type putSchemeInput struct {
	SchemePath
	Body client.Scheme
}

func (s *server) putScheme(ctx context.Context, a *service.Access, in *putSchemeInput) (*body[client.Scheme], error) {
	if err := plainName(in.Name); err != nil {
		return nil, err
	}
	scheme, err := s.svc.PutScheme(ctx, a, stdops.TemplateID(in.ID), service.Scheme{Name: in.Name, Nodes: in.Body.Nodes})
	if err != nil {
		return nil, err
	}
	return answer(wireScheme(scheme)), nil
}

func (s *server) deleteScheme(ctx context.Context, a *service.Access, in *SchemePath) (*none, error) {
	return &none{}, s.svc.DeleteScheme(ctx, a, stdops.TemplateID(in.ID), in.Name)
}

func wireScheme(s service.Scheme) client.Scheme {
	return client.Scheme{ID: s.ID, Name: s.Name, Nodes: append([]string{}, s.Nodes...)}
}
