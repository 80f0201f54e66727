package v1

import (
	"context"
	"encoding/json"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

type commandInput struct {
	TaskPath
	KeyHeader
	RunParam
	Body client.Command
}

// nodeActions are the commands for a node, by the words of this API. Two are carried out apart: a callback alone has data
// of any kind and a version, and branches can be named by the nodes that they lead to.
var nodeActions = map[string]string{
	"retry": "retry", "skip": "skip", "skip-branch": "skip_exg", "callback": "callback", "force-fail": "forced_fail",
	"pause-node": "pause", "resume-node": "resume", "pause-subprocess": "pause_subproc", "resume-subprocess": "resume_subproc",
	"retry-subprocess": "retry_subprocess",
}

// wireActions are the words of this API for the actions on nodes. Both kinds of gateways are skipped along branches.
var wireActions = func() map[string]string {
	words := map[string]string{"skip_cpg": "skip-branch"}
	for word, action := range nodeActions {
		words[action] = word
	}
	return words
}()

func (s *server) command(ctx context.Context, a *service.Access, in *commandInput) (*body[client.Task], error) {
	id, cmd := stdops.TaskID(in.ID), &in.Body
	if err := fits(cmd); err != nil {
		return nil, err
	}
	if err := s.carryOut(ctx, a, id, cmd); err != nil {
		return nil, err
	}
	return s.oneTask(ctx, a, id, in.Run)
}

// carryOut does what a command says.
func (s *server) carryOut(ctx context.Context, a *service.Access, id stdops.TaskID, cmd *client.Command) error {
	if cmd.Reason != "" {
		a = a.Because(cmd.Reason)
	}
	if action, ofNode := nodeActions[cmd.Command]; ofNode {
		return s.operateNode(ctx, a, id, action, cmd)
	}
	return s.svc.OperateTask(ctx, a, id, cmd.Command)
}

// fits refuses parameters that a command does not have, rather than leave them unheard.
func fits(cmd *client.Command) error {
	_, ofNode := nodeActions[cmd.Command]
	switch {
	case ofNode && cmd.Node == "":
		return stdops.Errorf(stdops.CodeInvalid, "%s needs a node", cmd.Command)
	case !ofNode && cmd.Node != "":
		return stdops.Errorf(stdops.CodeInvalid, "%s is for the task as a whole; it takes no node", cmd.Command)
	case cmd.Command != "retry" && !absent(cmd.Inputs):
		return stdops.Errorf(stdops.CodeInvalid, "%s takes no inputs", cmd.Command)
	case (cmd.Command == "skip-branch") != (len(cmd.Branches) > 0):
		return stdops.Errorf(stdops.CodeInvalid, "skip-branch needs branches, and nothing else takes any")
	case cmd.Command != "callback" && (!absent(cmd.Data) || cmd.Version != ""):
		return stdops.Errorf(stdops.CodeInvalid, "%s takes neither data nor version", cmd.Command)
	}
	return nil
}

func (s *server) operateNode(ctx context.Context, a *service.Access, id stdops.TaskID, action string, cmd *client.Command) error {
	node, err := s.svc.NodeNamed(ctx, a, id, cmd.Node)
	if err != nil {
		return err
	}
	switch action {
	case "skip_exg":
		return s.svc.SkipBranches(ctx, a, id, node, cmd.Branches)
	case "callback":
		data, err := dataOf(cmd.Data)
		if err != nil {
			return err
		}
		return s.svc.CallBack(ctx, a, id, service.Callback{Node: node, Version: stdops.Version(cmd.Version), Data: data})
	}
	command := service.NodeCommand{Node: node, Action: action}
	if !absent(cmd.Inputs) {
		command.Inputs = &stdops.Object{}
		if err := command.Inputs.UnmarshalJSON(cmd.Inputs); err != nil {
			return stdops.Errorf(stdops.CodeInvalid, "inputs: %s", err)
		}
	}
	return s.svc.OperateNode(ctx, a, id, command)
}

// dataOf reads the data of a callback; without any it is an empty object.
func dataOf(text json.RawMessage) (any, error) {
	if absent(text) {
		return &stdops.Object{}, nil
	}
	data, err := stdops.DecodeValue(text)
	if err != nil {
		return nil, stdops.Errorf(stdops.CodeInvalid, "data: %s", err)
	}
	return data, nil
}
