package service

import (
	"context"
	"fmt"
	"slices"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// NewConstants are values for constants of a task.
type NewConstants struct {
	Values *stdops.Object // by key with ${ and }
	Early  bool           // only before the start
	Known  bool           // keys that the task does not have are refused, not ignored
}

// SetConstants gives constants of a task new values and returns after the commit (docs/spec/engine.md 4.14). All of them
// are changed or none.
func (s *Service) SetConstants(ctx context.Context, a *Access, id stdops.TaskID, n NewConstants) error {
	task, err := s.task(ctx, a, id)
	if err != nil {
		return err
	}
	if err := a.Require(TaskEdit); err != nil {
		return err
	}
	tree, err := s.tree(ctx, task.TreeHash)
	if err != nil {
		return fmt.Errorf("tree of task %d: %w", id, err)
	}
	text, err := s.store.TaskInputs(ctx, a.ref(id))
	if err != nil {
		return err
	}
	had, err := decodeObject(text)
	if err != nil {
		return fmt.Errorf("values of task %d: %w", id, err)
	}
	values, unknown, err := tree.Revalue(had, n.Values)
	if err != nil {
		return err
	}
	if n.Known && len(unknown) > 0 {
		return stdops.Errorf(stdops.CodeInvalid, "constants: there is none with the key %.64q", unknown[0])
	}
	return s.engine.Do(ctx, a.ref(id), a.command(engine.Command{Kind: engine.SetConstants, Values: values, Early: n.Early}))
}

// TaskConstant is a constant of a task. What is secret is hidden.
type TaskConstant struct {
	flow.Constant      // with the value that the task was given
	Output        bool // it is fed by outputs of nodes
	Set           bool // while the task ran, by an output, or when it was fixed at the start
	Current       any  // what it was set to
	Changeable    bool // whether [Service.SetConstants] would accept another value from this caller now
}

// Constants tells the constants of a task, in the order of its tree: their values as they were given, and what they were set
// to since.
func (s *Service) Constants(ctx context.Context, a *Access, id stdops.TaskID) ([]TaskConstant, error) {
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	batch, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{IDs: []stdops.TaskID{id}})
	if err != nil {
		return nil, err
	}
	if len(batch.Tasks) == 0 || batch.Tasks[0].Task.Deleted {
		return nil, stdops.Errorf(stdops.CodeNotFound, "task %d does not exist", id)
	}
	rows := &batch.Tasks[0]
	set, err := s.store.Variables(ctx, a.ref(id), stdops.RootNode)
	if err != nil {
		return nil, err
	}
	tree, graph, err := s.treeAndGraph(ctx, &rows.Task)
	if err != nil {
		return nil, err
	}
	// After what was set: what became secret since is among them.
	text, err := s.store.TaskInputs(ctx, a.ref(id))
	if err != nil {
		return nil, err
	}
	values, err := decodeObject(text)
	if err != nil {
		return nil, fmt.Errorf("values of task %d: %w", id, err)
	}
	c := toldConstants{graph: graph, hide: graph.SecretsOf(values)}
	if c.set, err = variables(set); err != nil {
		return nil, fmt.Errorf("variables of task %d: %w", id, err)
	}
	if a.Require(TaskEdit) == nil {
		shown := s.project(ctx, rows, batch.Now, false)
		c.begun = rows.Task.Root.State != stdops.StateCreated
		c.open = shown.Problem == nil && !rows.Task.Root.State.Ended() && shown.Status.State != stdops.StateRunning
	}
	return c.list(tree.WithValues(values).Shown()), nil
}

func (s *Service) treeAndGraph(ctx context.Context, task *stdops.Task) (*flow.Tree, *flow.Graph, error) {
	tree, err := s.tree(ctx, task.TreeHash)
	if err != nil {
		return nil, nil, fmt.Errorf("tree of task %d: %w", task.ID, err)
	}
	graph, err := s.Graph(ctx, task.TreeHash)
	if err != nil {
		return nil, nil, fmt.Errorf("tree of task %d: %w", task.ID, err)
	}
	return tree, graph, nil
}

func variables(stored []stdops.Variable) (map[string]any, error) {
	values := make(map[string]any, len(stored))
	for i := range stored {
		value, err := stdops.DecodeValue(stored[i].Value)
		if err != nil {
			return nil, err
		}
		values[stored[i].Key] = value
	}
	return values, nil
}

// toldConstants is what the constants of a task are told from.
type toldConstants struct {
	graph *flow.Graph
	hide  stdops.Secrets
	set   map[string]any // by key without ${ and }
	begun bool
	open  bool // new values are accepted at all
}

func (c *toldConstants) list(tree *flow.Tree) []TaskConstant {
	own := tree.Constants()
	list := make([]TaskConstant, len(own))
	for i, constant := range own {
		key := bareKey(constant.Key)
		def := c.graph.Nodes[stdops.RootNode].Pipeline.Variables[key]
		constant.Value = c.hide.Value(constant.Value)
		list[i] = TaskConstant{
			Constant: constant, Output: def.Output, Changeable: c.open && def.Shown && !def.Output && !(def.PreRender && c.begun),
		}
		value, set := c.set[key]
		if !set {
			continue
		}
		if slices.Contains(c.graph.Secrets, flow.VariableRef{Pipeline: stdops.RootNode, Key: key}) {
			value = stdops.SecretsOf(value).Value(value) // it was put together when the task started
		}
		list[i].Set, list[i].Current = true, c.hide.Value(value)
	}
	return list
}
