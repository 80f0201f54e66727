package page

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// Options are the settings of the pages.
type Options struct {
	PublicURL string       // where people reach the server: its host is served besides loopback, https makes cookies Secure
	Log       *slog.Logger // nil: slog.Default()
}

// pages serves all addresses of the package.
type pages struct {
	service *service.Service
	log     *slog.Logger
	cookie  api.Cookie
	browser *api.Browser
	views   views
}

// New makes the handler of the pages: "/", /taskflow/, /login, /logout and /static/. Any other address is answered with a
// page that says that there is nothing.
func New(svc *service.Service, o Options) http.Handler {
	p := &pages{service: svc, log: o.Log, browser: api.NewBrowser(o.PublicURL), cookie: api.NewCookie(o.PublicURL), views: parseViews()}
	if p.log == nil {
		p.log = slog.Default()
	}
	return p.guard(p.routes())
}

func (p *pages) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", p.signedIn(p.home))
	mux.Handle("GET /taskflow/home/list/{project}/{$}", p.signedIn(p.list))
	mux.Handle("GET /taskflow/execute/{project}/{$}", p.signedIn(p.task))
	mux.HandleFunc("GET /login", p.loginForm)
	mux.HandleFunc("POST /login", p.loginWithToken)
	mux.HandleFunc("GET /login/{link}", p.linkForm)
	mux.HandleFunc("POST /login/{link}", p.loginWithLink)
	mux.HandleFunc("GET /logout", p.logoutForm)
	mux.HandleFunc("POST /logout", p.logout)
	mux.HandleFunc("GET /static/{file}", serveStatic)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		p.fail(w, r, stdops.Errorf(stdops.CodeNotFound, "There is no page at this address."))
	})
	return mux
}

// contentPolicy forbids all that a page does not need; that is nearly everything.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// maxForm bounds the body of a form.
const maxForm = 16 << 10

// guard sets the headers of every answer and keeps out what other sites make a browser send: a request must name a host
// that is ours, and one that changes something must come from our own pages (docs/spec/api.md 2.4).
func (p *pages) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if err := p.browser.CheckOrigin(r); err != nil {
			p.refuseForeign(w, r, err)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

func (p *pages) refuseForeign(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *api.Refusal
	if errors.As(err, &refusal) && refusal.Status == http.StatusMisdirectedRequest {
		p.failWith(w, r, refusal.Status, "This server is not reached under the name "+cut(r.Host, 100)+
			". Use its own address, or start it with --public-url.")
		return
	}
	p.failWith(w, r, http.StatusForbidden, "This request came from a page of another site.")
}

// render writes a page. It is made whole first, so that a failing template never leaves half a page.
func (p *pages) render(w http.ResponseWriter, r *http.Request, status int, v view) {
	var b bytes.Buffer
	if err := p.views.write(&b, v); err != nil {
		p.log.Error("render page", "page", v.name(), "error", err)
		http.Error(w, "The server has a problem. Its log says more.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if b.Len() >= worthPacking && api.TakesGzip(r) {
		b = packed(b.Bytes())
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // whoever asked may have gone
}

// statuses are the HTTP statuses of refusals.
var statuses = map[stdops.Code]int{
	stdops.CodeInvalid: http.StatusBadRequest, stdops.CodeInvalidForm: http.StatusBadRequest,
	stdops.CodeUnauthenticated: http.StatusUnauthorized, stdops.CodeForbidden: http.StatusForbidden,
	stdops.CodeDenied: http.StatusForbidden, stdops.CodeNotFound: http.StatusNotFound,
	stdops.CodeRefused: http.StatusConflict, stdops.CodeEngine: http.StatusConflict,
	stdops.CodeTooMany: http.StatusTooManyRequests, stdops.CodeUnavailable: http.StatusServiceUnavailable,
	stdops.CodeDiskFull: http.StatusInsufficientStorage, stdops.CodeGone: http.StatusGone,
}

const deniedText = "You have no role in this project. An administrator can give you one: viewer is enough to look at its tasks."

// fail answers with a page that says what is wrong. What is a defect of ours is logged and not shown.
func (p *pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return
	}
	var refusal *stdops.Error
	if !errors.As(err, &refusal) || statuses[refusal.Code] == 0 {
		p.log.ErrorContext(r.Context(), "a page could not be made", "page", r.Pattern, "error", err) // the path can hold a sign-in link
		p.failWith(w, r, http.StatusInternalServerError, "The server could not answer this. Its log says more.")
		return
	}
	text := refusal.Message
	if refusal.Code == stdops.CodeDenied {
		text = deniedText
	}
	p.failWith(w, r, statuses[refusal.Code], text)
}

func (p *pages) failWith(w http.ResponseWriter, r *http.Request, status int, text string) {
	p.render(w, r, status, &problemView{frame: frame{Title: http.StatusText(status)}, Text: text})
}

// pathID reads a decimal id; anything else names nothing.
func pathID(text, what string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 || strings.HasPrefix(text, "+") {
		return 0, stdops.Errorf(stdops.CodeNotFound, "There is no %s %s.", what, cut(text, 40))
	}
	return id, nil
}
