package conformance

import (
	"fmt"
	"strings"

	"github.com/stdops/stdops"
)

// treeBuilder expands the compact flow notation of the README to a full pipeline tree, with the fields that an editor
// sends (line, location).
type treeBuilder struct {
	count     int
	nodes     *stdops.Object // by name, in order of appearance
	edges     []*edge
	constants *stdops.Object
	err       error // the first mistake in the notation
}

// edge is a flow; its target is a node, or the name of one that may come later.
type edge struct {
	id     string
	source *stdops.Object
	target *stdops.Object
	name   string
}

// head is an open end that waits for the next node; branch holds its condition where it leaves a gateway with conditions.
type head struct {
	node   *stdops.Object
	branch *stdops.Object
}

// buildTree expands a spec with flow, constants, outputs and perhaps start_name, end_name.
func buildTree(spec *stdops.Object) (*stdops.Object, error) {
	b := &treeBuilder{nodes: &stdops.Object{}, constants: &stdops.Object{}}
	start := b.node("EmptyStartEvent", asText(get(spec, "start_name", "start")))
	heads := b.sequence(list(spec, "flow"), []head{{node: start}})
	end := b.node("EmptyEndEvent", asText(get(spec, "end_name", "end")))
	b.connectAll(heads, end)
	given := child(spec, "constants")
	for _, key := range given.Keys() {
		value, _ := given.Get(key)
		b.constant(key, value)
	}
	tree := b.tree(start, end)
	tree.Set("constants", b.constants)
	tree.Set("outputs", get(spec, "outputs", []any{}))
	return tree, b.err
}

func (b *treeBuilder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("flow notation: "+format, args...)
	}
}

func (b *treeBuilder) newID(prefix string) string {
	b.count++
	return fmt.Sprintf("%s%028x", prefix, b.count)
}

func (b *treeBuilder) node(kind, name string, extra ...any) *stdops.Object {
	node := stdops.NewObject("id", b.newID("node"), "type", kind, "name", name, "incoming", []any{}, "outgoing", []any{})
	update(node, stdops.NewObject(extra...))
	if has(b.nodes, name) {
		b.fail("node name used twice: %s", name)
	}
	b.nodes.Set(name, node)
	return node
}

func (b *treeBuilder) connectAll(heads []head, target *stdops.Object) {
	for _, h := range heads {
		b.connect(h, &edge{target: target})
	}
}

func (b *treeBuilder) connect(from head, to *edge) {
	to.id, to.source = b.newID("line"), from.node
	b.edges = append(b.edges, to)
	push(from.node, "outgoing", to.id)
	if from.branch.Len() == 0 {
		return
	}
	rule, conditional := from.branch.Get("if")
	if conditional {
		child(from.node, "conditions").Set(to.id,
			stdops.NewObject("evaluate", rule, "name", rule, "tag", "branch_"+to.id))
	}
	if get(from.branch, "default", false) == true || !conditional {
		from.node.Set("default_condition",
			stdops.NewObject("flow_id", to.id, "name", "default", "tag", "branch_"+to.id))
	}
}

func push(o *stdops.Object, key string, value any) {
	o.Set(key, append(list(o, key), value))
}

// sequence adds items one after the other and gives the open ends behind the last.
func (b *treeBuilder) sequence(items []any, heads []head) []head {
	for _, item := range items {
		if text, ok := item.(string); ok {
			if name, jump := strings.CutPrefix(text, "->"); jump {
				for _, h := range heads {
					b.connect(h, &edge{name: name})
				}
				return nil
			}
			item = parseActivity(text)
		}
		heads = b.item(item.(*stdops.Object), heads)
	}
	return heads
}

// parseActivity reads "NAME:CODE key=value …" into the object form of an activity.
func parseActivity(text string) *stdops.Object {
	words := strings.Split(text, " ")
	name, code, _ := strings.Cut(words[0], ":")
	if code == "" {
		code = "debug_no_schedule_node"
	}
	in := &stdops.Object{}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		if v, err := stdops.DecodeValue([]byte(value)); err == nil {
			in.Set(key, v)
		} else {
			in.Set(key, value)
		}
	}
	return stdops.NewObject("act", name, "code", code, "in", in)
}

func (b *treeBuilder) item(item *stdops.Object, heads []head) []head {
	var node *stdops.Object
	switch {
	case has(item, "act"):
		node = b.activity(item)
	case has(item, "sub"):
		node = b.subprocess(item)
	default:
		return b.gateway(item, heads)
	}
	b.connectAll(heads, node)
	return []head{{node: node}}
}

func (b *treeBuilder) activity(item *stdops.Object) *stdops.Object {
	code, in, data := item.Text("code"), child(item, "in"), &stdops.Object{}
	for _, key := range in.Keys() {
		value, _ := in.Get(key)
		data.Set(key, stdops.NewObject("hook", false, "value", value))
	}
	for _, key := range list(item, "no_render") {
		child(data, asText(key)).Set("need_render", false)
	}
	node := b.node("ServiceActivity", item.Text("act"), "loop", nil, "stage_name", "",
		"optional", get(item, "optional", true), "skippable", get(item, "skippable", true),
		"retryable", get(item, "retryable", true), "error_ignorable", get(item, "ignore", false),
		"component", stdops.NewObject("code", code, "data", data))
	if version, ok := item.Get("version"); ok {
		child(node, "component").Set("version", version)
	}
	b.hookedConstants(node, item, data)
	if has(item, "auto_retry") {
		node.Set("auto_retry", merged(stdops.NewObject("enable", true, "interval", int64(0)), child(item, "auto_retry")))
	}
	if has(item, "timeout") {
		node.Set("timeout_config", merged(stdops.NewObject("enable", true, "action", "forced_fail"), child(item, "timeout")))
	}
	b.outputConstants(node, item)
	update(node, child(item, "extra"))
	return node
}

func (b *treeBuilder) hookedConstants(node, item, data *stdops.Object) {
	hooks := child(item, "hook")
	for _, key := range hooks.Keys() {
		constant := hooks.Text(key)
		data.Set(key, stdops.NewObject("hook", true, "value", constant))
		b.constants.Set(constant, stdops.NewObject("source_type", "component_inputs",
			"source_info", stdops.NewObject(node.Text("id"), []any{key}),
			"custom_type", "", "source_tag", item.Text("code")+"."+key))
	}
}

func (b *treeBuilder) outputConstants(node, item *stdops.Object) {
	out := child(item, "out")
	for _, key := range out.Keys() {
		constant := out.Text(key)
		fields := stdops.NewObject("source_type", "component_outputs",
			"source_info", stdops.NewObject(node.Text("id"), []any{key}),
			"custom_type", "", "source_tag", "", "show_type", "hide", "value", "")
		b.constants.Set(constant, fields)
		b.constant(constant, fields)
	}
}

// subprocess leaves the child tree under "child" and its parameters under "given"; placing the child replaces both.
func (b *treeBuilder) subprocess(item *stdops.Object) *stdops.Object {
	below, err := buildTree(item)
	if err != nil && b.err == nil {
		b.err = err
	}
	node := b.node("SubProcess", item.Text("sub"), "optional", true, "stage_name", "", "child", below,
		"given", child(item, "pass"), "error_ignorable", false, "skippable", true, "retryable", true)
	b.outputConstants(node, item)
	update(node, child(item, "extra"))
	return node
}

// gatewayWords are the keys that make an item a gateway, with the type they stand for.
var gatewayWords = []struct{ word, kind string }{
	{"excl", "ExclusiveGateway"},
	{"par", "ParallelGateway"},
	{"cpar", "ConditionalParallelGateway"},
	{"conv", "ConvergeGateway"},
}

func (b *treeBuilder) gateway(item *stdops.Object, heads []head) []head {
	node := &stdops.Object{}
	for _, g := range gatewayWords {
		if has(item, g.word) {
			node = b.node(g.kind, item.Text(g.word))
		}
	}
	switch node.Text("type") {
	case "":
		b.fail("unknown item %s", brief(item))
	case "ExclusiveGateway", "ConditionalParallelGateway":
		node.Set("conditions", &stdops.Object{})
	}
	update(node, child(item, "extra"))
	b.connectAll(heads, node)
	if has(item, "conv") {
		return []head{{node: node}}
	}
	heads = b.branches(node, list(item, "branches"))
	if !has(item, "join") {
		return heads
	}
	join := b.node("ConvergeGateway", item.Text("join"))
	b.connectAll(heads, join)
	return []head{{node: join}}
}

func (b *treeBuilder) branches(gateway *stdops.Object, branches []any) []head {
	var open []head
	for _, branch := range branches {
		condition, conditional := branch.(*stdops.Object)
		items, _ := branch.([]any)
		if conditional {
			items = list(condition, "do")
		}
		open = append(open, b.sequence(items, []head{{gateway, condition}})...)
	}
	return open
}

// constant adds a constant: a shown custom one unless its fields, or a node that feeds it, say otherwise.
func (b *treeBuilder) constant(key string, value any) {
	given, ok := value.(*stdops.Object)
	if !ok {
		given = stdops.NewObject("value", value)
	}
	name := strings.Trim(key, "${}")
	if name == "" {
		name = "x"
	}
	base := stdops.NewObject("key", key, "name", name, "index", int64(b.constants.Len()), "value", "", "desc", "",
		"source_type", "custom", "source_info", &stdops.Object{}, "source_tag", "input.input", "custom_type", "input",
		"show_type", "show", "validation", "", "version", "legacy")
	b.constants.Set(key, merged(base, child(b.constants, key), given))
}
