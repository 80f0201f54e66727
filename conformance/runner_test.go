package conformance

import (
	"context"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/stdops/stdops"
)

// processes lets as many processes with a PostgreSQL database between them answer the cases; 0 is one server in this process
// on the embedded store.
var processes = flag.Int("processes", 0, "play the cases against so many processes on one PostgreSQL database")

// TestMain lets more cases run at the same time than there are processors, unless -parallel says otherwise: they spend
// their time waiting for the server.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(serveEnv) != "" {
		os.Exit(serveCases())
	}
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", "8"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// TestCases runs every case of the folder cases against a server of its own, or against the one that BASE names.
func TestCases(t *testing.T) {
	cases, err := loadCases("cases")
	if err != nil {
		t.Fatal(err)
	}
	later, err := loadLater("later.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := serverUnderTest(t)
	if err := s.chooseChildren(t.Context()); err != nil {
		t.Fatalf("the server does not answer: %v", err)
	}
	for _, spec := range cases {
		t.Run(spec.Text("name"), func(t *testing.T) {
			t.Parallel()
			runCase(t, newRun(s, spec), later[spec.Text("name")])
		})
	}
}

// runCase plays a case. One that is due later is skipped; with LATER=check it is played too, and must not pass.
func runCase(t *testing.T, r *run, later string) {
	if later != "" && os.Getenv("LATER") != "check" {
		t.Skip("later: " + later)
	}
	ctx, cancel := context.WithTimeout(t.Context(), r.patient(int64(120)))
	defer cancel()
	err := r.play(ctx)
	switch {
	case later != "" && err == nil:
		t.Error("passes now: remove it from later.txt")
	case later != "":
		t.Skipf("later: %s (%v)", later, err)
	case err != nil:
		t.Errorf("%s\n%v", r.spec.Text("about"), err)
	}
}

// serverUnderTest gives the server of the environment (BASE, APP_CODE, APP_SECRET, ACTING_USER, PROJECT, BIZ,
// PATIENCE), or one that this process starts. BASE may name several processes of one server.
func serverUnderTest(t *testing.T) *server {
	s := &server{
		bases: strings.Fields(os.Getenv("BASE")), code: setting("APP_CODE", "conformance"),
		secret: setting("APP_SECRET", "conformance-secret"), user: setting("ACTING_USER", "admin"),
		project: int64(numeric(t, "PROJECT", 1)), biz: int64(numeric(t, "BIZ", 2)), patience: numeric(t, "PATIENCE", 1),
	}
	s.http = newHTTPClient(s.patience)
	t.Cleanup(s.http.CloseIdleConnections)
	switch {
	case len(s.bases) > 0:
	case *processes > 0:
		s.bases = startProcesses(t, *processes, s.code, s.secret)
	default:
		s.bases = []string{startServer(t, s.code, s.secret)}
	}
	return s
}

func setting(name, other string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return other
}

func numeric(t *testing.T, name string, other float64) float64 {
	v, err := strconv.ParseFloat(setting(name, strconv.FormatFloat(other, 'f', -1, 64)), 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// TestLaterNamesCases keeps later.txt true: it lists cases that exist.
func TestLaterNamesCases(t *testing.T) {
	t.Parallel()
	later, err := loadLater("later.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name := range later {
		if _, err := os.Stat("cases/" + name + ".json"); err != nil {
			t.Errorf("later.txt names %s: %v", name, err)
		}
	}
}

// TestCaseFiles reads every case and expands every flow in it, so that a mistake in a case shows without a server.
func TestCaseFiles(t *testing.T) {
	t.Parallel()
	cases, err := loadCases("cases")
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range cases {
		for _, key := range []string{"name", "about", "origin"} {
			if spec.Text(key) == "" {
				t.Errorf("%s: %s is empty", spec.Text("name"), key)
			}
		}
		for _, flow := range flowsIn(spec) {
			if _, err := buildTree(clone(flow).(*stdops.Object)); err != nil {
				t.Errorf("%s: %v", spec.Text("name"), err)
			}
		}
	}
}

// flowsIn gives every object with a flow in the notation, at any depth of a case.
func flowsIn(v any) []*stdops.Object {
	var found []*stdops.Object
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			found = append(found, flowsIn(item)...)
		}
	case *stdops.Object:
		if list(v, "flow") != nil {
			found = append(found, v)
		}
		for _, key := range v.Keys() {
			item, _ := v.Get(key)
			found = append(found, flowsIn(item)...)
		}
	}
	return found
}
