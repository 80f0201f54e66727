package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Scheme is an execution scheme of a flow: a named choice of the activities that run.
type Scheme struct {
	ID    int64    `json:"id" readOnly:"true"`
	Name  string   `json:"name" readOnly:"true"`
	Nodes []string `json:"nodes" nullable:"false" doc:"Ids of activities in the tree of the flow. Those that are not optional run as well"`
}

func schemePath(project, flow int64, name string) string {
	return fmt.Sprintf("%s/%d/schemes/%s", flowPath(project), flow, url.PathEscape(name))
}

// PutScheme stores an execution scheme of a flow under a name, in the place of the one that has it.
func (c *Client) PutScheme(ctx context.Context, project, flow int64, name string, nodes []string) (*Scheme, error) {
	s := &Scheme{}
	return s, c.call(ctx, http.MethodPut, schemePath(project, flow, name), Scheme{Nodes: nodes}, s)
}

// DeleteScheme takes an execution scheme of a flow away.
func (c *Client) DeleteScheme(ctx context.Context, project, flow int64, name string) error {
	return c.call(ctx, http.MethodDelete, schemePath(project, flow, name), nil, nil)
}
