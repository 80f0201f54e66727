package exchange

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/stdops/stdops"
)

// WriteYAML writes flows as a YAML stream, each in a document of its own (docs/spec/api.md 4.14.2). They are those that were
// asked for and all that they refer to. What the format does not have is lost: drawings, names of gateways, schemes.
func WriteYAML(flows []Stored) (string, error) {
	w := yamlWriter{names: map[owned]string{}, flows: map[owned]*Stored{}}
	for i := range flows {
		flow := owned{flows[i].Source, flows[i].ID}
		w.names[flow], w.flows[flow] = "template"+strconv.Itoa(i+1), &flows[i]
	}
	var out bytes.Buffer
	dumper, err := yaml.NewDumper(&out, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err != nil {
		return "", fmt.Errorf("write YAML: %w", err)
	}
	for i := range flows {
		d := documentWriter{yamlWriter: &w, flow: &flows[i], number: i + 1}
		if err := d.check(); err != nil {
			return "", err
		}
		if err := dumper.Dump(yamlNode(d.document())); err != nil {
			return "", fmt.Errorf("write YAML of template %d: %w", flows[i].ID, err)
		}
	}
	if err := dumper.Close(); err != nil {
		return "", fmt.Errorf("write YAML: %w", err)
	}
	return out.String(), nil
}

// yamlWriter writes a stream.
type yamlWriter struct {
	names map[owned]string // ids of documents
	flows map[owned]*Stored
}

// documentWriter writes one flow.
type documentWriter struct {
	*yamlWriter
	flow    *Stored
	number  int
	ids     map[string]string // of nodes: those of the tree → those of the document
	leads   map[string]string // flow of the tree → the node that it leads to
	written map[string]bool   // constants that stand at a node
}

// check refuses what the format can not carry.
func (d *documentWriter) check() error {
	for id, n := range members(d.flow.Tree, "activities") {
		if _, inline := object(n, "pipeline"); inline {
			return stdops.Errorf(stdops.CodeRefused, "template %s: activities.%s: YAML has no place for a subprocess with a pipeline of its own", d.flow.Name, stdops.Short(id))
		}
		if !(place{node: n}).refers() {
			continue
		}
		child := d.yamlWriter.flows[reference(d.flow.Source, n)]
		if child == nil {
			return fmt.Errorf("template %d: activities.%s refers to a flow that was not loaded", d.flow.ID, id)
		}
		if err := expired(d.flow, child, n); err != nil {
			return err
		}
	}
	return nil
}

func (d *documentWriter) document() *stdops.Object {
	tree := d.flow.Tree
	ends := map[string]*stdops.Object{}
	for id, f := range members(tree, "flows") {
		ends[id] = f
	}
	order := along(tree)
	d.ids, d.leads, d.written = map[string]string{}, map[string]string{}, map[string]bool{}
	for i, n := range order {
		d.ids[n.Text("id")] = fmt.Sprintf("t%d_node%d", d.number, i+1)
	}
	for id, f := range ends {
		d.leads[id] = d.ids[f.Text("target")]
	}
	nodes := make([]any, len(order))
	for i, n := range order {
		nodes[i] = d.node(n, order, i)
	}
	spec := stdops.NewObject("nodes", nodes)
	d.constants(spec)
	return stdops.NewObject("schema_version", yamlVersion,
		"meta", stdops.NewObject("name", d.flow.Name, "id", d.names[owned{d.flow.Source, d.flow.ID}]), "spec", spec)
}

// along gives the nodes of a tree in the order in which the flows lead to them: each before those that follow it, but where
// a flow leads back.
func along(tree *stdops.Object) []*stdops.Object {
	nodes, targets := map[string]*stdops.Object{}, map[string]string{}
	start, _ := object(tree, "start_event")
	end, _ := object(tree, "end_event")
	nodes[start.Text("id")], nodes[end.Text("id")] = start, end
	for _, section := range []string{"activities", "gateways"} {
		for id, n := range members(tree, section) {
			nodes[id] = n
		}
	}
	for id, f := range members(tree, "flows") {
		targets[id] = f.Text("target")
	}
	type step struct {
		node *stdops.Object
		left []string // flows that were not followed yet
	}
	seen := map[string]bool{start.Text("id"): true}
	var order []*stdops.Object
	for stack := []step{{start, outgoing(start)}}; len(stack) > 0; {
		top := &stack[len(stack)-1]
		if len(top.left) == 0 {
			order = append(order, top.node)
			stack = stack[:len(stack)-1]
			continue
		}
		flow := top.left[len(top.left)-1] // the last first, since the order is turned around
		top.left = top.left[:len(top.left)-1]
		if to := nodes[targets[flow]]; to != nil && !seen[targets[flow]] {
			seen[targets[flow]] = true
			stack = append(stack, step{to, outgoing(to)})
		}
	}
	slices.Reverse(order)
	return order
}

// outgoing and incoming give the flows of a node.
func outgoing(n *stdops.Object) []string { return edges(n, "outgoing") }
func incoming(n *stdops.Object) []string { return edges(n, "incoming") }

func edges(n *stdops.Object, key string) []string {
	switch v := mustGet(n, key).(type) {
	case string:
		if v != "" {
			return []string{v}
		}
	case []any:
		var list []string
		for _, item := range v {
			if id, ok := item.(string); ok {
				list = append(list, id)
			}
		}
		return list
	}
	return nil
}

func (d *documentWriter) node(n *stdops.Object, order []*stdops.Object, i int) *stdops.Object {
	kind := n.Text("type")
	o := stdops.NewObject("id", d.ids[n.Text("id")], "type", kind)
	switch sectionOf(kind) {
	case "activities":
		o.Set("name", n.Text("name"))
		if kind == stdops.KindSubprocess.String() {
			d.subprocess(o, n)
		} else {
			d.component(o, n)
		}
	case "gateways":
		d.gateway(o, n)
	}
	flows := outgoing(n)
	if len(flows) > 1 || len(flows) == 1 && !d.isNext(flows[0], order, i) {
		next := make([]any, len(flows))
		for j, id := range flows {
			next[j] = d.leads[id]
		}
		o.Set("next", next)
	}
	return o
}

// isNext reports whether the node that a flow leads to needs no naming: it follows in the list, and nothing else leads to it.
func (d *documentWriter) isNext(flow string, order []*stdops.Object, i int) bool {
	return i+1 < len(order) && d.ids[order[i+1].Text("id")] == d.leads[flow] && len(incoming(order[i+1])) == 1
}

func (d *documentWriter) gateway(o, n *stdops.Object) {
	if converge := d.ids[n.Text("converge_gateway_id")]; converge != "" && n.Text("type") == stdops.KindParallel.String() {
		o.Set("converge_gateway_id", converge)
	}
	if _, ok := object(n, "conditions"); !ok {
		return
	}
	conditions := &stdops.Object{}
	for flow, c := range members(n, "conditions") {
		written := &stdops.Object{}
		if name := c.Text("name"); name != "" {
			written.Set("name", name)
		}
		written.Set("evaluate", c.Text("evaluate"))
		conditions.Set(d.leads[flow], written)
	}
	o.Set("conditions", conditions)
	if fallback, ok := object(n, "default_condition"); ok {
		written := &stdops.Object{}
		if name := fallback.Text("name"); name != "" {
			written.Set("name", name)
		}
		o.Set("default_condition", stdops.NewObject(d.leads[fallback.Text("flow_id")], written))
	}
}

// yamlNode gives a value as a node of YAML, with texts quoted so that no reader takes them for something else.
func yamlNode(v any) *yaml.Node {
	switch v := v.(type) {
	case *stdops.Object:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, key := range v.Keys() {
			n.Content = append(n.Content, textNode(key), yamlNode(mustGet(v, key)))
		}
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range v {
			n.Content = append(n.Content, yamlNode(item))
		}
		return n
	case string:
		return textNode(v)
	default:
		return plainNode(v)
	}
}

// plainNode gives a number, true, false or null. JSON writes them in a way that YAML reads too.
func plainNode(v any) *yaml.Node {
	tag := "!!null"
	switch v.(type) {
	case bool:
		tag = "!!bool"
	case float64:
		tag = "!!float"
	case nil:
	default:
		tag = "!!int"
	}
	text, err := stdops.EncodeValue(v)
	if err != nil { // no number of JSON is without a JSON form
		text = []byte("null")
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: string(text)}
}

func textNode(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	switch {
	case !strings.Contains(text, "\n"):
		if looksOther(text) {
			n.Style = yaml.SingleQuotedStyle
		}
	case strings.ContainsAny(text, "\t\r\u0085\u2028\u2029\ufeff") || strings.TrimLeft(text, " \n") != text || strings.Contains(text, " \n"):
		n.Style = yaml.DoubleQuotedStyle
	default:
		n.Style = yaml.LiteralStyle
	}
	return n
}

// looksOther reports whether a text without quotes would be read as something else, by us or by a reader of YAML 1.1.
func looksOther(text string) bool {
	v, err := scalar(&yaml.Node{Kind: yaml.ScalarNode, Value: text})
	_, plain := v.(string)
	if err != nil || !plain {
		return true
	}
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off", "<<", "=":
		return true
	}
	return strings.ContainsAny(text[:1], "0123456789+-.")
}
