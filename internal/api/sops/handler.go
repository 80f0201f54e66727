package sops

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// Options are the settings of the handler.
type Options struct {
	Zone      *time.Location // in which times are shown; nil means UTC
	PublicURL string         // of the server, for the check of requests with cookies
	Bodies    *api.Bodies    // shared by all handlers of a server; nil means its own
	Gates     *api.Gates     // likewise
	Proxies   api.Proxies    // in front of the server
	Log       *slog.Logger
}

// sops is the handler of all families.
type sops struct {
	svc     *service.Service
	routes  routes
	browser *api.Browser
	session api.Cookie
	zone    *time.Location
	bodies  *api.Bodies
	gates   *api.Gates
	proxies api.Proxies
	log     *slog.Logger

	fragments *fragments
}

// New makes the handler of the four families. It is to be mounted, inside of [api.Handler], for the prefixes /apigw/,
// /v2/sops/ and /api/c/compapi/v2/sops/ and for whatever else no other handler wants: it knows the bare names and
// answers unknown addresses in the envelope.
func New(svc *service.Service, o Options) (http.Handler, error) {
	s := &sops{
		svc: svc, routes: newRoutes(), browser: api.NewBrowser(o.PublicURL), session: api.NewCookie(o.PublicURL),
		zone: o.Zone, bodies: o.Bodies, gates: o.Gates, proxies: o.Proxies, log: o.Log,
	}
	if s.bodies == nil {
		s.bodies = api.NewBodies()
	}
	if s.zone == nil {
		s.zone = time.UTC
	}
	if s.gates == nil {
		s.gates = api.NewGates(svc.Limits().Requests, svc.Limits().Watches)
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	var err error
	s.fragments, err = newFragments(svc.FragmentBytes())
	return s, err
}

// ServeHTTP answers one request: address and method, body, who is asking, and then the endpoint.
func (s *sops) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	out := api.NewWriter(w, api.RequestIDs(ctx))
	entry := api.LogEntry(ctx)
	if err := s.serve(w, r, out, entry); err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			err = api.Refuse(http.StatusRequestTimeout, "the caller went away")
		}
		if api.Defect(err) {
			s.log.ErrorContext(ctx, "request failed", "path", r.URL.Path, "error", err, "request_id", api.RequestIDs(ctx).Request)
		}
		out.Fail(err)
	}
	entry.Number = out.Number
}

func (s *sops) serve(w http.ResponseWriter, r *http.Request, out *api.Writer, entry *api.Entry) error {
	to, ok := s.routes.find(r.URL.Path)
	if !ok {
		return api.Refuse(http.StatusNotFound, "no such address")
	}
	if err := to.checkMethod(r.Method); err != nil {
		return err
	}
	out.RequestKey = to.component
	c := &call{sops: s, ctx: r.Context(), route: to, out: out, query: r.URL.Query(), body: &api.Body{Empty: true}, packs: api.TakesGzip(r)}
	head, err := api.ReadHead(r, c.query, s.session)
	if err != nil {
		return err
	}
	known, err := c.admitEarly(r, head)
	if err != nil {
		return err
	}
	if r.Method == http.MethodPost {
		gate := s.gates.Of(known)
		if err := gate.Enter(); err != nil {
			return err
		}
		defer gate.Leave()
		body, err := s.bodies.Read(w, r, api.Reading{Limit: s.svc.Limits().Body, Decoding: decoding(to.endpoint), Known: known})
		if err != nil {
			return err
		}
		defer body.Leave()
		out.Sending = body.Leave
		c.body, c.posted = body, true
	}
	if err := c.identify(r, head.Credentials(c.body), known); err != nil {
		return err
	}
	entry.App, entry.User = c.caller.App, c.caller.User
	if to.endpoint.serve == nil {
		return stdops.Errorf(stdops.CodeRefused, "%s is not offered by stdops", to.endpoint.name)
	}
	return c.carryOut(r)
}

// decoding says how the body of an endpoint is read. Nothing but a tree needs many values.
func decoding(e *endpoint) stdops.Decoding {
	if e.tree {
		return stdops.Decoding{Exact: e.exact, Values: api.MostValues}
	}
	return stdops.Decoding{Exact: e.exact, Values: api.MostValues / 10}
}

// admitEarly refuses an application by what stands before the body, so that strangers, and those who ask too often, cannot
// make the server read one. Whose credentials lie in the body, if anywhere, is not known yet.
func (c *call) admitEarly(r *http.Request, head *api.Head) (known bool, err error) {
	code, secret := head.App()
	if code == "" || secret == "" {
		return false, nil
	}
	return true, c.sops.svc.Admit(r.Context(), service.Credentials{AppCode: code, AppSecret: secret, Peer: c.sops.proxies.Peer(r)})
}

// identify finds out who is asking; an application that was not admitted yet is so first.
func (c *call) identify(r *http.Request, credentials *api.Credentials, admitted bool) (err error) {
	if credentials.Cookie && !c.route.endpoint.app {
		if err := c.sops.browser.Check(r); err != nil {
			return err
		}
	}
	credentials.Peer = c.sops.proxies.Peer(r)
	if !admitted {
		if err := c.sops.svc.Admit(c.ctx, credentials.Credentials); err != nil {
			return err
		}
	}
	if c.route.endpoint.app {
		c.caller, err = c.sops.svc.AuthenticateApp(credentials.AppCode, credentials.AppSecret)
		return err
	}
	c.caller, err = c.sops.svc.Authenticate(c.ctx, credentials.Credentials)
	return err
}
