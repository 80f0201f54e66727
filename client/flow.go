package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Flow is a stored flow, without its tree.
type Flow struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Category    string    `json:"category,omitempty"`
	Version     string    `json:"version" doc:"The current version"`
	Creator     string    `json:"creator,omitempty"`
	Created     time.Time `json:"created_at,omitzero"`
	Edited      time.Time `json:"edited_at,omitzero"`
	Warnings    []Warning `json:"warnings,omitempty" doc:"What its author should know; only in the answer to its creation"`
}

// FlowDetail is a stored flow with its tree.
type FlowDetail struct {
	Flow
	Editor    string          `json:"editor,omitempty" doc:"Who wrote the current version"`
	Schemes   []Scheme        `json:"schemes" nullable:"false" doc:"Named choices of activities that run, oldest first"`
	Constants []Constant      `json:"constants" doc:"Those that something in the flow refers to, without those that hold outputs of nodes"`
	Tree      json.RawMessage `json:"tree" doc:"The pipeline tree as it was stored"`
}

// Constant is a variable of a flow to which tasks can give a value, or of a task with its own.
type Constant struct {
	Key   string          `json:"key" doc:"Such as ${version}"`
	Name  string          `json:"name,omitempty"`
	Kind  string          `json:"kind,omitempty" doc:"How it is filled in, such as input"`
	Value json.RawMessage `json:"value" doc:"Of a flow the one that a task has which gives none; of a task the one that it was given, before it is rendered"`
	Shown bool            `json:"shown" doc:"Whether it is meant to be filled in"`
}

// Warning is something about a flow that does not keep it from being stored.
type Warning struct {
	Path    string `json:"path" doc:"Where in the tree"`
	Message string `json:"message"`
}

// NewFlow is a flow to be stored.
type NewFlow struct {
	Name        string          `json:"name" minLength:"1" maxLength:"128"`
	Description string          `json:"description,omitempty" maxLength:"10000"`
	Category    string          `json:"category,omitempty" maxLength:"64"`
	Tree        json.RawMessage `json:"tree" doc:"A pipeline tree"`
}

// FlowList holds the flows of a project, newest first.
type FlowList struct {
	Flows []Flow `json:"flows"`
}

func flowPath(project int64) string { return fmt.Sprintf("/projects/%d/flows", project) }

// CreateFlow stores a flow.
func (c *Client) CreateFlow(ctx context.Context, project int64, n NewFlow) (*Flow, error) {
	f := &Flow{}
	return f, c.call(ctx, http.MethodPost, flowPath(project), n, f)
}

// Flow gives a stored flow with its tree.
func (c *Client) Flow(ctx context.Context, project, id int64) (*FlowDetail, error) {
	return c.FlowAt(ctx, project, id, "")
}

// FlowAt gives a stored flow with the tree of one of its versions, "" for the current one.
func (c *Client) FlowAt(ctx context.Context, project, id int64, version string) (*FlowDetail, error) {
	path := fmt.Sprintf("%s/%d", flowPath(project), id)
	if version != "" {
		path += "?" + url.Values{"version": {version}}.Encode()
	}
	f := &FlowDetail{}
	return f, c.call(ctx, http.MethodGet, path, nil, f)
}

// FlowVersion is a version that a flow has or had.
type FlowVersion struct {
	Version string    `json:"version" doc:"Digest of its tree"`
	Editor  string    `json:"editor,omitempty" doc:"Who stored it first"`
	Created time.Time `json:"created_at"`
	Current bool      `json:"current,omitempty"`
}

// FlowVersionList holds the versions of a flow, newest first.
type FlowVersionList struct {
	Versions []FlowVersion `json:"versions"`
}

// FlowVersions lists the versions of a flow.
func (c *Client) FlowVersions(ctx context.Context, project, id int64) (*FlowVersionList, error) {
	list := &FlowVersionList{}
	return list, c.call(ctx, http.MethodGet, fmt.Sprintf("%s/%d/versions", flowPath(project), id), nil, list)
}

// Flows lists the flows of a project.
func (c *Client) Flows(ctx context.Context, project int64) (*FlowList, error) {
	list := &FlowList{}
	return list, c.call(ctx, http.MethodGet, flowPath(project), nil, list)
}
