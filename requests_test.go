package stdops_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// senders may open connections without the guard of internal/outbound: they go where a person at a terminal, or a test,
// tells them to, never where a flow does.
var senders = map[string]string{
	"client":                "goes to the server that its user names",
	"cmd/stdops":            "the demo asks its own server",
	"conformance":           "plays cases against a server",
	"internal/bench":        "loads a server of its own",
	"internal/outbound":     "is the guard",
	"internal/store/pgtest": "a proxy of tests goes to the server that they have started",
}

// openers are the names by which the standard library opens connections or sends requests.
var openers = map[string][]string{
	"net": {"Dial", "DialIP", "DialTCP", "DialTimeout", "DialUDP", "DialUnix", "Dialer", "Resolver"},
	"net/http": {
		"Client", "DefaultClient", "DefaultTransport", "Get", "Head", "NewClientConn", "NewFileTransport", "Post", "PostForm",
		"ProxyFromEnvironment", "Transport",
	},
	"net/http/httputil": {"NewSingleHostReverseProxy", "ReverseProxy"},
	"crypto/tls":        {"Dial", "DialWithDialer", "Dialer"},
}

// TestRequestsLeaveByOneWay finds connections that would not pass the guard.
func TestRequestsLeaveByOneWay(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(file))
		if senders[dir] != "" || strings.HasPrefix(dir, "tools") || dir == "internal/outbound/dnstest" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, name := range opened(parsed) {
			t.Errorf("%s uses %s: requests to elsewhere go by internal/outbound", file, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenersAreFound(t *testing.T) {
	t.Parallel()
	for source, want := range map[string][]string{
		`package p; import "net/http"; var c = http.Client{}`:                                      {"http.Client"},
		`package p; import "net/http"; var c = new(http.Client)`:                                   {"http.Client"},
		`package p; import web "net/http"; func f() { web.Get("x"); web.DefaultClient.Head("x") }`: {"web.Get", "web.DefaultClient"},
		`package p; import "net"; func f() { net.Dial("tcp", "x"); net.Listen("tcp", "y") }`:       {"net.Dial"},
		`package p; import . "net/http"; var c = Client{}`:                                         {`import . "net/http"`},
		`package p; import "net/http"; func f(r *http.Request) { http.Error(nil, "Get", 1) }`:      nil,
	} {
		parsed, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := opened(parsed); !slices.Equal(got, want) {
			t.Errorf("%s\nfinds %v, want %v", source, got, want)
		}
	}
}

// opened gives the names of openers that a file uses.
func opened(file *ast.File) (used []string) {
	names := map[string][]string{} // by the name under which their package is imported
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil || openers[imported] == nil {
			continue
		}
		switch {
		case spec.Name == nil:
			names[path.Base(imported)] = openers[imported]
		case spec.Name.Name == ".":
			used = append(used, `import . "`+imported+`"`)
		default:
			names[spec.Name.Name] = openers[imported]
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if from, ok := s.X.(*ast.Ident); ok && slices.Contains(names[from.Name], s.Sel.Name) {
				used = append(used, from.Name+"."+s.Sel.Name)
			}
		}
		return true
	})
	return used
}
