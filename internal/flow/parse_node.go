package flow

import (
	"strconv"
	"strings"

	"github.com/stdops/stdops"
)

func (r *reader) activity(t *Tree, o *stdops.Object, at, key string) *node {
	path := at + "activities." + stdops.Short(key)
	n := &node{raw: o}
	n.id, n.name = r.identity(o, path, "")
	n.in, n.out = r.edges(o, path, "incoming", 0), r.edges(o, path, "outgoing", 1)
	n.source = o.Text("template_node_id")
	if n.source == "" {
		n.source = n.id
	}
	if name, had := o.Get("name"); had && n.name == "" && isText(name) {
		r.fail(path+".name", "must not be empty")
	}
	r.sameID(path, key, n.id)
	r.place(t, n, path)
	switch kind := o.Text("type"); kind {
	case stdops.KindActivity.String():
		n.kind = stdops.KindActivity
		n.component = r.component(o, path)
		r.policies(o, path)
		r.ownFlow(n, path)
	case stdops.KindSubprocess.String():
		n.kind = stdops.KindSubprocess
		r.subprocess(n, path)
	default:
		n.kind = stdops.KindActivity
		if kind != "" {
			r.fail(path+".type", "%q is not ServiceActivity or SubProcess", stdops.Short(kind))
		}
	}
	return n
}

func isText(v any) bool { _, ok := v.(string); return ok }

func (r *reader) component(o *stdops.Object, path string) *component {
	path += "."
	raw := r.object(o, path, "component", true)
	if raw == nil {
		return nil
	}
	path += "component"
	c := &component{code: r.text(raw, path, "code", true), version: legacyVersion}
	if code, had := raw.Get("code"); had && c.code == "" && isText(code) {
		r.fail(path+".code", "must not be empty")
	}
	if version, _ := raw.Get("version"); version != nil && version != "" {
		c.version = r.text(raw, path, "version", false)
	}
	for key, item := range r.members(raw, path+".", "data", false) {
		c.inputs = append(c.inputs, r.input(item, path+".data."+stdops.Short(key), key))
	}
	return c
}

func (r *reader) input(o *stdops.Object, path, key string) Input {
	hook, had := o.Get("hook")
	if _, ok := hook.(bool); !ok {
		if had {
			r.fail(path+".hook", "must be true or false")
		} else {
			r.fail(path+".hook", "is required")
		}
	}
	value, had := o.Get("value")
	if !had {
		r.fail(path+".value", "is required")
	}
	return Input{Key: key, Value: value, Render: flag(o, "need_render", true)}
}

// policies checks that the settings for retries and time limits have the form of objects.
func (r *reader) policies(o *stdops.Object, path string) {
	for _, key := range []string{"auto_retry", "timeout_config"} {
		if v, _ := o.Get(key); v != nil {
			if _, ok := v.(*stdops.Object); !ok {
				r.fail(path+"."+key, "must be an object")
			}
		}
	}
}

func (r *reader) subprocess(n *node, path string) {
	if v, had := n.raw.Get("pipeline"); had && v != nil {
		if inner := r.object(n.raw, path+".", "pipeline", true); inner != nil {
			n.pipeline = r.tree(inner, shortPath(path+".pipeline")+".") // every field below has a path that begins so
		}
		return
	}
	ref, ok := r.childRef(n.raw, path, "a SubProcess")
	if !ok {
		return
	}
	n.child = ref
	if given, _ := n.raw.Get("constants"); given != nil {
		n.given = r.object(n.raw, path+".", "constants", true)
		for key, c := range r.members(n.raw, path+".", "constants", true) {
			r.constant(c, path+".constants."+stdops.Short(key), key)
		}
	}
}

// schemes reads the execution schemes that a subprocess asks for: numbers, or texts that name them.
func (r *reader) schemes(o *stdops.Object, path string) string {
	value, _ := o.Get("scheme_id_list")
	list, ok := value.([]any)
	if value != nil && !ok {
		r.fail(path+".scheme_id_list", "must be an array")
	}
	ids := make([]string, 0, len(list))
	for _, item := range list {
		switch id := item.(type) {
		case int64:
			ids = append(ids, strconv.FormatInt(id, 10))
		case string:
			ids = append(ids, id)
		default:
			r.fail(path+".scheme_id_list", "must hold numbers and strings only")
		}
	}
	return strings.Join(ids, ",")
}

// childRef reads a reference to a stored flow.
func (r *reader) childRef(o *stdops.Object, path, who string) (*ChildRef, bool) {
	value, _ := o.Get("template_id")
	if value == nil {
		r.fail(path, "%s needs template_id or pipeline", who)
		return nil, false
	}
	id, ok := templateID(value)
	if !ok {
		r.fail(path+".template_id", "must be the number of a template")
		return nil, false
	}
	version, _ := o.Get("version")
	if version != nil && !isText(version) {
		r.fail(path+".version", "must be a string")
	}
	return &ChildRef{
		Template: id, Source: o.Text("template_source"), Version: o.Text("version"),
		AlwaysLatest: flag(o, "always_use_latest", false), Schemes: r.schemes(o, path), Path: path,
	}, true
}

func templateID(v any) (stdops.TemplateID, bool) {
	id, ok := v.(int64)
	if text, isText := v.(string); isText {
		parsed, err := strconv.ParseInt(text, 10, 64)
		id, ok = parsed, err == nil
	}
	return stdops.TemplateID(id), ok && id > 0
}

func gatewayKind(word string) (stdops.NodeKind, bool) {
	for kind := stdops.KindExclusive; kind <= stdops.KindConverge; kind++ {
		if kind.String() == word {
			return kind, true
		}
	}
	return 0, false
}

func (r *reader) gateway(t *Tree, o *stdops.Object, at, key string) *node {
	path := at + "gateways." + stdops.Short(key)
	n := &node{raw: o, converge: o.Text("converge_gateway_id")}
	n.id, n.name = r.identity(o, path, "")
	r.sameID(path, key, n.id)
	r.place(t, n, path)
	kind, known := gatewayKind(o.Text("type"))
	if word := o.Text("type"); !known && word != "" {
		r.fail(path+".type", "%q is no type of gateway", stdops.Short(word))
	}
	n.kind = kind
	most := 0
	if kind == stdops.KindConverge {
		most = 1
	}
	n.in, n.out = r.edges(o, path, "incoming", 0), r.edges(o, path, "outgoing", most)
	if conditional(kind) {
		r.conditions(n, path)
	}
	return n
}

func (r *reader) conditions(n *node, path string) {
	for flow, o := range r.members(n.raw, path+".", "conditions", true) {
		at := path + ".conditions." + stdops.Short(flow)
		n.conditions = append(n.conditions, condition{flow: flow, evaluate: r.text(o, at, "evaluate", true), raw: o})
	}
	if v, _ := n.raw.Get("default_condition"); v == nil {
		return
	}
	if o := r.object(n.raw, path+".", "default_condition", true); o != nil {
		n.fallback = r.text(o, path+".default_condition", "flow_id", true)
		if id, _ := o.Get("flow_id"); id == "" {
			r.fail(path+".default_condition.flow_id", "must not be empty")
		}
	}
}

// flag gives the truth of a field; absent and null give what absent means.
func flag(o *stdops.Object, key string, absent bool) bool {
	v, _ := o.Get(key)
	if v == nil {
		return absent
	}
	return stdops.Truth(v)
}
