package flow

import (
	"strings"

	"github.com/stdops/stdops"
)

// Tree is one level of a pipeline tree; subprocess activities hold the level below. What callers sent is kept in raw
// objects, never changed in place, so that unknown fields and the order of keys survive; fields that we read or change
// are typed beside them and laid over the raw object when the tree is written.
type Tree struct {
	// Version names the stored version that the tree came from; who loads a child sets it, so that the echo can
	// tell it ("original_template_version"). Empty for a tree that is not stored.
	Version string

	raw        *stdops.Object
	start, end *node
	activities []*node // in the order of the document, as everything here
	gateways   []*node
	flows      []*line
	constants  []*Constant
	outputs    []string

	nodes    map[string]*node // by id, events included
	lines    map[string]*line
	numbered bool // indexes stand in all nodes and lines of all levels
}

// node is an event, an activity or a gateway.
type node struct {
	id, name string
	kind     stdops.NodeKind
	raw      *stdops.Object
	in, out  []string // ids of flows
	index    stdops.NodeIndex
	source   string // template_node_id; activities only

	conditions []condition // exclusive and conditional parallel gateways, in the order of the document
	fallback   string      // default_condition.flow_id
	converge   string      // id of the matched converge gateway

	component *component     // service activities
	child     *ChildRef      // subprocesses, and activities that make a task, with template_id and no pipeline
	given     *stdops.Object // constants of such a subprocess
	pipeline  *Tree          // subprocesses that are unfolded
	own       *Tree          // activities that make a task of a flow; child is set where they only refer to it
}

type line struct {
	id, source, target string
	raw                *stdops.Object
	index              stdops.FlowIndex
}

type condition struct {
	flow, evaluate string
	raw            *stdops.Object
}

type component struct {
	code, version string
	inputs        []Input
}

const legacyVersion = "legacy"

// all gives the nodes of this level: events first, then activities and gateways.
func (t *Tree) all() []*node {
	nodes := make([]*node, 0, 2+len(t.activities)+len(t.gateways))
	nodes = append(nodes, t.start, t.end)
	nodes = append(nodes, t.activities...)
	return append(nodes, t.gateways...)
}

// section gives the key of the root object under which nodes of the kind stand.
func (n *node) section() string {
	switch {
	case n.kind == stdops.KindStartEvent:
		return "start_event"
	case n.kind == stdops.KindEndEvent:
		return "end_event"
	case n.kind.Gateway():
		return "gateways"
	default:
		return "activities"
	}
}

// path gives the position of the node within its level.
func (n *node) path() string {
	if n.kind == stdops.KindStartEvent || n.kind == stdops.KindEndEvent {
		return n.section()
	}
	return n.section() + "." + stdops.Short(n.id)
}

// conditional reports whether the kind chooses among its flows by conditions.
func conditional(k stdops.NodeKind) bool {
	return k == stdops.KindExclusive || k == stdops.KindConditionalParallel
}

// parallel reports whether the kind starts several branches.
func parallel(k stdops.NodeKind) bool {
	return k == stdops.KindParallel || k == stdops.KindConditionalParallel
}

// level is a tree with its place in the whole.
type level struct {
	tree   *Tree
	outer  *Tree  // the level around it, nil for the root
	holder *node  // subprocess node that holds it, nil for the root
	own    bool   // the root of a flow that an activity makes a task of
	at     string // prefix of positions: "" for the root, else such as "activities.n3.pipeline."
}

// levels gives all levels of an unfolded tree, each after the one that holds it. Subprocess nodes that are not unfolded
// have no level.
func (t *Tree) levels() []level { return t.levelsAt("") }

// levelsAt is levels for a tree that lies inside of another one.
func (t *Tree) levelsAt(at string) []level {
	list := []level{{tree: t, at: at}}
	for i := 0; i < len(list); i++ {
		for _, n := range list[i].tree.activities {
			if n.pipeline != nil {
				list = append(list, level{tree: n.pipeline, outer: list[i].tree, holder: n, at: list[i].at + n.path() + ".pipeline."})
			}
		}
	}
	return list
}

// number gives every node and flow its index: the root pipeline is 0, then level by level the start event, the end
// event, the activities and the gateways in the order of the document.
func (t *Tree) number() {
	if t.numbered {
		return
	}
	node, flow := stdops.RootNode+1, stdops.FlowIndex(0)
	for _, l := range t.levels() {
		for _, n := range l.tree.all() {
			n.index = node
			node++
		}
		for _, f := range l.tree.flows {
			f.index = flow
			flow++
		}
	}
	t.numbered = true
}

// PluginRef is a plugin that a tree uses, and where.
type PluginRef struct {
	Code, Version string
	Path          string // such as activities.n3.component.code
}

// Plugins gives every use of a plugin at any level, in order of appearance, those in flows that activities make tasks of
// included.
func (t *Tree) Plugins() []PluginRef { return t.pluginsAt("") }

func (t *Tree) pluginsAt(at string) []PluginRef {
	var refs []PluginRef
	for _, l := range t.levelsAt(at) {
		for _, n := range l.tree.activities {
			if c := n.component; c != nil {
				refs = append(refs, PluginRef{Code: c.code, Version: c.version, Path: l.at + n.path() + ".component.code"})
			}
			if n.own != nil {
				refs = append(refs, n.own.pluginsAt(l.at+n.ownAt())...)
			}
		}
	}
	return refs
}

// Size gives the number of nodes of all levels.
func (t *Tree) Size() int {
	size := 0
	for _, l := range t.levels() {
		size += 2 + len(l.tree.activities) + len(l.tree.gateways)
	}
	return size
}

// Index gives the place of a node of the root level.
func (t *Tree) Index(id string) (index stdops.NodeIndex, ok bool) {
	n := t.nodes[id]
	if n == nil {
		return 0, false
	}
	t.number()
	return n.index, true
}

// Activities gives the ids of the activities of the root level, in order of appearance.
func (t *Tree) Activities() []string {
	ids := make([]string, len(t.activities))
	for i, n := range t.activities {
		ids[i] = n.id
	}
	return ids
}

// Outputs gives the keys of the declared outputs of the root level.
func (t *Tree) Outputs() []string { return append([]string(nil), t.outputs...) }

// bare cuts ${ and } off a key.
func bare(key string) string {
	if strings.HasPrefix(key, "${") && strings.HasSuffix(key, "}") {
		return key[2 : len(key)-1]
	}
	return key
}
