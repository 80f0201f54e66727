package client

import (
	"context"
	"net/http"
)

// Version says what runs.
type Version struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
}

// Me is who the server takes the caller for.
type Me struct {
	User     string `json:"user"`
	Admin    bool   `json:"admin"`
	Local    bool   `json:"local,omitempty" doc:"Asked through the socket of the data directory"`
	TimeZone string `json:"time_zone" doc:"Of the server"`
}

// Limit bounds what one request or one task may take.
type Limit struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
	Unit  string `json:"unit"`
	About string `json:"about"`
}

// LimitList holds all limits.
type LimitList struct {
	Limits []Limit `json:"limits"`
}

// Version says what the server runs.
func (c *Client) Version(ctx context.Context) (*Version, error) {
	v := &Version{}
	return v, c.call(ctx, http.MethodGet, "/version", nil, v)
}

// Me tells who the caller is.
func (c *Client) Me(ctx context.Context) (*Me, error) {
	m := &Me{}
	return m, c.call(ctx, http.MethodGet, "/me", nil, m)
}

// Limits lists the limits of the server.
func (c *Client) Limits(ctx context.Context) (*LimitList, error) {
	list := &LimitList{}
	return list, c.call(ctx, http.MethodGet, "/limits", nil, list)
}

// DrainPath is where a server is asked to drain, through the socket of its data directory only.
const DrainPath = base + "/drain"

// Drained is what a server that has drained left for the next start.
type Drained struct {
	CallsCutOff int `json:"calls_cut_off"` // of plugins, which did not end in time
	LiveTasks   int `json:"live_tasks"`    // that go on, or wait for somebody
}

// Drain lets the server begin nothing new, end what is out and stop. The answer comes when the server is gone: its data
// directory and its address are free then.
func (c *Client) Drain(ctx context.Context) (*Drained, error) {
	d := &Drained{}
	return d, c.call(ctx, http.MethodPost, "/drain", nil, d)
}
