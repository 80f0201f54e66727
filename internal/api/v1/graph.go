package v1

import (
	"context"
	"net/http"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

type graphInput struct {
	TaskPath
	Have string `header:"If-None-Match" maxLength:"10000" doc:"ETags of graphs that the caller has"`
}

// graphAnswer is a graph, or that the caller has it.
type graphAnswer struct {
	Status int
	ETag   string `header:"ETag"`
	Cache  string `header:"Cache-Control"`
	Body   *client.Graph
}

func (s *server) graph(ctx context.Context, a *service.Access, in *graphInput) (*graphAnswer, error) {
	drawing, err := s.svc.Drawing(ctx, a, stdops.TaskID(in.ID), func(tree string) bool { return api.HoldsETag([]string{in.Have}, etag(tree)) })
	if err != nil {
		return nil, err
	}
	out := &graphAnswer{Status: http.StatusOK, ETag: etag(drawing.Tree), Cache: "private, no-cache"}
	if drawing.Known {
		out.Status = http.StatusNotModified
		return out, nil
	}
	out.Body = wireGraph(drawing)
	return out, nil
}

func etag(tree string) string { return `"` + formOfGraph + tree + `"` }

// formOfGraph changes when a release draws a tree in another form: what callers keep of an older one does not count then.
const formOfGraph = "1."

func wireGraph(d *service.Drawing) *client.Graph {
	g := &client.Graph{Tree: d.Tree, Nodes: make([]client.GraphNode, len(d.Nodes)), Edges: make([]client.GraphEdge, len(d.Edges))}
	for i := range d.Nodes {
		n := &d.Nodes[i]
		g.Nodes[i] = client.GraphNode{
			Index: int(n.Index), Name: n.Name, Kind: n.Kind.String(), Plugin: n.Plugin, Parent: int(n.Parent),
			Optional: n.Optional, Retryable: n.Retryable, Skippable: n.Skippable,
		}
		if n.Placed {
			g.Nodes[i].X, g.Nodes[i].Y = &n.X, &n.Y
		}
	}
	for i, e := range d.Edges {
		g.Edges[i] = client.GraphEdge{
			From: int(e.From), To: int(e.To), Index: int(e.Index), Condition: e.Condition, Default: e.Default, Name: e.Name,
		}
	}
	return g
}
