package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// Plugin is what an activity of a flow executes.
type Plugin struct {
	Code     string   `json:"code"`
	Versions []string `json:"versions" doc:"Every version that it answers for"`
	Name     string   `json:"name"`
	Group    string   `json:"group,omitempty"`
	Doc      string   `json:"doc,omitempty"`
}

// PluginDetail is a plugin with what it takes and gives.
type PluginDetail struct {
	Plugin
	Inputs  json.RawMessage `json:"inputs" doc:"JSON Schema of its inputs"`
	Outputs json.RawMessage `json:"outputs" doc:"JSON Schema of its outputs"`
}

// PluginList holds the plugins of the server, by code.
type PluginList struct {
	Plugins []Plugin `json:"plugins"`
}

// Plugins lists the plugins of the server.
func (c *Client) Plugins(ctx context.Context) (*PluginList, error) {
	list := &PluginList{}
	return list, c.call(ctx, http.MethodGet, "/plugins", nil, list)
}

// Plugin tells about a plugin; without a version about the one that a tree means which names none.
func (c *Client) Plugin(ctx context.Context, code, version string) (*PluginDetail, error) {
	query, p := url.Values{}, &PluginDetail{}
	set(query, "version", version)
	return p, c.call(ctx, http.MethodGet, asked("/plugins/"+url.PathEscape(code), query), nil, p)
}
