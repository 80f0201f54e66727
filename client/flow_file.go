package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// The formats of files with flows.
const (
	FormatBundle = "dat"
	FormatYAML   = "yaml"
)

// FlowFile is a file with flows.
type FlowFile struct {
	Format string `json:"format" enum:"dat,yaml" doc:"dat: a bundle of bk-sops"`
	Text   string `json:"text" doc:"What is in the file"`
}

// FlowImport is a file with flows that are to be stored.
type FlowImport struct {
	FlowFile
	Common   bool `json:"common,omitempty" doc:"Store them as flows that belong to no project; for administrators"`
	Override bool `json:"override,omitempty" doc:"Of a bundle of common flows: replace those that have the same ids"`
}

// ImportedFlow is a flow that an import has stored.
type ImportedFlow struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Version  string `json:"version"`
	Replaced bool   `json:"replaced,omitempty" doc:"Whether it was there before"`
}

// Imported is what an import has stored: parents after what they refer to.
type Imported struct {
	Flows    []ImportedFlow `json:"flows"`
	Warnings []Warning      `json:"warnings,omitempty"`
}

// The severities of findings.
const (
	Blocks  = "blocks"
	Differs = "differs"
	Lost    = "lost"
)

// Finding is something in a file that is not supported.
type Finding struct {
	Flow     string `json:"flow" doc:"Its name"`
	Severity string `json:"severity" enum:"blocks,differs,lost" doc:"blocks: the flow or a node would not run; differs: it would run, perhaps not as elsewhere; lost: a setting is not kept"`
	Path     string `json:"path,omitempty" doc:"Where in the tree, or the name of a setting"`
	Message  string `json:"message"`
}

// ImportCheck tells what of a file is covered.
type ImportCheck struct {
	Flows    int       `json:"flows"`
	Nodes    int       `json:"nodes"`
	Runs     bool      `json:"runs" doc:"Whether nothing blocks"`
	Findings []Finding `json:"findings"`
}

// ImportFlows stores the flows of a file, all of them or none.
func (c *Client) ImportFlows(ctx context.Context, project int64, n FlowImport) (*Imported, error) {
	made := &Imported{}
	return made, c.call(ctx, http.MethodPost, flowPath(project)+"/import", n, made)
}

// CheckFlows tells what of a file is covered, and stores nothing.
func (c *Client) CheckFlows(ctx context.Context, project int64, n FlowImport) (*ImportCheck, error) {
	check := &ImportCheck{}
	return check, c.call(ctx, http.MethodPost, flowPath(project)+"/check", n, check)
}

// FlowExport says which flows are to be written into a file.
type FlowExport struct {
	IDs    []int64
	Format string // "" means FormatBundle
	Common bool   // they belong to no project
}

// ExportFlows writes flows, and all that they refer to, into a file.
func (c *Client) ExportFlows(ctx context.Context, project int64, e FlowExport) (*FlowFile, error) {
	query := url.Values{}
	for _, id := range e.IDs {
		query.Add("id", strconv.FormatInt(id, 10))
	}
	if e.Format != "" {
		query.Set("format", e.Format)
	}
	if e.Common {
		query.Set("common", "true")
	}
	file := &FlowFile{}
	return file, c.call(ctx, http.MethodGet, fmt.Sprintf("%s/export?%s", flowPath(project), query.Encode()), nil, file)
}
