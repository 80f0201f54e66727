package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// MakeChild makes a task of an attempt of a node and starts it, in the name of the executor of the node. The right for it is
// that for the task of the node, which whoever started that one needed (docs/spec/engine.md 7.8). The flow was checked when that task was made.
func (s *Service) MakeChild(ctx context.Context, n plugin.NewChild) (plugin.Child, error) {
	made, err := s.store.Child(ctx, n.Project, n.Of)
	if stdops.ErrorCode(err) == stdops.CodeNotFound {
		made, err = s.newChild(ctx, n)
		if errors.Is(err, stdops.ErrRepeated) { // a call that the server believed to be lost was faster
			made, err = s.store.Child(ctx, n.Project, n.Of)
		}
	}
	if err != nil {
		return plugin.Child{}, err
	}
	return plugin.Child{ID: made.ID, Name: made.Name, URL: s.TaskURL(made.Project, made.ID)}, nil
}

func (s *Service) newChild(ctx context.Context, n plugin.NewChild) (stdops.Task, error) {
	project, err := s.store.Project(ctx, n.Project)
	if err != nil {
		return stdops.Task{}, err
	}
	parent, err := s.store.Task(ctx, stdops.TaskRef{Project: n.Project, Task: n.Of.Task})
	if err != nil {
		return stdops.Task{}, err
	}
	a := &Access{project: project, caller: &Caller{App: parent.App, User: n.Executor}}
	pipeline, _ := n.Flow.Get("pipeline")
	wire, _ := pipeline.(*stdops.Object)
	tree, err := flow.ParseLoose(wire)
	if err != nil {
		return stdops.Task{}, err
	}
	if err := s.checkOwn(tree); err != nil {
		return stdops.Task{}, err
	}
	if err := checkConstants(n.Constants); err != nil {
		return stdops.Task{}, err
	}
	tree.SetConstants(n.Constants)
	name, err := s.childName(ctx, a, n.Flow)
	if err != nil {
		return stdops.Task{}, err
	}
	task := stdops.Task{
		Template: parent.Template, TemplateSource: parent.TemplateSource, CreateMethod: parent.CreateMethod, Parent: n.Of,
	}
	created, err := s.create(ctx, a, NewTask{
		Name: cut(cmp.Or(name, parent.Name)) + s.store.Now().In(s.zoneOf(&project)).Format("_20060102150405"), Category: parent.Category, Start: true,
	}, task, tree)
	if err != nil {
		return stdops.Task{}, err
	}
	return created.Task, nil
}

// checkOwn refuses a flow that no task could be made of. It is that of the tree around it, which was checked and unfolded,
// or one that came with a retry of the node.
func (s *Service) checkOwn(tree *flow.Tree) error {
	if err := tree.Expand(nil, s.treeLimits()); err != nil {
		return err
	}
	if err := tree.ValidateOwn(); err != nil {
		return err
	}
	return s.checkPlugins(tree)
}

// checkConstants refuses values that nest too deep, as those may that were put together from variables: the child could be
// stored, but never be read back.
func checkConstants(values *stdops.Object) error {
	text, err := stdops.EncodeValue(values)
	if err == nil {
		_, err = stdops.DecodeValue(text)
	}
	if err != nil {
		return stdops.Errorf(stdops.CodeInvalid, "constants of the subprocess: %w", err)
	}
	return nil
}

// longestChildName is how many characters of the name of its flow the name of a child begins with.
const longestChildName = 80

func cut(name string) string {
	runes := []rune(name)
	return string(runes[:min(len(runes), longestChildName)])
}

// childName gives the name of the flow that a child runs: that of the stored one, if it is still there, or of the node.
func (s *Service) childName(ctx context.Context, a *Access, child *stdops.Object) (string, error) {
	id, _ := child.Get("template_id")
	number, _ := id.(int64)
	if text, ok := id.(string); ok {
		number, _ = strconv.ParseInt(text, 10, 64)
	}
	name := child.Text("subprocess_name")
	if number == 0 {
		return name, nil
	}
	stored, _, err := s.store.Template(ctx, a.templateOf(child.Text("template_source"), stdops.TemplateID(number)), "")
	if stdops.ErrorCode(err) == stdops.CodeNotFound {
		return name, nil
	}
	if err != nil {
		return "", fmt.Errorf("name of template %d: %w", number, err)
	}
	return stored.Name, nil
}

// mostChildrenListed bounds how many children a task is shown with.
const mostChildrenListed = 1000

// Children lists the tasks that nodes of a task made, oldest first.
func (s *Service) Children(ctx context.Context, a *Access, id stdops.TaskID) ([]stdops.TaskID, error) {
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	return s.store.Children(ctx, a.ref(id), mostChildrenListed)
}
