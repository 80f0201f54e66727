package v1

import (
	"context"
	"encoding/json"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

type createTaskInput struct {
	ProjectPath
	KeyHeader
	Body client.NewTask
}

func (s *server) createTask(ctx context.Context, a *service.Access, in *createTaskInput) (*body[client.Task], error) {
	n := &in.Body
	if err := plainName(n.Name); err != nil {
		return nil, err
	}
	if absent(n.Tree) == (n.Flow == 0) {
		return nil, stdops.Errorf(stdops.CodeInvalid, "either tree or flow must be given")
	}
	constants, err := constantsOf(n.Constants)
	if err != nil {
		return nil, err
	}
	if len(n.Schemes) > 0 && n.Flow == 0 {
		return nil, stdops.Errorf(stdops.CodeInvalid, "schemes belong to a flow, and there is none")
	}
	task := service.NewTask{
		Name: n.Name, Description: n.Description, FlowType: stdops.FlowType(n.FlowType), Start: n.Start,
	}
	if n.Start && task.FlowType == stdops.FlowFunctional {
		return nil, stdops.Errorf(stdops.CodeInvalid, "a task of type %s waits to be claimed; it can not be started at once", n.FlowType)
	}
	var made *service.CreatedTask
	if n.Flow != 0 {
		made, err = s.createOfFlow(ctx, a, service.TemplateTask{
			NewTask: task, Template: stdops.TemplateID(n.Flow), Source: service.SourceProject, Constants: constants, SchemeNames: n.Schemes,
		})
	} else {
		made, err = s.createOfTree(ctx, a, task, n.Tree, constants)
	}
	if err != nil {
		return nil, err
	}
	return s.oneTask(ctx, a, made.Task.ID, false)
}

func (s *server) createOfFlow(ctx context.Context, a *service.Access, n service.TemplateTask) (*service.CreatedTask, error) {
	use, err := s.svc.UseTemplate(ctx, a, n.Template, false)
	if err != nil {
		return nil, err
	}
	for _, key := range n.Constants.Keys() {
		if !use.HasConstant(key) {
			return nil, noConstant(key)
		}
	}
	return s.svc.CreateTask(ctx, use, n)
}

// createOfTree looks at the permission first: unlike for the compatible API, nothing has to be said about a tree to those
// who may not use it.
func (s *server) createOfTree(ctx context.Context, a *service.Access, n service.NewTask, text json.RawMessage, constants *stdops.Object) (*service.CreatedTask, error) {
	if err := a.Require(service.FastCreateTask); err != nil {
		return nil, err
	}
	tree, err := treeOf(text)
	if err != nil {
		return nil, err
	}
	if err := setConstants(tree, constants); err != nil {
		return nil, err
	}
	return s.svc.FastCreateTask(ctx, a, n, tree)
}

// constantsOf reads values by key, sorted by the decoder's map: their order means nothing.
func constantsOf(given map[string]json.RawMessage) (*stdops.Object, error) {
	constants := &stdops.Object{}
	for key, text := range given {
		value, err := stdops.DecodeValue(text)
		if err != nil {
			return nil, stdops.Errorf(stdops.CodeInvalid, "constants.%.64s: %s", key, err)
		}
		constants.Set(key, value)
	}
	return constants, nil
}

// setConstants puts values into a tree. The tree was just decoded, so nobody else sees it yet.
func setConstants(tree, values *stdops.Object) error {
	had, _ := tree.Get("constants")
	constants, _ := had.(*stdops.Object)
	for _, key := range values.Keys() {
		found, _ := constants.Get(key)
		constant, ok := found.(*stdops.Object)
		if !ok {
			return noConstant(key)
		}
		value, _ := values.Get(key)
		constant.Set("value", value)
	}
	return nil
}

func noConstant(key string) error {
	return stdops.Errorf(stdops.CodeInvalid, "constants: there is none with the key %.64q", key)
}
