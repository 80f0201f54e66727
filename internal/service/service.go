package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

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
	Adopt(first *stdops.Change)
	// Preview renders the inputs of a node that did not run.
	Preview(ctx context.Context, ref stdops.TaskRef, node stdops.NodeIndex) (*stdops.Object, error)
	// CallsOut gives the versions that the calls of a node which are out began with.
	CallsOut(ref stdops.TaskRef, node stdops.NodeIndex) []stdops.Version
}

var _ Engine = (*engine.Engine)(nil)

// AllLimits lists what bounds requests and tasks: what an operator can set first, then those of expressions and of plugins.
func (s *Service) AllLimits() []stdops.Limit {
	return slices.Concat(s.limits.List(), engine.Limits(), s.pluginLimits)
}

// Deps is what a [Service] is made of.
type Deps struct {
	Store        *store.Store
	Engine       Engine
	Plugins      *plugin.Registry
	PluginLimits []stdops.Limit // that plugins have of their own
	Surroundings *Surroundings
	Key          []byte         // of the data directory: secrets are stored as HMACs under it
	Limits       *stdops.Limits // nil: the defaults
	Salts        []string       // with which bundles of flows are signed, the own one first; none: no digest is compared
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
	limits  stdops.Limits
	// pluginLimits are told, not kept: plugins keep them.
	pluginLimits []stdops.Limit
	salts        []string

	guesses   *failures
	durations *durations
	identity  atomic.Pointer[identity]
	writing   sync.Mutex // held while the stored identity changes and is read again
}

// New makes the service and reads who may use it.
func New(ctx context.Context, d Deps) (*Service, error) {
	if len(d.Key) < 16 {
		return nil, fmt.Errorf("the key of the data directory has %d bytes, it needs 16", len(d.Key))
	}
	s := &Service{
		Surroundings: d.Surroundings, store: d.Store, engine: d.Engine, plugins: d.Plugins,
		key: d.Key, log: d.Log, limits: stdops.DefaultLimits(), pluginLimits: d.PluginLimits, salts: d.Salts,
	}
	if d.Limits != nil {
		s.limits = *d.Limits
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	var err error
	if s.guesses, err = newFailures(s.limits.Failures); err != nil {
		return nil, err
	}
	if s.durations, err = newDurations(); err != nil {
		return nil, err
	}
	return s, s.reload(ctx)
}

// Now is the time of the server.
func (s *Service) Now() time.Time { return s.store.Now() }

// Limits gives the bounds that the operator has set.
func (s *Service) Limits() *stdops.Limits { return &s.limits }

// isRefusal reports whether an error is one that a caller may see.
func isRefusal(err error) bool {
	var known *stdops.Error
	return errors.As(err, &known) && known.Code != stdops.CodeInternal
}
