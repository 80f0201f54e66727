package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/store"
)

// Engine is what the use-cases need of the engine.
type Engine interface {
	// Do carries out a command and returns after its commit; a refusal is a *stdops.Error.
	Do(ctx context.Context, ref stdops.TaskRef, cmd engine.Command) error
	// Begin gives the first change of a task that is created and started at once; Adopt then begins to drive it.
	Begin(ctx context.Context, task stdops.Task, g *flow.Graph, inputs *stdops.Object, actor string) (*stdops.Change, error)
	Adopt(ref stdops.TaskRef)
	// Preview renders the inputs of a node that did not run.
	Preview(ctx context.Context, ref stdops.TaskRef, node stdops.NodeIndex) (*stdops.Object, error)
}

var _ Engine = (*engine.Engine)(nil)

// Limits bound what one request may ask for (`stdops limits` prints them).
type Limits struct {
	Nodes    int // of a task, with its subprocesses
	Nesting  int // of subprocesses
	Children int // in one answer with statuses
}

// DefaultLimits are those of a server that was told nothing else.
var DefaultLimits = Limits{Nodes: 20_000, Nesting: 32, Children: 100_000}

// AllLimits lists what bounds tasks, those of the engine included.
func (s *Service) AllLimits() []stdops.Limit {
	return append([]stdops.Limit{
		{Name: "nodes", Value: int64(s.limits.Nodes), Unit: "nodes", About: "of a task, with its subprocesses"},
		{Name: "nesting", Value: int64(s.limits.Nesting), Unit: "levels", About: "of subprocesses"},
		{Name: "children", Value: int64(s.limits.Children), Unit: "nodes", About: "in one answer with statuses"},
	}, engine.Limits()...)
}

// Deps is what a [Service] is made of.
type Deps struct {
	Store        *store.Store
	Engine       Engine
	Plugins      *plugin.Registry
	Surroundings *Surroundings
	Key          []byte // of the data directory: secrets are stored as HMACs under it
	Log          *slog.Logger
	Limits       Limits // zero fields take the defaults
}

// Service carries out the use-cases. Its methods may be called from any goroutine.
type Service struct {
	*Surroundings
	store   *store.Store
	engine  Engine
	plugins *plugin.Registry
	key     []byte
	log     *slog.Logger
	limits  Limits

	identity atomic.Pointer[identity]
	writing  sync.Mutex // held while the stored identity changes and is read again
}

// New makes the service and reads who may use it.
func New(ctx context.Context, d Deps) (*Service, error) {
	if len(d.Key) < 16 {
		return nil, fmt.Errorf("the key of the data directory has %d bytes, it needs 16", len(d.Key))
	}
	s := &Service{
		Surroundings: d.Surroundings, store: d.Store, engine: d.Engine, plugins: d.Plugins,
		key: d.Key, log: d.Log, limits: withDefaults(d.Limits),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	return s, s.reload(ctx)
}

func withDefaults(l Limits) Limits {
	for _, p := range []struct {
		to   *int
		with int
	}{{&l.Nodes, DefaultLimits.Nodes}, {&l.Nesting, DefaultLimits.Nesting}, {&l.Children, DefaultLimits.Children}} {
		if *p.to == 0 {
			*p.to = p.with
		}
	}
	return l
}

// isRefusal reports whether an error is one that a caller may see.
func isRefusal(err error) bool {
	var known *stdops.Error
	return errors.As(err, &known) && known.Code != stdops.CodeInternal
}
