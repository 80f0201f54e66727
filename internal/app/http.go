package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/api/sops"
	"github.com/stdops/stdops/internal/api/ui"
	v1 "github.com/stdops/stdops/internal/api/v1"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/web"
)

// Timeouts of connections beside those that are limits: a slow sender or reader may hold a connection, but not for ever.
const (
	writeTimeout = 5 * time.Minute // from the end of the head; the largest answers have tens of megabytes
	idleTimeout  = 2 * time.Minute
	maxHeader    = 1 << 20 // beyond it net/http refuses in its own words; package api refuses less in ours
)

// handlers builds what the server answers on its address and on the socket for local administration.
func (a *App) handlers(zone *time.Location) error {
	mux, bodies, gates := http.NewServeMux(), api.NewBodies(), api.NewGates(a.options.Limits.Requests, a.options.Limits.Watches)
	compatible, err := sops.New(a.service, sops.Options{
		Zone: zone, PublicURL: a.options.PublicURL, Bodies: bodies, Gates: gates, Proxies: a.options.TrustedProxies, Log: a.log,
	})
	if err != nil {
		return err
	}
	native, err := a.native(v1.Options{Bodies: bodies, Gates: gates, Proxies: a.options.TrustedProxies})
	if err != nil {
		return err
	}
	pages, err := ui.New(web.Files(), a.options.PublicURL)
	if err != nil {
		return err
	}
	for _, path := range pages.Addresses() {
		mux.Handle(path, pages)
	}
	mux.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ui.AsPage(r) && !sops.Owns(r.URL.Path) { // people get a page that says that there is nothing
			pages.ServeHTTP(w, r)
			return
		}
		compatible.ServeHTTP(w, r)
	}))
	mux.Handle("/api/v1/", native)
	mux.Handle(v1.DescriptionPath, native)
	outer := http.NewServeMux()
	outer.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	outer.HandleFunc("GET /readyz", a.readyz)
	outer.Handle("GET /metrics", a.metrics())
	if a.options.Roles.NoAPI {
		outer.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			plain(w, http.StatusNotFound, "this process only drives tasks")
		})
	} else {
		outer.Handle("/", api.Handler(mux, a.log))
	}
	a.front.open(api.LastIfChunked(outer))
	local, err := a.native(v1.Options{Bodies: bodies, Local: true}) // with gates of its own: a full server can still be administered
	if err != nil {
		return err
	}
	inner := http.NewServeMux()
	inner.Handle("POST "+client.DrainPath, a.drain) // here only: it is for whoever could as well send a signal
	inner.Handle("/", api.Handler(local, a.log))
	return a.openSocket(inner)
}

func (a *App) newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: seconds(a.options.Limits.HeadTime), ReadTimeout: seconds(a.options.Limits.BodyTime),
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
		DisableGeneralOptionsHandler: true,
	}
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// openSocket opens the socket for local administration: whoever can open it is an administrator.
func (a *App) openSocket(h http.Handler) error {
	path := SocketPath(a.options.DataDir)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // left by a process that was killed
		return fmt.Errorf("remove old socket: %w", err)
	}
	listener, err := listenUnix(path)
	if err != nil {
		return fmt.Errorf("listen on socket: %w", err)
	}
	a.socket, a.admin = listener, a.newServer(h)
	a.onStop("socket", func(context.Context) error { return ignoreNetClosed(listener.Close()) })
	return os.Chmod(path, 0o600) // the data directory itself is 0700, so nobody could come in before
}

// longestSocketPath is what the address of a unix socket can hold on every system that we run on.
const longestSocketPath = 100

// listenUnix listens on a path that may be longer than the address of a socket can be: then it goes by way of a short
// symbolic link to the directory.
func listenUnix(path string) (net.Listener, error) {
	if len(path) <= longestSocketPath {
		return net.Listen("unix", path)
	}
	short, err := os.MkdirTemp("", "stdops")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(short)
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	link := filepath.Join(short, "d")
	if err := os.Symlink(dir, link); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", filepath.Join(link, filepath.Base(path)))
	if err == nil {
		listener.(*net.UnixListener).SetUnlinkOnClose(false) // its name goes through the link, which is gone by then
	}
	return listener, err
}

func ignoreNetClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	if !a.ready.Load() {
		plain(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyLimit)
	defer cancel()
	if err := a.store.Ping(ctx); err != nil {
		plain(w, http.StatusServiceUnavailable, "the database is not available")
		return
	}
	plain(w, http.StatusOK, "ready")
}

// readyLimit is how long the database may take to answer before the server counts as not ready.
const readyLimit = time.Second

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// metrics offers figures of the process and of the engine.
func (a *App) metrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stdops_driven_tasks", Help: "Tasks that this process drives at the moment.",
		}, func() float64 { return float64(a.engine.Stats().Driven) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stdops_waiting_tasks", Help: "Tasks that wait until there is room to drive them.",
		}, func() float64 { return float64(a.engine.Stats().Waiting) }),
		callFigures{a.engine},
		a.begun,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stdops_clock_ahead_seconds", Help: "By how much the time of the server is later than the clock of the machine; less than zero: earlier.",
		}, func() float64 { return a.clock.Ahead().Seconds() }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "stdops_outbound_refused_total", Help: "Connections that were refused to requests of flows.",
		}, func() float64 { return float64(a.guard.Refused()) }),
	)
	if a.watch != nil {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stdops_watches", Help: "Requests that watch tasks, or follow logs, at the moment.",
		}, func() float64 { return float64(a.watch.Watching()) }))
	}
	if a.queue != nil {
		r.MustRegister(queueFigures{a.queue})
	}
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// callFigures tells how many calls of plugins there are, by their class.
type callFigures struct{ engine *engine.Engine }

var (
	callsOut     = prometheus.NewDesc("stdops_calls_out", "Calls of plugins that are out at the moment.", []string{"class"}, nil)
	callsWaiting = prometheus.NewDesc("stdops_calls_waiting", "Calls that wait for others of their class to end.", []string{"class"}, nil)
)

// Describe names the figures.
func (callFigures) Describe(to chan<- *prometheus.Desc) { to <- callsOut; to <- callsWaiting }

// Collect reads them.
func (f callFigures) Collect(to chan<- prometheus.Metric) {
	for _, c := range f.engine.Stats().Classes {
		to <- prometheus.MustNewConstMetric(callsOut, prometheus.GaugeValue, float64(c.Out), c.Class.String())
		to <- prometheus.MustNewConstMetric(callsWaiting, prometheus.GaugeValue, float64(c.Waiting), c.Class.String())
	}
}

// newBegun counts how long nodes wait from when they are entered to their first call, by the class of its plugin.
func newBegun() *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "stdops_node_ready_to_start_seconds",
		Help: "How long nodes waited from when they were entered to the begin of their first call.",
		Buckets: []float64{
			0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800,
		},
	}, []string{"class"})
	for class := range plugin.Classes { // there from the beginning
		h.WithLabelValues(plugin.Class(class).String())
	}
	return h
}

// bootstrap makes the app that the settings name. The way in for the first person is [App.FirstSignIn].
func (a *App) bootstrap(ctx context.Context) error {
	if a.options.BootstrapAppCode != "" {
		if err := a.service.BootstrapApp(ctx, a.options.BootstrapAppCode, a.options.BootstrapAppSecret); err != nil {
			return fmt.Errorf("bootstrap app: %w", err)
		}
	}
	return nil
}
