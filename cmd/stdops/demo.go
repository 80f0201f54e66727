package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
)

const (
	demoDir      = ".demo"
	demoAddress  = "127.0.0.1:8080"
	demoApp      = "demo"
	demoUser     = "demo"
	portsTried   = 50
	demoPatience = time.Minute // for the tasks to settle
)

func (c *cli) demo() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show it all: a server, example tasks, and how they stand",
		Long: "Run a server on ./.demo, or where --data-dir says, store the example flows, start tasks of them, follow them until\n" +
			"they settle, and print the one request that tells how they all stand. It stays until ctrl-c; with DEMO_EXIT=1 it\n" +
			"ends by itself. Scripts of its flows run as the user who started it.",
		Example: "  stdops demo",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.projectID, c.format = 1, "table"
			d := &demo{cli: c, dir: demoDir, listen: demoAddress}
			if c.dirGiven { // what the environment says is meant for a real server
				d.dir = c.dataDir
			}
			if listen := cmd.Flags().Lookup("listen"); listen.Changed {
				d.listen, d.fixed = listen.Value.String(), true
			}
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().String("listen", demoAddress, "address to listen on; without it the next free port is taken")
	return cmd
}

// demo is one run of the demonstration.
type demo struct {
	*cli
	dir    string
	listen string
	fixed  bool // no other port will do

	server *app.App
	to     *client.Client
	secret string // of the demo's app
	tasks  []demoTask
}

// run shows the demonstration and takes the server down again.
func (d *demo) run(ctx context.Context) (err error) {
	log, closeLog, err := d.prepare()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	if err := d.serve(ctx, log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.server.Stop(context.WithoutCancel(ctx))) }()
	if d.to, err = d.dial(client.Options{Socket: app.SocketPath(d.dir)}); err != nil {
		return err
	}
	defer d.to.Close()
	d.say("stdops %s at %s, data and log in %s\n", built().Version, d.server.PublicURL(), d.dir)
	if setting := demoScripts(); setting != "" {
		d.say("scripts %s\n", aboutScripts(setting))
	}
	d.say("\n")
	err = d.show(ctx)
	if errors.Is(err, context.Canceled) {
		return nil // ctrl-c is the way to end it
	}
	if err != nil || d.env["DEMO_EXIT"] == "1" {
		return err
	}
	d.say("\nctrl-c ends the server. Its tasks are kept, and go on when it is run again.\n")
	return d.server.Wait(ctx)
}

// prepare makes the data directory, the log in it and the secret of the app.
func (d *demo) prepare() (log *slog.Logger, closeLog func() error, err error) {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("make data directory: %w", err)
	}
	if d.secret, err = demoSecret(filepath.Join(d.dir, "demo-secret")); err != nil {
		return nil, nil, err
	}
	file, err := os.OpenFile(filepath.Join(d.dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open log: %w", err)
	}
	return slog.New(slog.NewJSONHandler(file, nil)), file.Close, nil
}

// serve starts the server on the address that is wanted, or on the next port that is free.
func (d *demo) serve(ctx context.Context, log *slog.Logger) (err error) {
	host, text, err := net.SplitHostPort(d.listen)
	if err != nil {
		return usage("--listen %q is not of the form host:port", d.listen)
	}
	first, err := strconv.Atoi(text)
	if err != nil {
		return usage("--listen %q has no port", d.listen)
	}
	for port := first; ; port++ {
		d.server, err = startServer(ctx, app.Options{
			Listen: net.JoinHostPort(host, strconv.Itoa(port)), DataDir: d.dir, Log: log,
			LocalScripts: demoScripts(), BootstrapAppCode: demoApp, BootstrapAppSecret: d.secret,
		})
		if d.fixed || !errors.Is(err, syscall.EADDRINUSE) || port-first == portsTried {
			return err
		}
	}
}

// show starts the tasks, follows them, and tells what there is to see.
func (d *demo) show(ctx context.Context) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, demoPatience, errNotSettled)
	defer cancel()
	if _, err := d.follow(limited, d.to, follow{ids: d.ids(), every: 200 * time.Millisecond, until: d.settled}); err != nil {
		if errors.Is(context.Cause(limited), errNotSettled) {
			return errNotSettled
		}
		return err
	}
	return d.tell(ctx)
}

var errNotSettled = fmt.Errorf("the tasks did not settle within %s", demoPatience)
