package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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

// limits bound what one request may ask for.
type limits struct {
	flow.Limits       // of a task, with its subprocesses
	Children    int   // in one answer with statuses
	Fragments   int64 // bytes of encoded answers that are kept
}

// AllLimits lists what bounds tasks, with those of the engine and of plugins.
func (s *Service) AllLimits() []stdops.Limit {
	return slices.Concat([]stdops.Limit{
		{Name: "nodes", Value: int64(s.limits.Nodes), Unit: "nodes", About: "of a task, with its subprocesses"},
		{Name: "nesting", Value: int64(s.limits.Nesting), Unit: "levels", About: "of subprocesses"},
		{Name: "children", Value: int64(s.limits.Children), Unit: "nodes", About: "in one answer with statuses"},
		{Name: "kept answers", Value: s.limits.Fragments, Unit: "bytes", About: "of memory for encoded parts of answers with statuses"},
	}, engine.Limits(), s.pluginLimits)
}

// Deps is what a [Service] is made of.
type Deps struct {
	Store        *store.Store
	Engine       Engine
	Plugins      *plugin.Registry
	PluginLimits []stdops.Limit // that plugins have of their own
	Surroundings *Surroundings
	Key          []byte // of the data directory: secrets are stored as HMACs under it
	Log          *slog.Logger
}

// Service carries out the use-cases. Its methods may be called from any goroutine.
type Service struct {
	*Surroundings
	store   *store.Store
	engine  Engine
	plugins *plugin.Registry
	key     []byte
	log     *slog.Logger
	limits  limits
	// pluginLimits are told, not kept: plugins keep them.
	pluginLimits []stdops.Limit

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
		key: d.Key, log: d.Log, limits: limits{Limits: flow.DefaultLimits(), Children: 100_000, Fragments: 128 << 20},
		pluginLimits: d.PluginLimits,
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	return s, s.reload(ctx)
}

// isRefusal reports whether an error is one that a caller may see.
func isRefusal(err error) bool {
	var known *stdops.Error
	return errors.As(err, &known) && known.Code != stdops.CodeInternal
}
