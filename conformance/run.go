// Package conformance drives a server from outside, over HTTP, with the cases of the folder cases, and compares what it
// answers. The notation of the cases is described in README.md.
//
// The package knows the server by its wire only: apart from the vocabulary of package stdops (ordered JSON values) it
// imports nothing of this module. What starts a server for the cases stands in the tests.
package conformance

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stdops/stdops"
)

// loadCases reads every case file of a folder; the name inside a file must be that of the file.
func loadCases(folder string) ([]*stdops.Object, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	cases := make([]*stdops.Object, 0, len(files))
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		spec := &stdops.Object{}
		if err := spec.UnmarshalJSON(raw); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if want := strings.TrimSuffix(filepath.Base(file), ".json"); spec.Text("name") != want {
			return nil, fmt.Errorf("%s: the case names itself %q", file, spec.Text("name"))
		}
		cases = append(cases, spec)
	}
	return cases, nil
}

// task is a task that a case created.
type task struct {
	id    int64
	name  string
	nodes map[string]place // by path, "S/A" for node A of subprocess S
	paths []string         // in order of the tree
}

// place is where a node of a task stands.
type place struct {
	id    string
	stack []any // ids of the subprocess nodes around it
	node  *stdops.Object
	tree  *stdops.Object // the level it belongs to
}

func newTask(id int64, name string, tree *stdops.Object) *task {
	t := &task{id: id, name: name, nodes: map[string]place{}}
	t.index(tree, "", []any{})
	return t
}

func (t *task) index(tree *stdops.Object, prefix string, stack []any) {
	for _, node := range nodesOf(tree) {
		path, id := prefix+node.Text("name"), node.Text("id")
		t.nodes[path] = place{id: id, stack: stack, node: node, tree: tree}
		t.paths = append(t.paths, path)
		if below := child(node, "pipeline"); node.Text("type") == "SubProcess" && below.Len() > 0 {
			t.index(below, path+"/", append(stack[:len(stack):len(stack)], id))
		}
	}
}

func (t *task) idOf(path string) (string, error) {
	found, ok := t.nodes[path]
	if !ok {
		return "", &mismatch{"node " + path, "<a node of the created tree>", sortedKeys(t.nodes)}
	}
	return found.id, nil
}

// names gives the nodes of all levels by id.
func (t *task) names() map[string]*stdops.Object {
	nodes := make(map[string]*stdops.Object, len(t.nodes))
	for _, p := range t.nodes {
		nodes[p.id] = p.node
	}
	return nodes
}

// run is one run of one case.
type run struct {
	matcher
	server  *server
	spec    *stdops.Object
	tasks   map[string]*task
	aliases []string          // of the tasks, in order of creation
	built   map[string]string // node name → id in the tree last sent
	unique  string            // keeps the names of this run apart from those of others
}

func newRun(s *server, spec *stdops.Object) *run {
	var random [3]byte
	_, _ = rand.Read(random[:]) // never fails
	return &run{
		matcher: matcher{saved: map[string]any{}}, server: s, spec: spec, tasks: map[string]*task{},
		unique: hex.EncodeToString(random[:]),
	}
}

// play runs all steps of the case; its error names the step.
func (r *run) play(ctx context.Context) error {
	steps := list(r.spec, "steps")
	if len(steps) == 0 {
		steps = []any{"create", "start", stdops.NewObject("wait", stdops.NewObject("root", "FINISHED"))}
	}
	if check, ok := r.spec.Get("check"); ok {
		steps = append(steps[:len(steps):len(steps)], stdops.NewObject("check", check))
	}
	for i, step := range steps {
		object, ok := step.(*stdops.Object)
		if verb, plain := step.(string); plain {
			object, ok = stdops.NewObject(verb, &stdops.Object{}), true
		}
		if !ok || object.Len() == 0 {
			return fmt.Errorf("step %d: no verb in %s", i+1, brief(step))
		}
		if err := r.do(ctx, object); err != nil {
			return fmt.Errorf("step %d %s: %w", i+1, object.Keys()[0], err)
		}
	}
	return nil
}

// do runs one step; its first key is the verb.
func (r *run) do(ctx context.Context, step *stdops.Object) error {
	verb := step.Keys()[0]
	arg, _ := step.Get(verb)
	switch verb {
	case "create":
		return r.create(ctx, arg, step)
	case "create_many":
		return r.createMany(ctx, arg, step)
	case "start":
		return r.start(ctx, arg, step)
	case "op":
		return r.operate(ctx, arg, step)
	case "node":
		return r.operateNode(ctx, arg, step)
	case "callback":
		return r.callback(ctx, arg, step)
	case "constants":
		return r.constants(ctx, arg, step)
	case "sleep":
		return r.sleep(ctx, arg)
	case "wait":
		return r.wait(ctx, arg, step)
	case "watch":
		return r.watch(ctx, arg, step)
	case "save":
		return r.save(ctx, arg, step)
	case "race":
		return r.race(ctx, arg, step)
	case "check":
		return r.check(ctx, arg, step)
	case "http":
		return r.raw(ctx, arg, step)
	}
	return fmt.Errorf("unknown step %s", verb)
}

// taskOf gives the task that a step is about.
func (r *run) taskOf(step *stdops.Object) (*task, error) {
	return r.taskNamed(asText(get(step, "task", "main")))
}

func (r *run) taskNamed(alias string) (*task, error) {
	if t, ok := r.tasks[alias]; ok {
		return t, nil
	}
	return nil, fmt.Errorf("no task %q was created", alias)
}

// judge compares an answer with "error" and "message" of a step; without them the call must have succeeded.
func (r *run) judge(answer, step *stdops.Object, what string) error {
	result, _ := answer.Get("result")
	code, _ := answer.Get("code")
	if want, ok := step.Get("error"); ok {
		if result == true || !isOneOf(code, want) {
			return &mismatch{what, "<result false, code " + brief(want) + ">", answer}
		}
	} else if result != true || !equal(code, int64(0)) {
		return &mismatch{what, "<result true, code 0>", answer}
	}
	if pattern, ok := step.Get("message"); ok {
		message, _ := answer.Get("message")
		return r.match(stdops.NewObject("$re", pattern), message, what+".message")
	}
	return nil
}

// isOneOf reports whether value is want, or one of them when want is a list.
func isOneOf(value, want any) bool {
	if several, ok := want.([]any); ok {
		return contains(several, value)
	}
	return equal(value, want)
}

// asMismatch tells a failed expectation from a broken case or connection.
func asMismatch(err error) (*mismatch, bool) {
	var m *mismatch
	ok := errors.As(err, &m)
	return m, ok
}
