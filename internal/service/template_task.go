package service

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// TemplateTask is a task to be made of a stored flow.
type TemplateTask struct {
	NewTask
	Template    stdops.TemplateID
	Common      bool           // the flow belongs to no project
	Source      string         // the caller's word for where the flow is from, stored with the task
	Constants   *stdops.Object // values by key with ${ and }; unknown keys are ignored
	Exclude     []string       // activities to leave out, by their ids in the flow
	Execute     []string       // activities to keep; when there are any, Exclude does not count
	Schemes     []string       // ids of execution schemes; when there are any, Execute and Exclude do not count
	SchemeNames []string       // the same by their names; when there are any, Schemes do not count
	Simplified  []string       // custom constants that become plain texts
}

// Use is the right to make tasks of a stored flow.
type Use struct {
	access *Access
	ref    store.TemplateRef
	stored store.Template
	tree   *flow.Tree
}

// RequireUse refuses a caller who may not make tasks of the project's flows, or of common ones.
func (a *Access) RequireUse(common bool) error {
	if common {
		return a.Require(CommonFlowCreateTask)
	}
	return a.Require(FlowCreateTask)
}

// UseTemplate finds a stored flow to make tasks of.
func (s *Service) UseTemplate(ctx context.Context, a *Access, id stdops.TemplateID, common bool) (*Use, error) {
	if err := a.RequireUse(common); err != nil {
		return nil, err
	}
	source := SourceProject
	if common {
		source = SourceCommon
	}
	ref := a.templateOf(source, id)
	stored, tree, err := s.loadTemplate(ctx, ref, "")
	if err != nil {
		return nil, err
	}
	return &Use{access: a, ref: ref, stored: stored, tree: tree}, nil
}

// CreateTask makes a task of a stored flow: subprocesses are unfolded, nodes selected, and the rest is checked.
func (s *Service) CreateTask(ctx context.Context, u *Use, t TemplateTask) (*CreatedTask, error) {
	if err := s.unfold(ctx, u.access, u.tree); err != nil {
		return nil, err
	}
	exclude, err := s.leftOut(ctx, u, &t)
	if err != nil {
		return nil, err
	}
	if _, err := u.tree.Select(exclude); err != nil {
		return nil, because(ErrSelection, err)
	}
	u.tree.Simplify(t.Simplified)
	u.tree.ChooseDefaults()
	return s.createFrom(ctx, u, t, u.tree)
}

// CreateTaskWithTree makes a task of a stored flow with another tree in place of the stored one.
func (s *Service) CreateTaskWithTree(ctx context.Context, u *Use, t TemplateTask, wire *stdops.Object) (*CreatedTask, error) {
	tree, err := flow.Parse(wire)
	if err != nil {
		return nil, because(ErrInvalidTree, err)
	}
	if err := s.unfold(ctx, u.access, tree); err != nil {
		return nil, err
	}
	tree.KeepMeta()
	return s.createFrom(ctx, u, t, tree)
}

func (s *Service) createFrom(ctx context.Context, u *Use, t TemplateTask, tree *flow.Tree) (*CreatedTask, error) {
	tree.SetConstants(t.Constants)
	if err := s.check(tree); err != nil {
		return nil, err
	}
	task := stdops.Task{Template: u.stored.ID, TemplateSource: t.Source}
	if t.Category == "" {
		t.Category = u.stored.Category
	}
	created, err := s.create(ctx, u.access, t.NewTask, task, tree)
	if err != nil && !isRefusal(err) {
		return nil, fmt.Errorf("make task of template %d: %w", u.stored.ID, err)
	}
	return created, err
}
