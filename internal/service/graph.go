package service

import (
	"context"
	"fmt"
	"slices"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
)

// Drawing is the graph of a task, which all tasks of its tree share.
type Drawing struct {
	Tree  string      // hash
	Nodes []DrawnNode // by index, without the root; nil when the caller has this tree
	Edges []DrawnEdge // by index
	Known bool        // the caller has the tree: nothing but its hash is given
}

// DrawnNode is a node of a [Drawing].
type DrawnNode struct {
	Index                stdops.NodeIndex
	Kind                 stdops.NodeKind
	Name, Plugin         string
	Parent               stdops.NodeIndex
	Retryable, Skippable bool // when it has failed
	flow.SketchNode
}

// DrawnEdge is a flow of a [Drawing].
type DrawnEdge struct {
	Index     stdops.FlowIndex
	From, To  stdops.NodeIndex
	Name      string
	Condition string
	Default   bool
}

// Drawing gives the graph of a task, unless known is the hash of its tree.
func (s *Service) Drawing(ctx context.Context, a *Access, id stdops.TaskID, known func(tree string) bool) (*Drawing, error) {
	task, err := s.task(ctx, a, id)
	if err != nil {
		return nil, err
	}
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	d := &Drawing{Tree: task.TreeHash}
	if known(d.Tree) {
		d.Known = true
		return d, nil
	}
	graph, err := s.Graph(ctx, task.TreeHash)
	if err != nil {
		return nil, fmt.Errorf("tree of task %d: %w", id, err)
	}
	tree, err := s.tree(ctx, task.TreeHash)
	if err != nil {
		return nil, fmt.Errorf("tree of task %d: %w", id, err)
	}
	d.draw(graph, flow.SketchOf(tree), s.plugins)
	return d, nil
}

func (d *Drawing) draw(g *flow.Graph, sketch *flow.Sketch, plugins engine.Plugins) {
	failed := &stdops.NodeState{State: stdops.StateFailed}
	d.Edges = make([]DrawnEdge, len(g.Flows))
	for i, f := range g.Flows {
		d.Edges[i] = DrawnEdge{Index: stdops.FlowIndex(i), From: f.Source, To: f.Target, Name: sketch.Flows[i]}
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		for _, b := range n.Branches {
			d.Edges[b.Flow].Condition = b.Evaluate
		}
		if n.Default != nil {
			d.Edges[n.Default.Flow].Default = true
		}
		if i == int(stdops.RootNode) {
			continue
		}
		actions := engine.NodeActions(&engine.Standing{
			Graph: g, Plugins: plugins, Root: stdops.StateRunning, Node: stdops.NodeIndex(i), Own: failed,
		})
		drawn := DrawnNode{
			Index: stdops.NodeIndex(i), Kind: n.Kind, Name: n.Name, Parent: n.Parent, SketchNode: sketch.Nodes[i],
			Retryable: slices.Contains(actions, engine.Retry), Skippable: slices.Contains(actions, engine.Skip),
		}
		if n.Activity != nil {
			drawn.Plugin = n.Activity.Code
		}
		d.Nodes = append(d.Nodes, drawn)
	}
}
