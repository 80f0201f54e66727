package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
)

// serveLike is what `stdops serve` does with the arguments of the bench: the servers of these tests are this test binary.
func serveLike(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if len(args) < 10 || args[0] != "serve" || args[3] != "--data-dir" || args[7] != "--test-plugins" || args[9] != "rate=0" {
		return fmt.Errorf("arguments %q", args)
	}
	limits := stdops.DefaultLimits()
	limits.Rate = 0
	var db string
	var roles app.Roles
	switch more := args[10:]; {
	case len(more) == 4 && more[0] == "--db" && more[2] == "--roles" && more[3] == "worker":
		db, roles = more[1], app.Roles{NoAPI: true}
	case len(more) == 2 && more[0] == "--db":
		db = more[1]
	case len(more) > 0:
		return fmt.Errorf("arguments %q", more)
	}
	a, err := app.New(ctx, app.Options{
		Listen: args[2], DataDir: args[4], DB: db, Roles: roles, TimeZone: args[6], TestPlugins: true, Limits: &limits,
		BootstrapAppCode: os.Getenv("STDOPS_BOOTSTRAP_APP_CODE"), BootstrapAppSecret: os.Getenv("STDOPS_BOOTSTRAP_APP_SECRET"),
		Log: slog.New(slog.NewJSONHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	if err := a.Wait(ctx); err != nil {
		return err
	}
	return a.Stop(context.Background())
}

// TestMemory runs the whole bench with a few hostile requests, and never looks at how much.
func TestMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/clear_refs"); err != nil {
		t.Skip("the memory of another process can be measured on Linux only")
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	inputs := filepath.Join(t.TempDir(), "inputs.jsonl")
	var lines strings.Builder
	for _, body := range []string{`{"a":1`, `@@repeat(1000,[)@@`, `@@hex(ff,fe)@@`, `@@raw(TE.CL)@@`, `@@tree(60 exclusive diamonds in series)@@`} {
		line, err := json.Marshal(hostile{Name: body, Method: "POST", Endpoint: "/fast_create_task/2/", Body: body})
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	if err := os.WriteFile(inputs, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var told []string
	report, err := Memory(t.Context(), MemoryOptions{
		Program: program, Inputs: inputs, Nodes: 200, Tasks: 10, Rounds: 1, Progress: func(name string) { told = append(told, name) },
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"tree of 200 nodes", "10 tasks that wait", "10 more that the engine drives", "hostile requests, each 50 at once"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	if len(report.Figures) != 5 {
		t.Errorf("%d figures", len(report.Figures))
	}
	for _, f := range report.Figures {
		if f.Name == "" || f.Unit == "" || len(f.Rounds) != 1 || f.Median < 0 || f.Goal.AtMost == 0 {
			t.Errorf("%+v", f)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a":1}`:                             `{"a":1}`,
		`[1@@repeat(3,,1)@@]`:                 `[1,1,1,1]`,
		`"@@hex(ff,fe)@@"`:                    "\"\xff\xfe\"",
		`{"file":"@@data_dir@@/key"}`:         `{"file":"@@data_dir@@/key"}`,
		`{"action":"@@alternate(pause,x)@@"}`: `{"action":"pause"}`,
	} {
		if got, err := expand(text); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	if zip, err := expand(`@@gzip_zeros(2097152)@@`); err != nil || len(zip) > 1<<16 || !strings.HasPrefix(string(zip), "\x1f\x8b") {
		t.Errorf("%d bytes, %v", len(zip), err)
	}
	for _, bad := range []string{"@@repeat(x,a)@@", "@@hex(f)@@", "@@other(1)@@"} {
		if _, err := expand(bad); err == nil {
			t.Errorf("%s is not refused", bad)
		}
	}
}

// TestHostileFile: every line of the file that the Makefile names can be sent.
func TestHostileFile(t *testing.T) {
	t.Parallel()
	list, err := readHostile("../api/sops/testdata/badinputs.jsonl")
	if err != nil || len(list) < 90 {
		t.Fatalf("%d lines, %v", len(list), err)
	}
	sent := 0
	for _, h := range list {
		if h.unsent() || h.isLarge() || strings.HasPrefix(h.Body, "@@tree(") {
			continue
		}
		if _, err := expand(h.Body); err != nil {
			t.Errorf("%s: %v", h.Name, err)
		}
		sent++
	}
	if sent < len(list)-6 {
		t.Errorf("%d of %d lines are sent", sent, len(list))
	}
}

// TestWide_nodes: the large tree has as many nodes as it is told to.
func TestWide_nodes(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{fewestWide, 150, 10_000, 10_001} {
		activities, _ := wide(nodes).Get("activities")
		if got := activities.(*stdops.Object).Len() + 4; got != nodes {
			t.Errorf("%d nodes, not %d", got, nodes)
		}
		flow, before := tailed(2 * nodes)
		activities, _ = flow.Get("activities")
		if got := activities.(*stdops.Object).Len() + 4; got != 2*nodes || before != nodes {
			t.Errorf("with a tail: %d nodes, %d before it, not %d and %d", got, before, 2*nodes, nodes)
		}
	}
}

func TestMemoryOptions_check(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*MemoryOptions)
		want   string
	}{
		{func(*MemoryOptions) {}, ""},
		{func(o *MemoryOptions) { o.Nodes = 103 }, "nodes must be between 104 and 20000"},
		{func(o *MemoryOptions) { o.Nodes = 20_001 }, "nodes must be between 104 and 20000"},
		{func(o *MemoryOptions) { o.Tasks = 0 }, "tasks must be between 1 and 10000"},
		{func(o *MemoryOptions) { o.Rounds = 0 }, "rounds must be at least 1"},
	} {
		o := MemoryOptions{Nodes: 200, Tasks: 1, Rounds: 1}
		c.change(&o)
		got := ""
		if err := o.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", o, got, c.want)
		}
	}
}
