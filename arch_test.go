package stdops_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/stdops/stdops"

// edges is the import table: which package may import which of ours, and why. Everybody may import the root, the
// vocabulary, except client. Imports go downwards only, and an edge that does not stand here fails the test: a new one is
// a decision about the architecture (docs/architecture.md) and comes with its reason.
var edges = map[string]map[string]string{
	".":      {},
	"client": {
		// Not even the vocabulary: a program outside of this module can use it without our other packages.
	},
	"examples": {},
	"web":      {},

	"internal/clock":    {},
	"internal/exchange": {"internal/flow": "reads trees, and knows where ids stand in them"},

	"internal/expr":   {},
	"internal/fail":   {},
	"internal/flow":   {},
	"internal/plugin": {},
	"internal/queue":  {},
	"internal/status": {},
	"internal/lazy":   {"internal/expr": "writes moments and texts as Python does"},
	"internal/store":  {},
	"internal/watch":  {},

	"internal/store/disktest": {},
	"internal/store/pgtest":   {},

	"internal/outbound":         {},
	"internal/outbound/dnstest": {},

	"internal/plugin/builtin": {
		"internal/expr":     "decides whether the answer to a request is a success",
		"internal/outbound": "sends requests by it",
		"internal/plugin":   "implements its contract",
	},
	"internal/plugin/script":     {"internal/plugin": "implements its contract"},
	"internal/plugin/testplugin": {"internal/plugin": "implements its contract"},

	"internal/engine": {
		"internal/expr":   "renders inputs and decides the branches of gateways",
		"internal/fail":   "names the places where tests let it crash",
		"internal/flow":   "walks compiled graphs",
		"internal/plugin": "calls plugins",
		"internal/lazy":   "computes the values of lazy variables",
	},
	"internal/service": {
		"internal/engine":   "hands commands and new tasks to it",
		"internal/exchange": "reads and writes the files in which flows travel",
		"internal/expr":     "tells which expressions of a file stay as they are",
		"internal/fail":     "names the places where tests let it crash",
		"internal/flow":     "reads, checks and compiles the trees that callers send",
		"internal/lazy":     "tells which kinds of variables of a file are computed",
		"internal/plugin":   "refuses unknown plugins when a task is created",
		"internal/status":   "projects what it read to status values",
		"internal/store":    "reads and writes in one transaction per use-case",
	},
	"internal/api": {
		"internal/service": "knows who calls",
	},
	"internal/api/sops": {
		"internal/api":      "shares envelope, bodies and credentials",
		"internal/outbound": "knows which addresses are public",
		"internal/service":  "offers its use-cases",
		"internal/status":   "encodes status values",
	},
	"internal/api/v1": {
		"client":           "shares the wire types, so that they are declared once",
		"internal/api":     "shares bodies, credentials and the rules for browsers",
		"internal/service": "offers its use-cases",
		"internal/status":  "encodes status values",
		"internal/watch":   "tells those who watch tasks what is new",
	},
	"internal/api/ui": {"internal/api": "shares the rules for browsers"},

	"internal/app": {
		"client":                     "tells by its types what a drain has left",
		"internal/api":               "wraps all handlers in the outermost one",
		"internal/api/sops":          "mounts it",
		"internal/api/ui":            "mounts it",
		"internal/api/v1":            "mounts it",
		"internal/clock":             "makes the one of the server and tells how far the machine's is off",
		"internal/engine":            "starts and stops it",
		"internal/fail":              "lets tests set the clock of the machine",
		"internal/flow":              "tells the store how a skeleton is read",
		"internal/outbound":          "makes the guard and the client of requests",
		"internal/plugin":            "fills the registry",
		"internal/plugin/builtin":    "registers them",
		"internal/plugin/script":     "registers it when asked to",
		"internal/plugin/testplugin": "registers them when asked to",
		"internal/queue":             "gives the engine its wake-ups",
		"internal/service":           "wires it",
		"internal/store":             "opens and closes it",
		"internal/watch":             "lets it hear of changes, and ends it",
		"web":                        "serves it",
	},
	"internal/bench/bare": {},
	"internal/bench": {
		"client":                     "makes the token of those who watch, and has the wire types of the native API",
		"internal/app":               "measures a whole server",
		"internal/bench/bare":        "fills and watches a database past the server",
		"internal/engine":            "measures it on a store that notes what it is given",
		"internal/flow":              "tells the store how skeletons are read",
		"internal/plugin":            "fills the registry of an engine",
		"internal/plugin/testplugin": "runs activities that do nothing",
		"internal/queue":             "gives an engine its wake-ups",
		"internal/service":           "gives an engine the compiled trees",
		"internal/store":             "measures its reads and its batch commit",
	},
	"cmd/stdops": {
		"client":                 "speaks the native API",
		"examples":               "carries the flows of the demo",
		"internal/app":           "runs a server",
		"internal/bench":         "measures a server",
		"internal/plugin/script": "is the guard of a script when called as such, and says as whom scripts run",
	},
	"conformance": {
		"internal/app": "plays the cases against a server in its own process",
	},
}

// rooms names the packages from outside that stay in one room, and why. An entry that ends with a slash means everything
// below it.
var rooms = []struct {
	library string
	in      []string
	why     string
}{
	{"database/sql", []string{"internal/bench/bare", "internal/queue", "internal/store"}, "all SQL is in the store; the queue inserts in its transactions"},
	{"github.com/ncruces/", []string{"internal/store", "internal/store/disktest"}, "all SQL is in the store"},
	{"github.com/jackc/", []string{"internal/bench/bare", "internal/queue", "internal/store", "internal/store/pgtest"}, "all SQL is in the store; the queue has connections of its own"},
	{"github.com/riverqueue/", []string{"internal/bench/bare", "internal/queue"}, "nobody else knows who carries the jobs, but for what is held against the engine"},
	{"github.com/pressly/goose/", []string{"internal/store"}, "all SQL is in the store"},
	{"github.com/danielgtaylor/huma/", []string{"internal/api/v1"}, "only the native API describes itself"},
	{"github.com/prometheus/", []string{"internal/app"}, "parts tell their figures, the app offers them"},
	{"github.com/spf13/", []string{"cmd/stdops"}, "only the command line knows flags"},
	{"go.yaml.in/yaml/", []string{"internal/exchange"}, "only files with flows are read as YAML"},
	{"code.dny.dev/", []string{"internal/outbound"}, "one guard judges all addresses"},
	{"golang.org/x/net/", []string{"internal/outbound/dnstest"}, "only a test speaks the language of name servers"},
	{
		"net/http",
		[]string{"client", "cmd/stdops", "conformance", "internal/api", "internal/api/sops", "internal/api/ui", "internal/api/v1", "internal/app", "internal/bench", "internal/outbound"},
		"what is inside knows no wire",
	},
}

// pure are the packages that decide and must not reach outside: they are given everything, time and chance included.
var pure = []string{".", "internal/exchange", "internal/expr", "internal/flow", "internal/status"}

// outside are the doors that a pure package has no business with.
var outside = []string{"crypto/rand", "database/sql", "log/slog", "math/rand", "math/rand/v2", "net", "net/http", "os", "os/exec", "syscall"}

// timed are the packages that decide or record by the time of the server, which they are given: the clock of the machine may
// be set at any moment.
var timed = []string{
	"internal/api/sops", "internal/api/ui", "internal/api/v1", "internal/engine", "internal/plugin", "internal/plugin/builtin",
	"internal/queue", "internal/service", "internal/status", "internal/store",
}

// mayMeasure are files of those packages that ask the clock of the machine all the same, and why.
var mayMeasure = map[string]string{
	"internal/api/v1/watch.go": "bounds how long a reader may take",
	"internal/store/damage.go": "tells how long a check took",
	"internal/store/store.go":  "takes it for those who do not mind",
}

// clocks are the functions that ask the clock of the machine.
var clocks = regexp.MustCompile(`\btime\.(Now|Since|Until)\b`)

// badNames say nothing about what a package holds.
var badNames = []string{"base", "common", "helper", "helpers", "misc", "mocks", "models", "shared", "types", "util", "utils"}

const longestFile = 600 // lines

// listed is what `go list` tells of a package.
type listed struct {
	ImportPath   string
	Dir          string
	Name         string
	Doc          string
	Imports      []string
	TestImports  []string
	XTestImports []string
	CgoFiles     []string
}

// path gives the package's place in the module, "." for the root.
func (p *listed) path() string { return place(p.ImportPath) }

func place(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

func ours(importPath string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

// packages asks go list. go test repeats a cached result only while every file that the test itself has read is as it was;
// TestFileLength reads them all, so no edge gets past in the shadow of the cache.
func packages(t *testing.T) []*listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Name,Doc,Imports,TestImports,XTestImports,CgoFiles", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []*listed
	for in := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &listed{}
		if err := in.Decode(p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestImports holds every package to the import table.
func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		allowed, known := edges[p.path()]
		if !known {
			t.Errorf("%s is not in the import table: say there what it may import and why", p.path())
			continue
		}
		for to := range allowed {
			if !slices.Contains(p.Imports, module+"/"+to) && p.path() != "conformance" { // whose tests only use it
				t.Errorf("%s may import %s, but does not: take the edge out of the import table", p.path(), to)
			}
		}
		for _, imported := range p.Imports {
			if !ours(imported) || (imported == module && p.path() != "client") {
				continue
			}
			if allowed[place(imported)] == "" {
				t.Errorf("%s imports %s, which the import table does not allow", p.path(), place(imported))
			}
		}
	}
}

// forTests are packages that tests may use wherever they stand, and nobody else.
var forTests = []string{"internal/outbound/dnstest", "internal/store/disktest", "internal/store/pgtest"}

// TestTestImports lets the tests of a package use what lies below it, at any depth, and never what lies above or beside.
func TestTestImports(t *testing.T) {
	t.Parallel()
	height := heights(t)
	for _, p := range packages(t) {
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if !ours(imported) || imported == p.ImportPath || imported == module || slices.Contains(forTests, place(imported)) {
				continue
			}
			if height[place(imported)] >= height[p.path()] {
				t.Errorf("the tests of %s import %s, which does not lie below it", p.path(), place(imported))
			}
		}
	}
}

// heights gives for each package of the import table how many layers lie below it.
func heights(t *testing.T) map[string]int {
	t.Helper()
	height := make(map[string]int, len(edges))
	var measure func(p string, above []string) int
	measure = func(p string, above []string) int {
		if slices.Contains(above, p) {
			t.Fatalf("the import table has a cycle: %s", strings.Join(append(above, p), " → "))
		}
		if h, done := height[p]; done {
			return h
		}
		h := 0
		for below := range edges[p] {
			h = max(h, 1+measure(below, append(slices.Clone(above), p)))
		}
		height[p] = h
		return h
	}
	for p := range edges {
		measure(p, nil)
	}
	return height
}

// TestTable keeps the table itself true: what it names exists, and each edge has a reason.
func TestTable(t *testing.T) {
	t.Parallel()
	for _, p := range slices.Sorted(maps.Keys(edges)) {
		for to, why := range edges[p] {
			if why == "" {
				t.Errorf("%s → %s has no reason", p, to)
			}
			if _, known := edges[to]; !known {
				t.Errorf("%s → %s: the table has no line for %s", p, to, to)
			}
		}
		if files, _ := filepath.Glob(filepath.Join(p, "*.go")); len(files) == 0 {
			t.Errorf("the table names %s, where no package is", p)
		}
	}
}

// TestRooms keeps libraries in the rooms that they belong to. Tests may use them everywhere.
func TestRooms(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		for _, room := range rooms {
			for _, imported := range p.Imports {
				if within(imported, room.library) && !slices.Contains(room.in, p.path()) {
					t.Errorf("%s imports %s: %s", p.path(), imported, room.why)
				}
			}
		}
	}
}

func within(imported, library string) bool {
	return imported == library || strings.HasSuffix(library, "/") && strings.HasPrefix(imported, library)
}

// TestPure keeps the packages that decide free of everything that could make them decide otherwise the next time.
func TestPure(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			if slices.Contains(pure, p.path()) && slices.Contains(outside, imported) {
				t.Errorf("%s is pure, but imports %s", p.path(), imported)
			}
		}
	}
}

// TestTime keeps those who decide or record from asking the clock of the machine.
func TestTime(t *testing.T) {
	t.Parallel()
	for _, dir := range timed {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: %d files, %v", dir, len(files), err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			asks, may := clocks.Find(source), mayMeasure[filepath.ToSlash(file)] != ""
			switch {
			case strings.HasSuffix(file, "_test.go"):
			case asks != nil && !may:
				t.Errorf("%s asks the clock of the machine (%s): the time of the server is given to it", file, asks)
			case asks == nil && may:
				t.Errorf("%s may ask the clock of the machine, but does not: take it out of the table", file)
			}
		}
	}
}

// TestPackages holds packages to their names, their doc comments and to Go alone.
func TestPackages(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if slices.Contains(badNames, p.Name) || slices.Contains(badNames, path.Base(p.path())) {
			t.Errorf("%s: the name does not say what the package holds", p.path())
		}
		begin := "Package " + p.Name + " "
		if p.Name == "main" {
			begin = "Command " + path.Base(p.path()) + " "
		}
		if !strings.HasPrefix(p.Doc, begin) {
			t.Errorf("%s: its doc comment does not begin with %q", p.path(), begin)
		}
		if len(p.CgoFiles) > 0 {
			t.Errorf("%s needs a C compiler: %v", p.path(), p.CgoFiles)
		}
	}
}

// TestFileLength finds files that have become two.
func TestFileLength(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && file != ".") {
			return fs.SkipDir
		}
		if filepath.Ext(file) != ".go" {
			return nil
		}
		source, err := os.ReadFile(file)
		if lines := bytes.Count(source, []byte("\n")); lines > longestFile && !generated(source) {
			t.Errorf("%s has %d lines: split it by noun or verb (at most %d)", file, lines, longestFile)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func generated(source []byte) bool {
	return bytes.HasPrefix(source, []byte("// Code generated ")) || bytes.Contains(source, []byte("\n// Code generated "))
}
