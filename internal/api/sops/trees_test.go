package sops_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// largeTree builds the trees whose text would not fit a file.
func (f *fixture) largeTree(t *testing.T, what string) *stdops.Object {
	t.Helper()
	switch {
	case strings.HasPrefix(what, "serial"):
		names := make([]string, 10_000)
		for i := range names {
			names[i] = fmt.Sprintf("A%d", i)
		}
		return chain(names...)
	case strings.HasPrefix(what, "parallel"):
		return wide(5000)
	case strings.HasPrefix(what, "60 exclusive"):
		return diamonds(60)
	default:
		return f.bomb(t, 9, 10)
	}
}

// builder builds trees node by node.
type builder struct {
	acts, gates, flows stdops.Object
	in, out            map[string][]any
}

func newBuilder() *builder { return &builder{in: map[string][]any{}, out: map[string][]any{}} }

func (b *builder) link(from, to string) string {
	id := fmt.Sprintf("l%d", b.flows.Len())
	b.flows.Set(id, stdops.NewObject("id", id, "source", from, "target", to))
	b.out[from] = append(b.out[from], id)
	b.in[to] = append(b.in[to], id)
	return id
}

func (b *builder) activity(id string) {
	b.acts.Set(id, stdops.NewObject("id", id, "type", "ServiceActivity", "name", id,
		"component", stdops.NewObject("code", "debug_no_schedule_node", "data", &stdops.Object{})))
}

func (b *builder) gateway(id, kind string) {
	b.gates.Set(id, stdops.NewObject("id", id, "type", kind, "name", ""))
}

// tree completes the nodes by their flows.
func (b *builder) tree() *stdops.Object {
	for _, id := range b.acts.Keys() {
		node := at(&b.acts, id)
		node.Set("incoming", b.in[id])
		node.Set("outgoing", b.out[id][0])
	}
	for _, id := range b.gates.Keys() {
		node := at(&b.gates, id)
		node.Set("incoming", b.in[id])
		node.Set("outgoing", b.out[id])
		if node.Text("type") == "ConvergeGateway" {
			node.Set("outgoing", b.out[id][0])
		}
	}
	return stdops.NewObject(
		"start_event", stdops.NewObject("id", "start", "name", "", "type", "EmptyStartEvent", "incoming", "", "outgoing", b.out["start"][0]),
		"end_event", stdops.NewObject("id", "end", "name", "", "type", "EmptyEndEvent", "incoming", b.in["end"], "outgoing", ""),
		"activities", &b.acts, "gateways", &b.gates, "flows", &b.flows, "constants", &stdops.Object{}, "outputs", []any{},
	)
}

// wide makes one parallel gateway with one activity on each branch.
func wide(branches int) *stdops.Object {
	b := newBuilder()
	b.gateway("P", "ParallelGateway")
	b.gateway("C", "ConvergeGateway")
	b.link("start", "P")
	for i := range branches {
		id := fmt.Sprintf("A%d", i)
		b.activity(id)
		b.link("P", id)
		b.link(id, "C")
	}
	b.link("C", "end")
	return b.tree()
}

// diamonds makes exclusive gateways in a row whose two branches meet again: 2^n paths.
func diamonds(n int) *stdops.Object {
	b := newBuilder()
	last := "start"
	for i := range n {
		gate, join := fmt.Sprintf("G%d", i), fmt.Sprintf("C%d", i)
		b.gateway(gate, "ExclusiveGateway")
		b.gateway(join, "ConvergeGateway")
		b.link(last, gate)
		conditions := &stdops.Object{}
		for _, side := range []string{"a", "b"} {
			id := fmt.Sprintf("%s%d", side, i)
			b.activity(id)
			conditions.Set(b.link(gate, id), stdops.NewObject("evaluate", "1 == 1"))
			b.link(id, join)
		}
		at(&b.gates, gate).Set("conditions", conditions)
		last = join
	}
	b.link(last, "end")
	return b.tree()
}

// bomb stores flows that each refer to the one before it several times, and gives the outermost. It stores them directly:
// create_template would refuse the first that is too large.
func (f *fixture) bomb(t *testing.T, levels, children int) *stdops.Object {
	t.Helper()
	tree := chain("A")
	for level := range levels {
		body, err := tree.MarshalJSON()
		must(t, err)
		stored, err := f.store.CreateTemplate(t.Context(), store.Template{
			Project: 1, Name: fmt.Sprint(level), Creator: "root", Created: f.store.Now(),
		}, body)
		must(t, err)
		b := newBuilder()
		last := "start"
		for i := range children {
			id := fmt.Sprintf("S%d", i)
			b.acts.Set(id, stdops.NewObject("id", id, "type", "SubProcess", "name", id, "template_id", int64(stored.ID), "constants", &stdops.Object{}))
			b.link(last, id)
			last = id
		}
		b.link(last, "end")
		tree = b.tree()
	}
	return tree
}
