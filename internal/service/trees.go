package service

import (
	"context"
	"fmt"

	"github.com/maypok86/otter/v2"

	"github.com/stdops/stdops/internal/flow"
)

// graphCache bounds the cached graphs by their nodes: up to about a kilobyte each.
const graphCache = 200_000

// TreeBodies is where the stored bodies of trees come from; the store is one.
type TreeBodies interface {
	TaskTree(ctx context.Context, hash string) ([]byte, error)
}

// Trees gives compiled graphs by the hash of their tree. A graph never changes, so one copy serves all tasks of a tree,
// for the engine and for the use-cases alike.
type Trees struct {
	bodies TreeBodies
	graphs *otter.Cache[string, *flow.Graph]
}

// NewTrees makes an empty cache over the stored trees.
func NewTrees(bodies TreeBodies) (*Trees, error) {
	graphs, err := otter.New(&otter.Options[string, *flow.Graph]{
		MaximumWeight: graphCache,
		Weigher:       func(_ string, g *flow.Graph) uint32 { return uint32(len(g.Nodes)+g.Inside) + 1 },
		Executor:      func(work func()) { work() }, // no goroutine of which nobody knows when it ends
	})
	if err != nil {
		return nil, fmt.Errorf("make graph cache: %w", err)
	}
	return &Trees{bodies: bodies, graphs: graphs}, nil
}

// Graph gives the graph of a tree. Callers that ask for the same one at the same time wait for one compilation.
func (t *Trees) Graph(ctx context.Context, hash string) (*flow.Graph, error) {
	return t.graphs.Get(ctx, hash, otter.LoaderFunc[string, *flow.Graph](t.load))
}

// keep puts a graph that was just compiled into the cache.
func (t *Trees) keep(g *flow.Graph) { t.graphs.Set(g.Hash, g) }

func (t *Trees) load(ctx context.Context, hash string) (*flow.Graph, error) {
	tree, err := t.tree(ctx, hash)
	if err != nil {
		return nil, err
	}
	graph, err := flow.CompileAs(tree, hash)
	if err != nil {
		return nil, fmt.Errorf("compile tree %s: %w", hash, err)
	}
	return graph, nil
}

// tree reads a stored tree, without the values of its constants.
func (t *Trees) tree(ctx context.Context, hash string) (*flow.Tree, error) {
	body, err := t.bodies.TaskTree(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("load tree: %w", err)
	}
	tree, err := flow.ParseBody(body)
	if err != nil {
		return nil, fmt.Errorf("read tree %s: %w", hash, err)
	}
	return tree, nil
}
