package v1

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// flows adds the listing, showing and storing of flows.
func (s *server) flows() {
	addIn(s, route{method: http.MethodGet, path: "/projects/{project}/flows", id: "list-flows", about: "Stored flows, newest first", needs: needs(service.FlowView)},
		func(ctx context.Context, a *service.Access, _ *ProjectPath) (*body[client.FlowList], error) {
			found, err := s.svc.Templates(ctx, a, false, service.TemplateFilter{})
			list := client.FlowList{Flows: make([]client.Flow, len(found))}
			for i := range found {
				list.Flows[i] = flowOf(&found[i])
			}
			return answer(list), err
		})
	addIn(s, route{method: http.MethodGet, path: "/projects/{project}/flows/{id}", id: "get-flow", about: "A stored flow with its tree", needs: needs(service.FlowView)}, s.getFlow)
	addIn(s, route{method: http.MethodGet, path: "/projects/{project}/flows/{id}/versions", id: "list-flow-versions", about: "The versions of a flow, newest first", needs: needs(service.FlowView)}, s.flowVersions)
	addOnce(s, route{
		method: http.MethodPost, path: "/projects/{project}/flows", id: "create-flow", about: "Store a flow",
		needs: needs(service.FlowCreate), body: s.svc.Limits().Body, status: created,
	}, s.createFlow, s.flowAgain)
}

type flowInput struct {
	ProjectPath
	ID int64 `path:"id" minimum:"1"`
}

type flowAtInput struct {
	ProjectPath
	ID      int64  `path:"id" minimum:"1"`
	Version string `query:"version" doc:"One that it has or had; none: the current one"`
}

func (s *server) flowVersions(ctx context.Context, a *service.Access, in *flowInput) (*body[client.FlowVersionList], error) {
	found, current, err := s.svc.TemplateVersions(ctx, a, stdops.TemplateID(in.ID))
	if err != nil {
		return nil, err
	}
	list := client.FlowVersionList{Versions: make([]client.FlowVersion, len(found))}
	for i, v := range found {
		list.Versions[i] = client.FlowVersion{Version: v.Version, Editor: v.Editor, Created: v.Created, Current: v.Version == current}
	}
	return answer(list), nil
}

func (s *server) getFlow(ctx context.Context, a *service.Access, in *flowAtInput) (*body[client.FlowDetail], error) {
	view, err := s.svc.ViewTemplateVersion(ctx, a, stdops.TemplateID(in.ID), false, in.Version)
	if err != nil {
		return nil, err
	}
	detail := client.FlowDetail{Flow: flowOf(&view.TemplateEntry), Editor: view.Editor, Constants: []client.Constant{}}
	for _, c := range view.Constants() {
		value, err := stdops.EncodeValue(c.Value)
		if err != nil {
			return nil, fmt.Errorf("write constant %s: %w", c.Key, err)
		}
		detail.Constants = append(detail.Constants, client.Constant{
			Key: c.Key, Name: c.Name, Kind: c.CustomType, Value: value, Shown: c.Shown,
		})
	}
	schemes, err := view.Schemes(ctx)
	if err != nil {
		return nil, err
	}
	detail.Schemes = make([]client.Scheme, len(schemes))
	for i, scheme := range schemes {
		detail.Schemes[i] = wireScheme(scheme)
	}
	if detail.Tree, err = view.Tree().MarshalJSON(); err != nil {
		return nil, fmt.Errorf("write tree: %w", err)
	}
	return answer(detail), nil
}

func flowOf(t *service.TemplateEntry) client.Flow {
	return client.Flow{
		ID: int64(t.ID), Name: t.Name, Description: t.Description, Category: t.Category, Version: t.Version,
		Creator: t.Creator, Created: t.Created, Edited: t.Edited,
	}
}

type createFlowInput struct {
	ProjectPath
	KeyHeader
	Body client.NewFlow
}

func (s *server) createFlow(ctx context.Context, a *service.Access, in *createFlowInput) (*body[client.Flow], error) {
	if err := plainName(in.Body.Name); err != nil {
		return nil, err
	}
	tree, err := treeOf(in.Body.Tree)
	if err != nil {
		return nil, err
	}
	stored, err := s.svc.CreateTemplate(ctx, a, service.NewTemplate{
		Name: in.Body.Name, Category: in.Body.Category, Description: in.Body.Description,
	}, tree)
	if err != nil {
		return nil, err
	}
	return answer(wireFlow(a, &in.Body, stored)), nil
}

// wireFlow gives a flow that was stored, with what was said about it.
func wireFlow(a *service.Access, n *client.NewFlow, stored *service.StoredTemplate) client.Flow {
	flow := client.Flow{
		ID: int64(stored.ID), Name: stored.Name, Description: n.Description, Category: cmp.Or(n.Category, service.DefaultCategory),
		Version: stored.Version, Creator: a.Caller().User, Created: stored.Created, Edited: stored.Created,
	}
	for _, w := range stored.Warnings {
		flow.Warnings = append(flow.Warnings, client.Warning{Path: w.Path, Message: w.Message})
	}
	return flow
}

// plainName refuses names that could not be shown in one line.
func plainName(name string) error {
	if strings.TrimSpace(name) == "" {
		return stdops.Errorf(stdops.CodeInvalid, "name must not be empty")
	}
	if strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
		return stdops.Errorf(stdops.CodeInvalid, "name contains control characters")
	}
	return nil
}

// treeOf reads a pipeline tree.
func treeOf(text json.RawMessage) (*stdops.Object, error) {
	tree := &stdops.Object{}
	if err := tree.UnmarshalJSON(text); err != nil {
		return nil, stdops.Errorf(stdops.CodeInvalid, "tree: %s", err)
	}
	return tree, nil
}

// absent reports whether an optional JSON value was left out.
func absent(text json.RawMessage) bool { return len(text) == 0 || string(text) == "null" }
