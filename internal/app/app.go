// Package app is the composition root: it makes a server of its parts, starts it and stops it. It is the only package
// that knows them all; nothing but the commands imports it.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	v1 "github.com/stdops/stdops/internal/api/v1"
	"github.com/stdops/stdops/internal/clock"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/fail"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/outbound"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/builtin"
	"github.com/stdops/stdops/internal/plugin/script"
	"github.com/stdops/stdops/internal/plugin/testplugin"
	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/store"
	"github.com/stdops/stdops/internal/watch"
)

// Options are the settings of a server; each is a flag of `stdops serve`, but for Plugins.
type Options struct {
	Listen      string // host:port; port 0 takes a free one
	DataDir     string
	DB          string // postgres:// address of a store that other processes share; "": an embedded one in DataDir
	Roles       Roles
	PublicURL   string // where people and programs reach the server; default http://<listen address>
	TimeZone    string // of the texts in answers; default the host's, else UTC
	TestPlugins bool
	Plugins     []plugin.Plugin // further ones, of a program that is made of this package
	// AllowOutbound are networks that requests of flows may reach though they are not public.
	AllowOutbound []netip.Prefix
	// TrustedProxies are the networks of proxies in front of the server, whose X-Forwarded-For counts.
	TrustedProxies []netip.Prefix
	// LocalScripts says which user scripts of flows run as: same-user, or user:NAME; "" lets none run.
	LocalScripts string

	Version string // of the program
	Commit  string

	Limits *stdops.Limits // nil: the defaults

	// Retention is how long tasks are kept whole after their end; then only their states and times are. 0: for ever.
	Retention time.Duration

	// BundleSalts are the salts of the installations of bk-sops whose bundles of flows are accepted, the own one first.
	BundleSalts []string

	// BootstrapAppCode and BootstrapAppSecret make a trusted app when no app of this code exists.
	BootstrapAppCode, BootstrapAppSecret string

	Log *slog.Logger

	store func(*store.Options) // changes them: for tests; nil changes nothing
}

// A stop waits for calls that are out, and then for requests that are being answered. With the two seconds that scripts get
// between TERM and KILL it is over within thirty.
const (
	drainTime   = 25 * time.Second
	requestTime = 2 * time.Second
)

// App is one server.
type App struct {
	options Options
	log     *slog.Logger

	clock    *clock.Clock
	store    *store.Store
	workers  *store.Workers // nil, as is queue: no other process has the store
	queue    *queue.River
	engine   *engine.Engine
	begun    *prometheus.HistogramVec // of first calls
	guard    *outbound.Guard
	service  *service.Service
	watch    *watch.Hub // nil when the process answers nothing
	listener net.Listener
	socket   net.Listener
	front    front
	server   *http.Server
	admin    *http.Server

	early   bool // the server answers that it is not ready since before the store was there
	ready   atomic.Bool
	drain   *drain
	fatal   chan error // an error after which nothing more may be answered
	serving errgroup.Group
	undo    []cleanup // what New and Start did, to be undone in reverse
}

type cleanup struct {
	name string
	do   func(context.Context) error
}

// New makes a server: it opens the store and takes the address, but answers nothing yet. While a store that is shared cannot
// be reached it waits, until ctx ends, and answers that it is not ready. A server that could not be made leaves nothing open.
func New(ctx context.Context, o Options) (a *App, err error) {
	a = &App{options: o, log: o.Log, fatal: make(chan error, 1), drain: newDrain()}
	a.onStop("drain", a.drain.answer)
	if a.options.Limits == nil {
		limits := stdops.DefaultLimits()
		a.options.Limits = &limits
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
			a = nil
		}
	}()
	if err := o.Roles.check(o.DB); err != nil {
		return a, err
	}
	zone, err := zoneOf(o.TimeZone)
	if err != nil {
		return a, err
	}
	if err := a.listen(); err != nil {
		return a, err
	}
	return a, a.assemble(ctx, zone)
}

func (a *App) onStop(name string, do func(context.Context) error) {
	a.undo = append(a.undo, cleanup{name, do})
}

// listen takes the address before anything else, so that two servers cannot both believe to have it.
func (a *App) listen() error {
	listener, err := net.Listen("tcp", a.options.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", a.options.Listen, err)
	}
	a.listener = listener
	a.onStop("listener", func(context.Context) error {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	if a.options.PublicURL == "" {
		a.options.PublicURL = "http://" + listener.Addr().String()
	}
	if err := CheckPublicURL(a.options.PublicURL); err != nil {
		return fmt.Errorf("public URL %s: %w", a.options.PublicURL, err)
	}
	a.server = a.newServer(below(prefixOf(a.options.PublicURL), &a.front))
	return nil
}

func (a *App) assemble(ctx context.Context, zone *time.Location) (err error) {
	a.clock = clock.New(fail.Wall)
	now := a.clock.Now
	if fail.On("clock.wall") { // the mistake that tests of the clock have to find
		now = fail.Wall
	}
	options := store.Options{
		Dir: a.options.DataDir, Log: a.log, Now: now, NotBefore: a.clock.NotBefore, DecodeSkeleton: flow.DecodeSkeleton,
		DiskFailed: a.diskFailed, LogLimit: a.options.Limits.Log, Retention: a.options.Retention,
	}
	if a.options.store != nil {
		a.options.store(&options)
	}
	if a.store, err = a.openStore(ctx, options); err != nil {
		return err
	}
	a.onStop("store", func(context.Context) error { return a.store.Close() })
	var key []byte
	if err := a.patiently(ctx, func() (err error) { key, err = a.key(ctx); return err }); err != nil {
		return err
	}
	own := a.listener.Addr().(*net.TCPAddr).AddrPort()
	a.guard = outbound.NewGuard(a.options.AllowOutbound, own)
	plugins, err := a.registry(outbound.New(outbound.Options{Guard: a.guard}))
	if err != nil {
		return err
	}
	surroundings, err := service.NewSurroundings(a.store, zone, a.options.PublicURL)
	if err != nil {
		return err
	}
	a.begun = newBegun()
	driving := engine.Options{
		Commits: a.store, Tasks: a.store, Surroundings: surroundings, Plugins: plugins, Logs: a.store, Wakes: queue.NewLocal(a.store.Now), Now: a.store.Now,
		Epoch: a.store.Epoch(), Limits: a.options.Limits, Log: a.log,
		Began: func(class plugin.Class, waited time.Duration) {
			a.begun.WithLabelValues(class.String()).Observe(waited.Seconds())
		},
	}
	if err := a.share(&driving); err != nil { //nolint:contextcheck // what it makes is started and stopped later
		return err
	}
	a.engine = engine.New(driving)
	deps := service.Deps{
		Store: a.store, Engine: a.engine, Plugins: plugins, PluginLimits: slices.Concat(builtin.Limits(), script.Limits()),
		Surroundings: surroundings, Key: key, Limits: a.options.Limits,
		Salts: a.options.BundleSalts, Log: a.log,
	}
	if err := a.patiently(ctx, func() (err error) { a.service, err = service.New(ctx, deps); return err }); err != nil {
		return err
	}
	if err := a.patiently(ctx, func() error { return a.bootstrap(ctx) }); err != nil {
		return err
	}
	if !a.options.Roles.NoAPI {
		a.watch = watch.NewHub(watch.Options{Tasks: v1.NewWatched(a.service), Misses: a.store.MissesChanges(), Now: a.store.Now, Log: a.log})
	}
	return a.handlers(zone) //nolint:contextcheck // what it makes takes the context of each request
}

func (a *App) registry(out *outbound.Client) (*plugin.Registry, error) {
	all := append(builtin.All(), builtin.HTTPRequest(out), builtin.Subprocess(a.makeChild))
	all = append(all, a.options.Plugins...)
	if a.options.TestPlugins {
		all = append(all, testplugin.All()...)
	}
	if a.options.LocalScripts != "" {
		scripts, err := a.scripts()
		if err != nil {
			return nil, fmt.Errorf("local scripts: %w", err)
		}
		all = append(all, scripts)
	}
	return plugin.NewRegistry(all...)
}

func (a *App) scripts() (plugin.Plugin, error) {
	as, err := script.ParseAs(a.options.LocalScripts)
	if err != nil {
		return nil, err
	}
	if as.Same {
		a.log.Warn("scripts of flows run as the user of the server and can read whatever it can", "user", as.Name)
		return script.New(as), nil
	}
	owns, err := as.Owns(a.options.DataDir)
	if err != nil {
		return nil, err
	}
	if owns {
		return nil, fmt.Errorf("user %s owns the data directory %s, so scripts could read its keys: name another user", as.Name, a.options.DataDir)
	}
	return script.New(as), nil
}

// makeChild lets the service make the task of a node. Calls begin with Start, when there is a service.
func (a *App) makeChild(ctx context.Context, n plugin.NewChild) (plugin.Child, error) {
	return a.service.MakeChild(ctx, n)
}

// Start lets the tasks go on and begins to answer.
func (a *App) Start(ctx context.Context) error {
	if err := a.patiently(ctx, func() error { return a.engine.Start(ctx) }); err != nil {
		return err
	}
	if err := a.startQueue(ctx); err != nil {
		return err
	}
	maintenance, endMaintenance := context.WithCancel(context.WithoutCancel(ctx))
	a.serving.Go(func() error { a.clock.Watch(maintenance, a.log); return nil })
	a.serving.Go(func() error { a.store.Maintain(maintenance); return nil })
	a.onStop("requests", func(ctx context.Context) error { endMaintenance(); return a.stopServing(ctx) })
	a.hear(maintenance)
	a.tell(maintenance)
	a.serve()
	a.serving.Go(func() error { return ignoreClosed(a.admin.Serve(a.socket)) })
	a.onStop("engine", a.stopDriving)
	a.onStop("watches", a.stopWatching)
	a.ready.Store(true)
	a.log.Info("serving", "address", a.Addr(), "public_url", a.options.PublicURL, "data_dir", a.options.DataDir)
	return nil
}

// serve begins to take requests, unless it has begun.
func (a *App) serve() {
	if a.early {
		return
	}
	a.serving.Go(func() error { return ignoreClosed(a.server.Serve(api.Listener(a.listener))) })
}

// stopDriving lets calls that are out end and begins none. Meanwhile requests are still answered: commands are refused until
// there is a server again, how tasks stand is told, and whoever asks whether it is ready hears that it is not.
func (a *App) stopDriving(ctx context.Context) error {
	a.ready.Store(false)
	a.server.SetKeepAlivesEnabled(false)
	queue := make(chan error, 1)
	go func() { queue <- a.stopQueue(ctx) }() // meanwhile, so that it takes no hint that comes to nothing here
	if err := errors.Join(a.engine.Stop(ctx), <-queue); err != nil {
		return err
	}
	left := client.Drained{CallsCutOff: a.engine.CutOff()}
	if a.options.DB == "" { // else others go on with what is live
		live, err := a.store.Live(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		left.LiveTasks = len(live)
	}
	a.drain.tell(left)
	a.log.Info("drained", "calls_cut_off", left.CallsCutOff, "live_tasks", left.LiveTasks)
	return nil
}

// stopServing lets requests that are being answered end.
func (a *App) stopServing(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime) // also when calls took all of the time
	defer cancel()
	err := a.server.Shutdown(ctx)
	if err != nil {
		err = a.server.Close()
	}
	if a.admin != nil { // else the store was never there
		err = errors.Join(err, a.admin.Close())
	}
	return errors.Join(err, a.serving.Wait())
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Stop ends the server in the reverse order of its making. It may be called more than once.
func (a *App) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	var errs []error
	for _, c := range slices.Backward(a.undo) {
		if err := c.do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", c.name, err))
		}
	}
	a.undo = nil
	return errors.Join(errs...)
}

// diskFailed is told once, by the store.
func (a *App) diskFailed(err error) { a.fatal <- err }

// Wait lets the server serve until ctx is done, or somebody asks it through its socket to drain; then it is time to Stop. An error says that the disk has failed: what was
// believed to be written may be gone, so that the process must end at once, without Stop, and the next start read what is
// really there.
func (a *App) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-a.drain.asked:
		return nil
	case err := <-a.fatal:
		return err
	}
}

// Addr gives the address that the server listens on.
func (a *App) Addr() string { return a.listener.Addr().String() }

// PublicURL gives the address that the server tells others.
func (a *App) PublicURL() string { return a.options.PublicURL }

// SocketPath gives the path of the socket for local administration.
func SocketPath(dataDir string) string { return dataDir + string(os.PathSeparator) + "stdops.sock" }
