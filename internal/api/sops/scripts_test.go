package sops_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/script"
)

// scripts lets flows of tests run scripts: as another user where the tests run as root, else as their own user.
func scripts(t testing.TB) []plugin.Plugin {
	t.Helper()
	if runtime.GOOS != "linux" {
		return nil
	}
	setting := "same-user"
	if os.Geteuid() == 0 {
		setting = "user:bin"
	}
	as, err := script.ParseAs(setting)
	must(t, err)
	return []plugin.Plugin{script.New(as)}
}

// checkScript lets the task of a line run to its end and looks at what its script did.
func (f *fixture) checkScript(t *testing.T, s *server, a answer, line badInput) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("scripts run on Linux only")
	}
	if !a.ok() {
		t.Fatalf("the task is refused: %s", a.raw)
	}
	value, _ := a.data().Get("task_id")
	id := value.(int64)
	echo := at(a.data(), "pipeline_tree")
	r := ran{server: s, t: t, id: id, node: nodeNamed(echo, "n1")}
	if line.Name == "script-read-db" { // what keeps the files from others must be they themselves, not the directory of the test
		must(t, os.Chmod(filepath.Dir(f.dir), 0o755))
		must(t, os.Chmod(f.dir, 0o755))
	}
	s.start(id)
	r.state = s.awaitEnd(id)
	if left := leftBehind(t, r.data(r.node).Text("version")); left > 0 {
		t.Errorf("%d processes were left behind", left)
	}
	log := s.nodeLog(id, url.Values{"node_id": {r.node}})
	if r.log = log.body.Text("data"); !log.ok() {
		t.Errorf("log: %s", log.raw)
	}
	r.check(f, line, nodeNamed(echo, "n2"))
}

// awaitEnd waits until a task has finished or failed.
func (s *server) awaitEnd(id int64) (state string) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if state = s.state(id); state == "FINISHED" || state == "FAILED" {
			return state
		}
	}
	s.t.Fatalf("task %d is %s and does not end", id, state)
	return ""
}

// leftBehind counts processes of an attempt: its version is in the key that they have in their environment.
func leftBehind(t *testing.T, version string) (count int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	must(t, err)
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && version != "" && strings.Contains(string(text), "."+version+".") {
			count++
		}
	}
	return count
}

// ran is a task whose script has ended.
type ran struct {
	*server
	t     *testing.T
	id    int64
	node  string
	state string
	log   string
}

func (r *ran) data(node string) *stdops.Object {
	r.t.Helper()
	return r.nodeDetail(r.id, url.Values{"node_id": {node}}).data()
}

func (r *ran) output(key string) string {
	list, _ := r.data(r.node).Get("outputs")
	for _, item := range list.([]any) {
		if o := item.(*stdops.Object); o.Text("key") == key {
			return o.Text("value")
		}
	}
	return ""
}

func (r *ran) want(state string) {
	r.t.Helper()
	if r.state != state {
		r.t.Errorf("the task is %s, want %s: %s", r.state, state, encoded(r.t, r.data(r.node)))
	}
}

func (r *ran) check(f *fixture, line badInput, next string) {
	r.t.Helper()
	switch line.Name {
	case "script-fork-bomb": // its first process ends well at once, so it is FINISHED, whatever the line says; the rest ends with it
		if f.state(f.numbers["102"]) != "FINISHED" {
			r.t.Error("another task suffers")
		}
	case "script-output-flood":
		r.want("FINISHED")
		if out := r.output("stdout"); len(out) != 64<<10 || strings.Trim(out, "y\n") != "" {
			r.t.Errorf("stdout has %d bytes", len(out))
		}
		if len(r.log) < stdops.DefaultLog || len(r.log) > stdops.DefaultLog+100 || !strings.HasSuffix(r.log, "limit of 1 MiB]\n") {
			r.t.Errorf("the log has %d bytes", len(r.log))
		}
	case "script-setsid-orphan":
		r.want("FINISHED")
		if r.output("stdout") != "ok\n" {
			r.t.Errorf("stdout %q", r.output("stdout"))
		}
	case "script-read-db":
		r.want("FAILED")
		if strings.Contains(r.log, "SQLite format 3") && os.Geteuid() == 0 {
			r.t.Error("a script has read the database")
		}
	case "script-env":
		r.harmlessEnvironment()
	case "script-invalid-utf8-out":
		r.want("FINISHED")
		if want := "\uFFFD\uFFFDok"; r.output("stdout") != want || !strings.Contains(r.log, want) {
			r.t.Errorf("stdout %q, log %q", r.output("stdout"), r.log)
		}
	case "expr-second-order":
		r.want("FINISHED")
		if got, want := at(r.data(next), "inputs").Text("x"), `${__import__("os")}`; got != want {
			r.t.Errorf("input x of n2 is %q, want %q", got, want)
		}
	case "expr-secret-in-name":
		r.want("FINISHED")
		if got := at(r.data(r.node), "inputs").Text("script"); got != "echo "+stdops.Hidden || r.log == "" || strings.Contains(r.log, "canary") {
			r.t.Errorf("the script is %q, the log %q", got, r.log)
		}
	case "expr-repeat-bomb", "expr-pow-bomb", "expr-nested-comp":
		r.want("FAILED")
		if text := r.data(r.node).Text("ex_data"); !strings.Contains(text, "expression limit") {
			r.t.Errorf("ex_data %q", text)
		}
	default:
		r.literal(line)
	}
}

// harmlessEnvironment looks for what the server has and a script must not have.
func (r *ran) harmlessEnvironment() {
	r.t.Helper()
	for text := range strings.SplitSeq(r.output("stdout"), "\n") {
		name, _, _ := strings.Cut(text, "=")
		if strings.HasPrefix(name, "STDOPS_") && name != "STDOPS_IDEMPOTENCY_KEY" && !strings.HasPrefix(name, "STDOPS_VAR_") {
			r.t.Errorf("the environment has %s", text)
		}
		for _, entry := range os.Environ() {
			if other, value, _ := strings.Cut(entry, "="); value != "" && text == entry && other != "PATH" && other != "HOME" && other != "USER" && other != "LOGNAME" && other != "LANG" && other != "PWD" {
				r.t.Errorf("the environment has %s of the server", other)
			}
		}
	}
	if !strings.Contains(r.output("stdout"), "STDOPS_IDEMPOTENCY_KEY=") {
		r.t.Errorf("stdout %q", r.output("stdout"))
	}
}

// literal holds that a value that is no expression, or a forbidden one, was passed on as it is.
func (r *ran) literal(line badInput) {
	r.t.Helper()
	var body struct {
		Tree struct {
			Constants map[string]struct{ Value any }
		} `json:"pipeline_tree"`
	}
	must(r.t, json.Unmarshal([]byte(line.Body), &body))
	want := fmt.Sprintf("echo %v", body.Tree.Constants["${v}"].Value)
	if got := at(r.data(r.node), "inputs").Text("script"); got != want {
		r.t.Errorf("the script is %q, want %q", got, want)
	}
	if _, err := os.Stat("/tmp/stdops_pwn"); err == nil {
		r.t.Error("the expression was carried out")
	}
}

// A script finds the variables of the pipeline around it in its environment, evaluated, and values cannot become commands.
func TestScriptVariables(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("scripts run on Linux only")
	}
	s := setup(t)
	tree := uses(chain("A:shell_script", "B:shell_script"), "node0", "script", "printf 'it is $(id)'")
	tree = uses(tree, "node1", "script", `printf '%s|' "$STDOPS_VAR_name" "$STDOPS_VAR_twice" "$STDOPS_VAR_list" "$STDOPS_VAR_out" "${STDOPS_VAR_bomb-unset}"`)
	constants := at(tree, "constants")
	for name, value := range map[string]any{
		"name": "it's $HOME `id`; echo", "twice": "${name*2}", "list": []any{int64(1), "x"}, "bomb": "${name*9**9}",
	} {
		key := "${" + name + "}"
		constants.Set(key, stdops.NewObject("key", key, "name", name, "value", value, "show_type", "show",
			"source_type", "custom", "custom_type", "input", "source_info", &stdops.Object{}))
	}
	constants.Set("${out}", stdops.NewObject("key", "${out}", "name", "out", "value", "", "show_type", "hide",
		"source_type", "component_outputs", "custom_type", "", "source_info", stdops.NewObject("node0", []any{"stdout"})))
	id, echo := s.create(tree)
	s.start(id)
	state := s.awaitEnd(id)
	r := ran{server: s, t: t, id: id, node: nodeNamed(echo, "B"), state: state}
	const name = "it's $HOME `id`; echo"
	if got, want := r.output("stdout"), name+"|"+name+name+`|[1,"x"]|it is $(id)|unset|`; got != want || state != "FINISHED" {
		t.Errorf("the script has printed %q, want %q", got, want)
	}
}
