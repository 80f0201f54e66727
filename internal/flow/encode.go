package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/stdops/stdops"
)

// IDs gives the ids that an echo shows.
type IDs struct {
	Node func(stdops.NodeIndex) string
	Flow func(stdops.FlowIndex) string
}

// TaskIDs gives the wire ids of a task.
func TaskIDs(task stdops.TaskID) IDs {
	return IDs{
		Node: func(i stdops.NodeIndex) string { return stdops.NodeID(task, i) },
		Flow: func(i stdops.FlowIndex) string { return stdops.FlowID(task, i) },
	}
}

// Template gives the tree as it was sent, with its own ids: what is stored for a flow.
func (t *Tree) Template() *stdops.Object { return (&writer{}).tree(t, "") }

// Renamed gives the tree as [Tree.Template] does, with other ids wherever an id stands: what is stored for a flow that
// came with the ids of somebody else.
func (t *Tree) Renamed(ids IDs) *stdops.Object {
	t.number()
	o := (&writer{ids: &ids, stored: true}).tree(t, "")
	o.Delete("id")
	return o
}

// Echo gives the full tree of a task, with ids of the task wherever an id stands (docs/spec/engine.md 1.1).
func (t *Tree) Echo(ids IDs) *stdops.Object {
	t.number()
	return (&writer{ids: &ids}).tree(t, ids.Node(stdops.RootNode))
}

// Body gives the stored form of a task's tree: JSON that names nodes n<index> and flows l<index>, without the values of
// the root's constants, so that it is the same for all tasks of one tree.
func (t *Tree) Body() ([]byte, error) {
	t.number()
	w := &writer{ids: &bodyIDs, blank: true}
	body, err := stdops.EncodeValue(w.tree(t, bodyIDs.Node(stdops.RootNode)))
	if err != nil {
		return nil, fmt.Errorf("write tree: %w", err)
	}
	return body, nil
}

// ParseBody reads what [Tree.Body] wrote. It checks the form only, not the rules of [Tree.Validate].
func ParseBody(body []byte) (*Tree, error) {
	v, err := stdops.DecodeValue(body)
	if err != nil {
		return nil, fmt.Errorf("read tree: %w", err)
	}
	o, ok := v.(*stdops.Object)
	if !ok {
		return nil, errors.New("read tree: not an object")
	}
	t, err := Parse(o)
	if err != nil {
		return nil, fmt.Errorf("read tree: %w", err)
	}
	t.number()
	return t, nil
}

var bodyIDs = IDs{
	Node: func(i stdops.NodeIndex) string { return "n" + strconv.Itoa(int(i)) },
	Flow: func(i stdops.FlowIndex) string { return "l" + strconv.Itoa(int(i)) },
}

// Hash names a tree by its body.
func Hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// writer lays what we know over the raw objects of a tree.
type writer struct {
	ids    *IDs // nil: own ids
	blank  bool // leave out the values of the root's constants
	stored bool // for a stored flow, whose nodes come from no other one
	own    bool // the tree lies in an activity that makes a task of it: its own ids, and all unfolded
}

func (w *writer) node(t *Tree, id string) string {
	if n := t.nodes[id]; n != nil && w.ids != nil {
		return w.ids.Node(n.index)
	}
	return id
}

func (w *writer) flow(t *Tree, id string) string {
	if l := t.lines[id]; l != nil && w.ids != nil {
		return w.ids.Flow(l.index)
	}
	return id
}

// tree writes a level under its id; "" keeps the one that was sent, if any.
func (w *writer) tree(t *Tree, id string) *stdops.Object {
	o := t.raw.Clone()
	if id != "" {
		o.Set("id", id)
	}
	o.Set("start_event", w.event(t, t.start))
	o.Set("end_event", w.event(t, t.end))
	o.Set("activities", w.members(t, t.activities, w.activity))
	o.Set("gateways", w.members(t, t.gateways, w.gateway))
	flows := &stdops.Object{}
	for _, l := range t.flows {
		f := l.raw.Clone()
		f.Set("id", w.flow(t, l.id))
		f.Set("source", w.node(t, l.source))
		f.Set("target", w.node(t, l.target))
		flows.Set(w.flow(t, l.id), f)
	}
	o.Set("flows", flows)
	o.Set("constants", w.constants(t))
	o.Set("outputs", mappedAny(t.outputs))
	w.drawing(t, o)
	return o
}

func mappedAny(list []string) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

func (w *writer) members(t *Tree, nodes []*node, write func(*Tree, *node, *stdops.Object)) *stdops.Object {
	all := &stdops.Object{}
	for _, n := range nodes {
		o := w.common(t, n)
		write(t, n, o)
		all.Set(w.node(t, n.id), o)
	}
	return all
}

func (w *writer) common(t *Tree, n *node) *stdops.Object {
	o := n.raw.Clone()
	o.Set("id", w.node(t, n.id))
	o.Set("name", n.name)
	return o
}

func (w *writer) event(t *Tree, n *node) *stdops.Object {
	o := w.common(t, n)
	if n.kind == stdops.KindStartEvent {
		o.Set("outgoing", w.single(t, n.out))
	} else {
		o.Set("incoming", w.many(t, n, "incoming", n.in))
	}
	return o
}

// single writes the outgoing flow of a node that has one.
func (w *writer) single(t *Tree, ids []string) any {
	if len(ids) == 0 {
		return ""
	}
	return w.flow(t, ids[0])
}

// many writes a list of flows. A template keeps a single text where it was sent as one.
func (w *writer) many(t *Tree, n *node, key string, ids []string) any {
	if sent, _ := n.raw.Get(key); w.ids == nil && isText(sent) && len(ids) <= 1 {
		return w.single(t, ids)
	}
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = w.flow(t, id)
	}
	return list
}

func (w *writer) activity(t *Tree, n *node, o *stdops.Object) {
	o.Set("incoming", w.many(t, n, "incoming", n.in))
	o.Set("outgoing", w.single(t, n.out))
	switch {
	case w.stored:
		o.Delete("template_node_id")
	case w.ids != nil:
		o.Set("template_node_id", n.source)
	}
	if n.own != nil && (w.own || w.ids != nil) {
		n.writeOwn(o)
	}
	if n.pipeline == nil {
		return
	}
	inner := *w
	inner.blank = false
	id := ""
	if w.ids != nil {
		id = w.node(t, n.id)
	}
	o.Set("pipeline", inner.tree(n.pipeline, id))
}

func (w *writer) gateway(t *Tree, n *node, o *stdops.Object) {
	o.Set("incoming", w.many(t, n, "incoming", n.in))
	if n.kind == stdops.KindConverge {
		o.Set("outgoing", w.single(t, n.out))
		return
	}
	o.Set("outgoing", w.many(t, n, "outgoing", n.out))
	if n.converge != "" && t.nodes[n.converge] != nil {
		o.Set("converge_gateway_id", w.node(t, n.converge))
	} else {
		o.Delete("converge_gateway_id")
	}
	if !conditional(n.kind) {
		return
	}
	conditions := &stdops.Object{}
	for _, c := range n.conditions {
		conditions.Set(w.flow(t, c.flow), c.raw)
	}
	o.Set("conditions", conditions)
	if n.fallback != "" {
		d, _ := o.Get("default_condition")
		changed := d.(*stdops.Object).Clone()
		changed.Set("flow_id", w.flow(t, n.fallback))
		o.Set("default_condition", changed)
	}
}

func (w *writer) constants(t *Tree) *stdops.Object {
	all := &stdops.Object{}
	for _, c := range t.constants {
		o := c.raw.Clone()
		if w.blank {
			o.Set("value", nil)
		}
		if len(c.source) > 0 {
			info := &stdops.Object{}
			for _, s := range c.source {
				if w.ids == nil || t.nodes[s.node] != nil {
					info.Set(w.node(t, s.node), mappedAny(s.keys))
				}
			}
			o.Set("source_info", info)
		}
		all.Set(c.Key, o)
	}
	return all
}

// drawing renames the ids in line and location. What belongs to no flow or node is left out, as everywhere else: an id
// that were kept could be that of another node in the stored form.
func (w *writer) drawing(t *Tree, o *stdops.Object) {
	if w.ids == nil {
		return
	}
	if list, ok := listOf(o, "line"); ok {
		o.Set("line", drawn(list, func(l *stdops.Object) *stdops.Object { return w.drawnLine(t, l) }))
	}
	if list, ok := listOf(o, "location"); ok {
		o.Set("location", drawn(list, func(l *stdops.Object) *stdops.Object {
			if t.nodes[l.Text("id")] == nil {
				return nil
			}
			return withID(l, w.node(t, l.Text("id")))
		}))
	}
}

func (w *writer) drawnLine(t *Tree, l *stdops.Object) *stdops.Object {
	flow := t.lines[l.Text("id")]
	if flow == nil {
		return nil
	}
	l = withID(l, w.flow(t, flow.id))
	for end, id := range map[string]string{"source": flow.source, "target": flow.target} {
		if v, _ := l.Get(end); isObject(v) {
			l.Set(end, withID(v.(*stdops.Object), w.node(t, id)))
		}
	}
	return l
}

func withID(o *stdops.Object, id string) *stdops.Object {
	o = o.Clone()
	o.Set("id", id)
	return o
}

func listOf(o *stdops.Object, key string) ([]any, bool) {
	v, _ := o.Get(key)
	list, ok := v.([]any)
	return list, ok
}

func isObject(v any) bool { o, ok := v.(*stdops.Object); return ok && o != nil }

// drawn gives the objects of a list as change makes them, without those that it makes nil.
func drawn(list []any, change func(*stdops.Object) *stdops.Object) []any {
	out := make([]any, 0, len(list))
	for _, item := range list {
		if !isObject(item) {
			continue
		}
		if o := change(item.(*stdops.Object)); o != nil {
			out = append(out, o)
		}
	}
	return out
}
