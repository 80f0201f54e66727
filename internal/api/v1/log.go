package v1

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// logs adds what can be done with logs of nodes.
func (s *server) logs() {
	const path = "/projects/{project}/tasks/{id}/nodes/{node}/log"
	addIn(s, route{
		method: http.MethodGet, path: path, id: "get-node-log", about: "A part of the log of a node, all of it as it grows, or what is found in it",
		needs: needs(service.TaskView), watches: true,
	}, s.nodeLog)
	addIn(s, route{method: http.MethodGet, path: path + ".txt", id: "download-node-log", about: "The log of a node as a file", needs: needs(service.TaskView)}, s.nodeLogFile)
	s.describeLog(s.api.OpenAPI().Paths[prefix+path].Get)
}

func (s *server) describeLog(op *huma.Operation) {
	registry := s.api.OpenAPI().Components.Schemas
	op.Description = "With `Accept: text/event-stream` a stream of the events log, ping and end: first the part that was asked for, then what is " +
		"added, until the attempt has ended. The id of an event goes on after it when it is sent as `Last-Event-ID`, to any process of the " +
		"server; from, tail and line do not count then. A node that has not run is waited for. With `search` the lines in which a text is " +
		"found, from the beginning of the log on; an answer looks through limit bytes, 65,536 at least, and tells how far it came."
	ok := op.Responses["200"]
	ok.Description = "A part of the log, or what was found in it"
	ok.Content = map[string]*huma.MediaType{
		"application/json": {Schema: &huma.Schema{OneOf: []*huma.Schema{schemaOf[client.NodeLog](registry), schemaOf[client.LogHits](registry)}}},
		eventStream: {Schema: eventsSchema(map[string]*huma.Schema{
			client.EventLog:  schemaOf[client.NodeLog](registry),
			client.EventPing: schemaOf[client.WatchedPing](registry),
			client.EventEnd:  schemaOf[client.WatchedLogEnd](registry),
		})},
	}
}

// NodePath is the path of a route about one node, with the attempt that is meant.
type NodePath struct {
	TaskPath
	Node    string `path:"node" maxLength:"1000" doc:"The id of the node, or its name where only one node has it"`
	Attempt int    `query:"attempt" minimum:"0" doc:"The number of the attempt, from 1; without it the newest one"`
}

type nodeLogInput struct {
	NodePath
	From   int64  `query:"from" minimum:"0" doc:"Where to begin: next of an earlier answer about the same attempt"`
	Tail   int    `query:"tail" minimum:"1" maximum:"1000" doc:"Begins at so many of the last lines, in place of from: those of them that limit has room for from their beginning on"`
	Line   int64  `query:"line" minimum:"1" doc:"Begins at the line of this number, in place of from; at the end of a log that has fewer"`
	Limit  int    `query:"limit" minimum:"1024" maximum:"2097152" default:"262144" doc:"How many bytes an answer has, or an event, at most"`
	Search string `query:"search" minLength:"1" maxLength:"1000" doc:"A text, in any case: what is answered are the lines in which it is found"`
	Cursor string `query:"cursor" maxLength:"100" doc:"Of an earlier answer to the same search: goes on after that"`
	Last   string `header:"Last-Event-ID" maxLength:"100" doc:"Of a stream: the id of the last event that was read"`
	Accept string `header:"Accept" maxLength:"1000"`
}

func (s *server) nodeLog(ctx context.Context, a *service.Access, in *nodeLogInput) (*huma.StreamResponse, error) {
	begins := 0
	for _, given := range []bool{in.From > 0, in.Tail > 0, in.Line > 0} {
		if given {
			begins++
		}
	}
	switch stream := strings.Contains(in.Accept, eventStream); {
	case begins > 1:
		return nil, stdops.Errorf(stdops.CodeInvalid, "only one of from, tail and line says where to begin")
	case in.Search != "" && begins > 0:
		return nil, stdops.Errorf(stdops.CodeInvalid, "a search begins at the beginning, or where cursor says")
	case in.Search == "" && in.Cursor != "":
		return nil, stdops.Errorf(stdops.CodeInvalid, "cursor goes on with a search: say what to search")
	case in.Search != "":
		return s.searchLog(ctx, a, in)
	case stream:
		return s.streamLog(ctx, a, in)
	}
	log, err := s.readLog(ctx, a, &in.NodePath, in.query())
	if err != nil {
		return nil, err
	}
	return asJSON(wireLog(log)), nil
}

func (in *nodeLogInput) query() service.LogQuery {
	return service.LogQuery{From: in.From, Limit: in.Limit, Tail: in.Tail, Line: in.Line}
}

func wireLog(log *service.NodeLog) client.NodeLog {
	l := client.NodeLog{
		Node: log.Node, Attempt: log.Attempt, Attempts: log.Attempts, Text: log.Text, From: log.From, Line: log.Line, Next: log.Next,
		Size: log.Size, Complete: log.Complete,
	}
	for _, t := range log.Times {
		l.Times = append(l.Times, client.LogTime(t))
	}
	return l
}

// asJSON is the answer of a route that has answers of several kinds.
func asJSON(v any) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/json")
		_ = strict.Marshal(ctx.BodyWriter(), v) // a reader that went away is no concern of ours
	}}
}

func (s *server) readLog(ctx context.Context, a *service.Access, of *NodePath, q service.LogQuery) (*service.NodeLog, error) {
	node, err := s.svc.NodeNamed(ctx, a, stdops.TaskID(of.ID), of.Node)
	if err != nil {
		return nil, err
	}
	q.Node, q.Attempt = node, of.Attempt
	log, err := s.svc.NodeLog(ctx, a, stdops.TaskID(of.ID), q)
	if err != nil {
		return nil, err
	}
	return log, of.has(log.Attempt, log.Attempts)
}

// has refuses an attempt that there is not.
func (p *NodePath) has(found, attempts int) error {
	if found < p.Attempt {
		return stdops.Errorf(stdops.CodeNotFound, "the node has %d attempts, there is no attempt %d", attempts, p.Attempt)
	}
	return nil
}

// file is an answer that a browser keeps and never shows: what a flow has written is not ours to interpret.
type file struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (s *server) nodeLogFile(ctx context.Context, a *service.Access, in *NodePath) (*file, error) {
	log, err := s.readLog(ctx, a, in, service.LogQuery{Limit: service.WholeLog})
	if err != nil {
		return nil, err
	}
	return &file{
		Type: "text/plain; charset=utf-8", Body: []byte(log.Text),
		Disposition: fmt.Sprintf(`attachment; filename="task-%d-%s-attempt-%d.txt"`, in.ID, log.Node, log.Attempt),
	}, nil
}
