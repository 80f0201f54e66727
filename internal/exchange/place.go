package exchange

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// Placing says how the flows of a set become stored flows.
type Placing struct {
	IDs     []stdops.TemplateID // of the stored flows, in the order of the set
	Source  string              // SourceProject or SourceCommon: where they will belong to
	KeepIDs bool                // nodes and flows keep their ids, as when an import overrides
	Biz     *int64              // business of the project that they come into; nil leaves theirs
	Version func(body []byte) string
	Schemes [][]int64 // ids of the stored schemes of each flow, in the order of its schemes
}

// Placed is a flow that is ready to be stored. Schemes have the ids that they are stored under, and name nodes as Body does.
type Placed struct {
	Body    []byte
	Version string
	Schemes []Scheme
}

// Place gives the flows of the set as they are to be stored (docs/spec/api.md 4.14.1, import). Parents name the versions
// that their children get.
func (s *Set) Place(p Placing) ([]Placed, error) {
	placed := make([]Placed, len(s.Flows))
	for i := range s.Flows {
		m := mapper{Placing: p, set: s, done: placed[:i], flow: i}
		tree := m.tree()
		body, err := stdops.EncodeValue(tree)
		if err != nil {
			return nil, fmt.Errorf("write flow %s: %w", s.Flows[i].Key, err)
		}
		placed[i] = Placed{Body: body, Version: p.Version(body), Schemes: m.schemes()}
	}
	return placed, nil
}

// mapper places one flow, after those that it refers to.
type mapper struct {
	Placing
	set  *Set
	done []Placed
	flow int
}

// node gives the id that a node of a flow of the set gets; one that the flow does not have keeps its own.
func (m *mapper) node(flow int, id string) string {
	index, known := m.set.Flows[flow].Tree.Index(id)
	if m.KeepIDs || !known {
		return id
	}
	return stdops.TemplateNodeID(m.IDs[flow], index)
}

func (m *mapper) tree() *stdops.Object {
	from := m.set.Flows[m.flow].Tree
	var tree *stdops.Object
	if m.KeepIDs {
		tree = from.Template()
	} else {
		id := m.IDs[m.flow]
		tree = from.Renamed(flow.IDs{
			Node: func(i stdops.NodeIndex) string { return stdops.TemplateNodeID(id, i) },
			Flow: func(i stdops.FlowIndex) string { return stdops.TemplateFlowID(id, i) },
		})
	}
	m.level(tree)
	return tree
}

// level changes what stands at one level and below it. The objects of tree and of its activities are our own; what lies in
// them may be shared, and is replaced.
func (m *mapper) level(tree *stdops.Object) {
	for _, a := range members(tree, "activities") {
		if inner, ok := object(a, "pipeline"); ok {
			m.level(inner)
			continue
		}
		if (place{node: a}).refers() {
			m.subprocess(a)
		} else if component, ok := object(a, "component"); ok {
			a.Set("component", m.component(component))
		}
	}
	m.constants(tree, nil)
}

// component gives an activity's component a version, and a business of ours.
func (m *mapper) component(o *stdops.Object) *stdops.Object {
	o = o.Clone()
	if o.Text("version") == "" {
		o.Set("version", "legacy")
	}
	data, ok := object(o, "data")
	if m.Biz == nil || !ok {
		return o
	}
	for _, key := range []string{"biz_cc_id", "bk_biz_id"} {
		input, ok := object(data, key)
		if !ok {
			continue
		}
		if !truth(input, "hook") {
			input, data = input.Clone(), data.Clone()
			input.Set("value", *m.Biz)
			data.Set(key, input)
			o.Set("data", data)
		}
		break
	}
	return o
}

func (m *mapper) subprocess(a *stdops.Object) {
	if a.Text("template_source") != sourceFile { // a flow that is stored here already
		m.constants(a, nil)
		return
	}
	number, _ := a.Get("template_id")
	to := int(number.(int64)) - 1
	a.Set("template_id", int64(m.IDs[to]))
	a.Set("template_source", m.Source)
	a.Set("version", m.done[to].Version)
	m.schemeList(a, to)
	m.constants(a, func(id string) string { return m.node(to, id) })
}

// constants changes the constants of a tree, or those that a subprocess is given, whose sources are nodes inside of it.
func (m *mapper) constants(o *stdops.Object, rename func(string) string) {
	all, ok := object(o, "constants")
	if !ok {
		return
	}
	changed := all.Clone()
	for key, c := range members(o, "constants") {
		c = c.Clone()
		if m.Biz != nil && m.ofBusiness(c) {
			c.Set("value", *m.Biz)
		}
		if info, ok := object(c, "source_info"); ok && rename != nil {
			renamed := &stdops.Object{}
			for _, id := range info.Keys() {
				v, _ := info.Get(id)
				renamed.Set(rename(id), v)
			}
			c.Set("source_info", renamed)
		}
		changed.Set(key, c)
	}
	o.Set("constants", changed)
}

// ofBusiness reports whether a constant names a business.
func (m *mapper) ofBusiness(c *stdops.Object) bool {
	tag := c.Text("source_tag")
	return (strings.HasSuffix(tag, ".biz_cc_id") || strings.HasSuffix(tag, ".bk_biz_id")) && truth(c, "value")
}

// schemeList changes which schemes of its child a subprocess asks for; ids that the child does not have stay.
func (m *mapper) schemeList(a *stdops.Object, child int) {
	value, _ := a.Get("scheme_id_list")
	asked, ok := value.([]any)
	if !ok {
		return
	}
	list := slices.Clone(asked)
	for i, id := range list {
		at := slices.IndexFunc(m.set.Flows[child].Schemes, func(s Scheme) bool { return s.is(id) })
		if at >= 0 {
			list[i] = m.Schemes[child][at]
		}
	}
	a.Set("scheme_id_list", list)
}

func (m *mapper) schemes() []Scheme {
	schemes := slices.Clone(m.set.Flows[m.flow].Schemes)
	for i := range schemes {
		s := &schemes[i]
		s.ID = m.Schemes[m.flow][i]
		s.Nodes = slices.Clone(s.Nodes)
		for j, id := range s.Nodes {
			s.Nodes[j] = m.node(m.flow, id)
		}
	}
	return schemes
}
