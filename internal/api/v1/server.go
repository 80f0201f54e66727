package v1

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/watch"
)

// prefix is that of all addresses of the API.
const prefix = "/api/v1"

// DescriptionPath is where the description of the API (OpenAPI 3.1) is found.
const DescriptionPath = "/openapi.json"

// Options are the settings of the handler.
type Options struct {
	PublicURL string // of the server: for sign-in links, and for the check of requests with cookies
	Version   string // of the program
	Commit    string
	// Local makes everybody an administrator: for the socket of the data directory, which only its owner can open.
	Local   bool
	Bodies  *api.Bodies // shared by all handlers of a server; nil means its own
	Gates   *api.Gates  // likewise
	Watch   *watch.Hub  // likewise, made of [NewWatched]; nil: nobody can watch tasks
	Proxies api.Proxies // in front of the server
	Log     *slog.Logger
}

type server struct {
	svc      *service.Service
	options  Options
	log      *slog.Logger
	browser  *api.Browser
	cookie   api.Cookie
	mux      *http.ServeMux
	api      huma.API
	problems *huma.Response
	openapi  []byte
}

// New makes the handler. It is to be mounted, inside of [api.Handler], for the prefix /api/v1/ and for [DescriptionPath].
func New(svc *service.Service, o Options) (http.Handler, error) {
	s := &server{
		svc: svc, options: o, log: cmp.Or(o.Log, slog.Default()),
		browser: api.NewBrowser(o.PublicURL), cookie: api.NewCookie(o.PublicURL), mux: http.NewServeMux(),
	}
	if s.options.Bodies == nil {
		s.options.Bodies = api.NewBodies()
	}
	if s.options.Gates == nil {
		s.options.Gates = api.NewGates(svc.Limits().Requests, svc.Limits().Watches)
	}
	config := huma.DefaultConfig("stdops", cmp.Or(o.Version, "dev"))
	config.Info.Description = "The native API of stdops. Times are RFC 3339; refusals are problem documents (RFC 9457) with a code."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.Formats = map[string]huma.Format{"application/json": strict, "json": strict}
	config.Transformers = []huma.Transformer{toProblem}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "A token of a user (stdops token create)"},
	}
	s.api = humago.New(s.mux, config)
	s.problems = problemResponse(s.api.OpenAPI().Components.Schemas)
	s.routes()
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} { // of the framework, in whose place problems are answered
		delete(s.api.OpenAPI().Components.Schemas.Map(), unused)
	}
	text, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("describe API: %w", err)
	}
	s.openapi = text
	return s, nil
}

func (s *server) routes() {
	s.aboutServer()
	s.sessions()
	s.projects()
	s.apps()
	s.users()
	s.tokens()
	s.flows()
	s.schemes()
	s.flowFiles()
	s.plugins()
	s.tasks()
	s.logs()
	s.watches()
}

// ServeHTTP answers one request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == DescriptionPath {
		s.describe(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		s.fail(w, r, http.StatusUnsupportedMediaType, "Content-Encoding is not supported; send the body as it is")
		return
	}
	if _, pattern := s.mux.Handler(r); pattern == "" {
		s.unknown(w, r)
		return
	}
	s.guarded(w, s.identify(r))
}

func (s *server) describe(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		s.fail(w, r, http.StatusMethodNotAllowed, "the description can only be read")
		return
	}
	w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
	_, _ = w.Write(s.openapi) // a reader that went away is no concern of ours
}

// unknown answers an address that there is not, or not with this method: which of the two, the mux knows.
func (s *server) unknown(w http.ResponseWriter, r *http.Request) {
	seen := &muted{header: http.Header{}}
	s.mux.ServeHTTP(seen, r)
	if seen.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", seen.header.Get("Allow"))
		s.fail(w, r, http.StatusMethodNotAllowed, "the address does not take "+r.Method)
		return
	}
	s.fail(w, r, http.StatusNotFound, "no such address")
}

func (s *server) fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	write(w, newProblem(r.Context(), status, message))
}

func write(w http.ResponseWriter, p *problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a reader that went away is no concern of ours
}

// muted takes an answer that nobody is to see.
type muted struct {
	header http.Header
	status int
}

func (m *muted) Header() http.Header         { return m.header }
func (m *muted) Write(b []byte) (int, error) { return len(b), nil }
func (m *muted) WriteHeader(status int)      { m.status = status }

// strict reads JSON without duplicate keys, invalid UTF-8 or deep nesting, as the compatible API does.
var strict = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		e := json.NewEncoder(w)
		return e.Encode(v)
	},
	Unmarshal: func(data []byte, v any) error {
		if _, whole := v.(*any); whole { // the first of two readings: the one that is checked against the schema
			if _, err := (stdops.Decoding{Exact: true, Values: api.MostValues}).Decode(bytes.NewBuffer(data)); err != nil {
				return err
			}
		}
		return json.Unmarshal(data, v)
	},
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
