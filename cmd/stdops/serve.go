package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/plugin/script"
)

func (c *cli) serve() *cobra.Command {
	limits := stdops.DefaultLimits()
	o := app.Options{Limits: &limits, Retention: defaultRetention}
	var allowed, proxies, roles []string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a server",
		Long: "Run a server until SIGTERM or ctrl-c, which let it drain; the second one stops it at once.\n" +
			"Every flag can be set by the environment. STDOPS_BOOTSTRAP_APP_CODE and STDOPS_BOOTSTRAP_APP_SECRET make a\n" +
			"trusted app of that code and secret where there is none.\n\n" +
			"The data directory holds database, key and the socket for administration. With --db all data are in a PostgreSQL\n" +
			"database, which has to have its tables (stdops migrate up) and which any number of processes share; the data\n" +
			"directory, one for each process, holds the socket only.",
		Example: "  stdops serve --listen 127.0.0.1:8080 --data-dir /var/lib/stdops\n" +
			"  stdops serve --db postgres://stdops@db/stdops --data-dir /run/stdops --roles worker",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.DataDir = c.dataDir
			err := checkServe(&o)
			if err == nil {
				o.Roles, err = app.ParseRoles(roles)
			}
			if err == nil && o.DB == "" && o.Roles != (app.Roles{}) {
				err = errors.New("--roles: with the embedded store one process has all roles; --db names one that processes share")
			}
			if err == nil {
				o.AllowOutbound, err = networks("allow-outbound", allowed)
			}
			if err == nil {
				o.TrustedProxies, err = networks("trusted-proxies", proxies)
			}
			if err != nil {
				return usageOf(cmd, err)
			}
			o.BootstrapAppCode, o.BootstrapAppSecret = c.env["STDOPS_BOOTSTRAP_APP_CODE"], c.env["STDOPS_BOOTSTRAP_APP_SECRET"]
			o.Log = newLog(c.err)
			return c.serveUntil(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:8080", "address to listen on; port 0 takes a free one")
	flags.StringSliceVar(&roles, "roles", []string{"api", "worker"}, "what this process does: api answers requests, worker drives tasks; both need --db")
	flags.StringVar(&o.PublicURL, "public-url", "", "where people and programs reach the server, with a path such as https://host/ops if it is to be\nserved below one; default http:// and the address")
	flags.StringVar(&o.TimeZone, "time-zone", "", "IANA name of the zone of times in answers; default the host's, else UTC")
	flags.BoolVar(&o.TestPlugins, "test-plugins", false, "offer plugins for tests; never in production")
	flags.StringSliceVar(&allowed, "allow-outbound", nil,
		"network that requests of flows may reach though it is not public, such as 10.1.0.0/16; may be given again")
	flags.StringVar(&o.LocalScripts, "local-scripts", "", "let flows run scripts on this host as user:NAME (needs root) or as same-user,\nwhich lets them read what the server can; default off")
	flags.StringSliceVar(&proxies, "trusted-proxies", nil,
		"network of proxies in front of the server, such as 10.2.0.0/24, whose X-Forwarded-For counts; may be given again")
	flags.StringSliceVar(&o.BundleSalts, "bundle-salt", nil,
		"TEMPLATE_DATA_SALT of a bk-sops whose exported flows are accepted, the first signs our own;\nmay be given again, default any")
	flags.Var(limitFlag{&limits}, "limit", "bound of requests or tasks, such as rate=500; may be repeated, stdops limits prints them")
	flags.Var(retentionFlag{&o.Retention}, "retention",
		"how long inputs, outputs, logs and history of a task are kept after its end, such as 180d or 36h; states and\ntimes stay. 0 keeps everything")
	for _, name := range []string{
		"listen", "roles", "public-url", "time-zone", "test-plugins", "allow-outbound", "local-scripts", "trusted-proxies", "bundle-salt", "limit",
		"retention",
	} {
		fromEnv(flags, name)
	}
	return onDB(cmd, &o.DB)
}

// checkServe finds settings that cannot be meant before anything is opened.
func checkServe(o *app.Options) error {
	if _, _, err := net.SplitHostPort(o.Listen); err != nil {
		return fmt.Errorf("--listen %q is not of the form host:port", o.Listen)
	}
	if o.PublicURL != "" {
		if err := app.CheckPublicURL(o.PublicURL); err != nil {
			return fmt.Errorf("--public-url %s: %w", o.PublicURL, err)
		}
	}
	if _, err := time.LoadLocation(o.TimeZone); err != nil || o.TimeZone == "Local" {
		return fmt.Errorf("--time-zone %q is unknown", o.TimeZone)
	}
	if o.DataDir == "" {
		return errors.New("--data-dir must not be empty")
	}
	if o.LocalScripts != "" {
		if _, err := script.ParseAs(o.LocalScripts); err != nil {
			return fmt.Errorf("--local-scripts: %w", err)
		}
	}
	return nil
}

// networks reads the networks of a flag, which are given as such or as one address.
func networks(flag string, texts []string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if addr, notOne := netip.ParseAddr(text); notOne == nil && addr.Zone() == "" {
			network, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil || network.Addr().Is4In6() {
			return nil, fmt.Errorf("--%s %q is no network such as 10.1.0.0/16 or fd00::/8", flag, text)
		}
		list = append(list, network.Masked())
	}
	return list, nil
}

// serveUntil runs a server until the context ends.
func (c *cli) serveUntil(ctx context.Context, o app.Options) error {
	began := time.Now()
	server, err := startServer(ctx, o)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) { // while it waited for its database
		c.say("stopped before it was ready\n")
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.greet(ctx, server, o, began); err != nil {
		return errors.Join(err, server.Stop(context.WithoutCancel(ctx)))
	}
	if err := server.Wait(ctx); err != nil {
		return err
	}
	c.say("draining; ctrl-c again stops at once\n")
	return server.Stop(context.WithoutCancel(ctx))
}

// startServer makes a server that answers.
func startServer(ctx context.Context, o app.Options) (*app.App, error) {
	v := built()
	o.Version, o.Commit = v.Version, v.Commit
	server, err := app.New(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := server.Start(ctx); err != nil {
		return nil, errors.Join(err, server.Stop(context.WithoutCancel(ctx)))
	}
	return server, nil
}

// greet tells whoever started the server how to go on.
func (c *cli) greet(ctx context.Context, server *app.App, o app.Options, began time.Time) error {
	link, err := server.FirstSignIn(ctx)
	if err != nil {
		return err
	}
	base := strings.TrimRight(server.PublicURL(), "/")
	c.say("stdops %s  data in %s\n", built().Version, dataOf(&o))
	c.say("  pages    %s/\n", base)
	c.say("  api      %s/api/v1/, described at %s/openapi.json\n", base, base)
	c.say("  compat   POST %s/apigw/get_tasks_status/{bk_biz_id}/\n", base)
	if link != "" {
		c.say("  sign in  %s  (once, 15 minutes; makes you administrator)\n", link)
	}
	if o.Retention > 0 {
		c.say("  keeps    inputs, outputs and logs of tasks for %s after their end\n", retentionFlag{&o.Retention})
	}
	for _, network := range o.AllowOutbound {
		c.say("  note     requests of flows may reach %s\n", network)
	}
	if o.LocalScripts != "" {
		c.say("  scripts  %s\n", aboutScripts(o.LocalScripts))
	}
	if o.TestPlugins {
		c.say("  note     test plugins are on: this is no server for production\n")
	}
	c.say("ready in %.1f s; ctrl-c drains\n", time.Since(began).Seconds())
	return nil
}

// dataOf tells where the data are. Of the address of a database it shows what can hold no password.
func dataOf(o *app.Options) string {
	if o.DB == "" {
		return o.DataDir
	}
	u, err := url.Parse(o.DB)
	if err != nil {
		return "a PostgreSQL database"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// aboutScripts tells whoever starts a server what its flows may do on the host.
func aboutScripts(setting string) string {
	as, err := script.ParseAs(setting)
	switch {
	case err != nil: // the server has started with it, so it was all right a moment ago
		return setting
	case as.Root():
		return "of flows run as root, like the server: who may edit or run a flow has this host"
	case as.Same:
		return fmt.Sprintf("of flows run as %s, like the server: they can read its data directory and keys", as.Name)
	default:
		return "of flows run as " + as.Name
	}
}

// newLog writes text for people and JSON for machines.
func newLog(w io.Writer) *slog.Logger {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return slog.New(slog.NewTextHandler(w, nil))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}
