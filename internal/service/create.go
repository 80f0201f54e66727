package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/fail"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// The sources of the tree of a task.
const (
	SourceProject = "project"
	SourceCommon  = "common"
	SourceOnetime = "onetime"
)

// DefaultCategory is that of flows and tasks of which nothing is said.
const DefaultCategory = "Default"

// NewTask is a task to be made, whatever its tree comes from.
type NewTask struct {
	Name        string
	Description string
	Category    string          // "" means DefaultCategory
	FlowType    stdops.FlowType // "" means common
	Start       bool            // create and start in one commit
}

// CreatedTask is a task that was just made, with its tree as callers see it.
type CreatedTask struct {
	Task stdops.Task
	URL  string
	Tree *stdops.Object
}

// FastCreateTask makes a task of a tree of its own. Bad trees are refused before the permission is looked at, as in
// bk-sops.
func (s *Service) FastCreateTask(ctx context.Context, a *Access, n NewTask, wire *stdops.Object) (*CreatedTask, error) {
	tree, err := flow.ParseLoose(wire)
	if err != nil {
		return nil, because(ErrInvalidTree, err)
	}
	if err := s.unfold(ctx, a, tree); err != nil {
		return nil, err
	}
	tree.KeepMeta()
	if err := s.check(tree); err != nil {
		return nil, err
	}
	if err := a.Require(FastCreateTask); err != nil {
		return nil, err
	}
	return s.create(ctx, a, n, stdops.Task{TemplateSource: SourceOnetime}, tree)
}

// unfold puts stored flows in the place of the subprocesses that refer to them.
func (s *Service) unfold(ctx context.Context, a *Access, tree *flow.Tree) error {
	load := func(ref flow.ChildRef) (*flow.Tree, error) { return s.childTree(ctx, a, ref) }
	return because(ErrInvalidTree, tree.Expand(load, s.treeLimits()))
}

func (s *Service) treeLimits() flow.Limits {
	return flow.Limits{Nodes: int(s.limits.Nodes), Nesting: int(s.limits.Nesting)}
}

// check refuses a tree that could not run: everything that the reference finds at the start is found here.
func (s *Service) check(tree *flow.Tree) error {
	if err := tree.Validate(); err != nil {
		return because(ErrInvalidTree, err)
	}
	return s.checkPlugins(tree)
}

func unknownPlugin(p flow.PluginRef) string {
	return fmt.Sprintf("plugin %s (version %s) is not registered", p.Code, p.Version)
}

// checkPlugins refuses a tree with a plugin that is not registered, naming the first.
func (s *Service) checkPlugins(tree *flow.Tree) error {
	for _, p := range tree.Plugins() {
		if s.plugins.Find(p.Code, p.Version) == nil {
			return &stdops.Error{Code: stdops.CodeInvalid, Err: ErrNotRunnable, Message: p.Path + ": " + unknownPlugin(p)}
		}
	}
	return nil
}

// Why a tree is refused, for callers of this package whose texts differ by it: the refusals wrap one of these.
var (
	ErrInvalidTree     = errors.New("the tree breaks a rule")
	ErrNotRunnable     = errors.New("the tree could not run here")
	ErrForeignTemplate = errors.New("a subprocess refers to a flow that the project does not have")
	ErrInvalidYAML     = errors.New("the YAML is none, or says nothing that a flow is made of")
	ErrSelection       = errors.New("nodes can not be selected so")
)

// because marks a refusal with its reason; errors that are no refusals, or have a reason, stay what they are. A breach of
// a rule of execution is marked as that, wherever it was found.
func because(reason, err error) error {
	var refusal *stdops.Error
	runtime := errors.Is(err, flow.ErrRuntimeRule)
	if !errors.As(err, &refusal) || refusal.Code != stdops.CodeInvalid || refusal.Err != nil && !runtime {
		return err
	}
	if runtime {
		reason = ErrNotRunnable
	}
	return &stdops.Error{Code: refusal.Code, Message: refusal.Message, Fields: refusal.Fields, Err: reason}
}

// create stores a task of a checked tree: the values of its constants with the task, the tree without them once for all
// tasks of the same tree.
func (s *Service) create(ctx context.Context, a *Access, n NewTask, task stdops.Task, tree *flow.Tree) (*CreatedTask, error) {
	if n.Start && n.FlowType == stdops.FlowFunctional { // somebody has to claim it first
		return nil, stdops.Errorf(stdops.CodeRefused, "task with current_flow:func_claim cannot be started")
	}
	values := tree.TakeValues()
	body, err := tree.Body()
	if err != nil {
		return nil, fmt.Errorf("write tree: %w", err)
	}
	graph, err := flow.CompileAs(tree, flow.Hash(body))
	if err != nil {
		return nil, because(ErrInvalidTree, err)
	}
	inputs, err := values.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("write values of constants: %w", err)
	}
	if most := s.limits.Variables; int64(len(inputs)) > most {
		return nil, because(ErrNotRunnable, stdops.Errorf(stdops.CodeInvalid,
			"constants: their values have %d bytes together, the limit is %d", len(inputs), most))
	}
	s.describe(a, n, &task, graph)
	record := store.NewTask{Task: task, Body: body, Skeleton: flow.EncodeSkeleton(graph.Skeleton()), Inputs: inputs, Key: a.making(inputs)}
	var first *stdops.Change
	if n.Start {
		record.Start = func(t stdops.Task) (_ *stdops.Change, err error) {
			first, err = s.engine.Begin(ctx, t, graph, values, a.caller.User)
			return first, err
		}
	}
	fail.Point("create.storing")
	stored, err := s.store.CreateTask(ctx, record)
	if err != nil {
		return nil, err
	}
	fail.Point("create.stored")
	s.keep(graph)
	if n.Start {
		s.engine.Adopt(first)
	}
	fail.Point("create.answering")
	return &CreatedTask{
		Task: stored, URL: s.TaskURL(stored.Project, stored.ID), Tree: tree.WithValues(values).Shown().Echo(flow.TaskIDs(stored.ID)),
	}, nil
}

func (s *Service) describe(a *Access, n NewTask, task *stdops.Task, graph *flow.Graph) {
	task.Project, task.TreeHash = a.project.ID, graph.Hash
	task.Name, task.Description, task.Category = n.Name, n.Description, cmp.Or(n.Category, DefaultCategory)
	task.FlowType = n.FlowType
	if task.FlowType == "" {
		task.FlowType = stdops.FlowCommon
	}
	task.CreateMethod = cmp.Or(task.CreateMethod, "api")
	task.App, task.Creator = a.caller.App, a.caller.User
	task.Created = s.store.Now()
	task.Root.State = stdops.StateCreated
}
