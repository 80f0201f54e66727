package v1

import (
	"context"
	"fmt"
	"net/http"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// logs adds what can be done with logs of nodes.
func (s *server) logs() {
	const path = "/projects/{project}/tasks/{id}/nodes/{node}/log"
	addIn(s, route{method: http.MethodGet, path: path, id: "get-node-log", about: "A part of the log of a node", needs: needs(service.TaskView)}, s.nodeLog)
	addIn(s, route{method: http.MethodGet, path: path + ".txt", id: "download-node-log", about: "The log of a node as a file", needs: needs(service.TaskView)}, s.nodeLogFile)
}

// NodePath is the path of a route about one node, with the attempt that is meant.
type NodePath struct {
	TaskPath
	Node    string `path:"node" maxLength:"1000" doc:"The id of the node, or its name where only one node has it"`
	Attempt int    `query:"attempt" minimum:"0" doc:"The number of the attempt, from 1; without it the newest one"`
}

type nodeLogInput struct {
	NodePath
	From  int64 `query:"from" minimum:"0" doc:"Where to begin: next of an earlier answer about the same attempt"`
	Tail  int   `query:"tail" minimum:"1" maximum:"1000" doc:"Begins at so many of the last lines, in place of from"`
	Limit int   `query:"limit" minimum:"1024" maximum:"2097152" default:"262144" doc:"How many bytes an answer has at most"`
}

func (s *server) nodeLog(ctx context.Context, a *service.Access, in *nodeLogInput) (*body[client.NodeLog], error) {
	if in.Tail > 0 && in.From > 0 {
		return nil, stdops.Errorf(stdops.CodeInvalid, "either from or tail says where to begin")
	}
	log, err := s.readLog(ctx, a, &in.NodePath, service.LogQuery{From: in.From, Limit: in.Limit, Tail: in.Tail})
	if err != nil {
		return nil, err
	}
	return answer(client.NodeLog{
		Node: log.Node, Attempt: log.Attempt, Attempts: log.Attempts, Text: log.Text, Next: log.Next, Size: log.Size,
		Complete: log.Complete,
	}), nil
}

func (s *server) readLog(ctx context.Context, a *service.Access, of *NodePath, q service.LogQuery) (*service.NodeLog, error) {
	id := stdops.TaskID(of.ID)
	node, err := s.svc.NodeNamed(ctx, a, id, of.Node)
	if err != nil {
		return nil, err
	}
	q.Node, q.Attempt = node, of.Attempt
	log, err := s.svc.NodeLog(ctx, a, id, q)
	if err == nil && log.Attempt < of.Attempt {
		return nil, stdops.Errorf(stdops.CodeNotFound, "the node has %d attempts, there is no attempt %d", log.Attempts, of.Attempt)
	}
	return log, err
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
