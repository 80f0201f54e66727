package flow

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stdops/stdops"
)

// Parse reads a pipeline tree from its JSON object, subprocess pipelines included. Node names are cleaned first
// (docs/spec/engine.md 8.1), so that the rules see the name that is kept. All problems of form are reported together, as
// "path: reason" joined by commas. v is kept and must not be changed afterwards.
func Parse(v *stdops.Object) (*Tree, error) { return parse(v, &reader{}) }

// ParseLoose is [Parse] for callers that may leave out gateways, constants and outputs where they are empty.
func ParseLoose(v *stdops.Object) (*Tree, error) { return parse(v, &reader{loose: true}) }

func parse(v *stdops.Object, r *reader) (*Tree, error) {
	if v == nil {
		return nil, stdops.Errorf(stdops.CodeInvalid, "a pipeline tree must be an object")
	}
	t := r.tree(v, "")
	if len(r.problems) == 0 {
		return t, nil
	}
	text := strings.Join(r.problems, ",")
	switch {
	case r.more >= mostCounted:
		text += fmt.Sprintf(",and %d more at least", mostCounted)
	case r.more > 0:
		text += fmt.Sprintf(",and %d more", r.more)
	}
	return nil, stdops.Errorf(stdops.CodeInvalid, "%s", text)
}

const (
	mostProblems = 50
	mostCounted  = 1000 // beyond those that are told; then nothing more is looked at
	longestName  = 50
)

// reader collects the problems of form of one tree.
type reader struct {
	loose    bool
	problems []string
	more     int
}

func (r *reader) fail(path, format string, args ...any) {
	if len(r.problems) == mostProblems {
		r.more++
		return
	}
	r.problems = append(r.problems, shortPath(path)+": "+fmt.Sprintf(format, args...))
}

func (r *reader) tree(v *stdops.Object, at string) *Tree {
	t := &Tree{raw: v, nodes: map[string]*node{}, lines: map[string]*line{}}
	t.start = r.event(t, v, at, "start_event", stdops.KindStartEvent)
	t.end = r.event(t, v, at, "end_event", stdops.KindEndEvent)
	for id, o := range r.members(v, at, "activities", true) {
		t.activities = append(t.activities, r.activity(t, o, at, id))
	}
	for id, o := range r.members(v, at, "gateways", !r.loose) {
		t.gateways = append(t.gateways, r.gateway(t, o, at, id))
	}
	for id, o := range r.members(v, at, "flows", false) {
		t.addLine(r.line(o, at+"flows."+stdops.Short(id), id))
	}
	for key, o := range r.members(v, at, "constants", !r.loose) {
		t.constants = append(t.constants, r.constant(o, at+"constants."+stdops.Short(key), key))
	}
	t.outputs = r.outputs(v, at)
	return t
}

// members gives the objects under key, in order, by their ids.
func (r *reader) members(v *stdops.Object, at, key string, required bool) func(yield func(string, *stdops.Object) bool) {
	return func(yield func(string, *stdops.Object) bool) {
		all := r.object(v, at, key, required)
		for _, id := range all.Keys() {
			if r.more >= mostCounted { // each costs a path, and a hostile tree has very many
				return
			}
			member, _ := all.Get(id)
			o, ok := member.(*stdops.Object)
			if !ok || o == nil {
				r.fail(at+key+"."+stdops.Short(id), "must be an object")
				continue
			}
			if !yield(id, o) {
				return
			}
		}
	}
}

func (r *reader) event(t *Tree, v *stdops.Object, at, key string, kind stdops.NodeKind) *node {
	o := r.object(v, at, key, true)
	n := &node{kind: kind, raw: o}
	if o == nil {
		return n
	}
	path := at + key
	n.id, n.name = r.identity(o, path, kind.String())
	if kind == stdops.KindStartEvent {
		n.out = r.edges(o, path, "outgoing", 1)
		n.in = looseEdges(o, "incoming")
	} else {
		n.in = r.edges(o, path, "incoming", 0)
		n.out = looseEdges(o, "outgoing")
	}
	r.place(t, n, path)
	return n
}

// identity reads id, name and, when kind is given, checks the type.
func (r *reader) identity(o *stdops.Object, path, kind string) (id, name string) {
	id = r.text(o, path, "id", true)
	if id != "" && !strings.ContainsFunc(id, wordRune) {
		r.fail(path+".id", "%q holds no letter, digit or underscore", stdops.Short(id))
	}
	name = cleanName(r.text(o, path, "name", true))
	if got := r.text(o, path, "type", true); kind != "" && got != "" && got != kind {
		r.fail(path+".type", "%q is not %s", stdops.Short(got), kind)
	}
	return id, name
}

func wordRune(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) }

// place enters the node under its id, which must be the only one of its level.
func (r *reader) place(t *Tree, n *node, path string) {
	if n.id == "" {
		return
	}
	if _, had := t.nodes[n.id]; had {
		r.fail(path+".id", "%q is used by another node", stdops.Short(n.id))
		return
	}
	t.nodes[n.id] = n
}

func (r *reader) line(o *stdops.Object, path, key string) *line {
	l := &line{id: r.text(o, path, "id", true), raw: o}
	l.source, l.target = r.text(o, path, "source", true), r.text(o, path, "target", true)
	r.sameID(path, key, l.id)
	return l
}

func (t *Tree) addLine(l *line) {
	t.flows = append(t.flows, l)
	t.lines[l.id] = l
}

// sameID checks that an object stands under its own id.
func (r *reader) sameID(path, key, id string) {
	if id != "" && id != key {
		r.fail(path+".id", "%q differs from the key %q that it stands under", stdops.Short(id), stdops.Short(key))
	}
}

func (r *reader) outputs(v *stdops.Object, at string) []string {
	value, ok := v.Get("outputs")
	if !ok {
		if !r.loose {
			r.fail(at+"outputs", "is required")
		}
		return nil
	}
	list, ok := value.([]any)
	if !ok {
		r.fail(at+"outputs", "must be an array")
		return nil
	}
	var keys []string
	for i, item := range list {
		key, ok := item.(string)
		if !ok {
			r.fail(fmt.Sprintf("%soutputs.%d", at, i), "must be a string")
			continue
		}
		keys = append(keys, key)
	}
	return keys
}

// object gives the object under key; null counts as something else than an object.
func (r *reader) object(v *stdops.Object, at, key string, required bool) *stdops.Object {
	value, had := v.Get(key)
	if !had {
		if required {
			r.fail(at+key, "is required")
		}
		return nil
	}
	o, ok := value.(*stdops.Object)
	if !ok || o == nil {
		r.fail(at+key, "must be an object")
		return nil
	}
	return o
}

// text gives the string under key.
func (r *reader) text(o *stdops.Object, path, key string, required bool) string {
	value, had := o.Get(key)
	if !had {
		if required {
			r.fail(path+"."+key, "is required")
		}
		return ""
	}
	text, ok := value.(string)
	if !ok {
		r.fail(path+"."+key, "must be a string")
	} else if text == "" && (key == "id" || key == "type") {
		r.fail(path+"."+key, "must not be empty")
	}
	return text
}

// edges reads incoming or outgoing: a string, or an array of non-empty strings; most limits the array, 0 does not.
func (r *reader) edges(o *stdops.Object, path, key string, most int) []string {
	value, had := o.Get(key)
	path += "." + key
	switch value := value.(type) {
	case string:
		return looseEdges(o, key)
	case []any:
		ids := looseEdges(o, key)
		switch {
		case len(value) == 0:
			r.fail(path, "must name a flow")
		case len(ids) != len(value):
			r.fail(path, "must hold non-empty strings only")
		case most > 0 && len(ids) > most:
			r.fail(path, "must name exactly one flow")
		default:
			return ids
		}
	default:
		if had {
			r.fail(path, "must be a string or an array of strings")
		} else {
			r.fail(path, "is required")
		}
	}
	return nil
}

// looseEdges reads incoming or outgoing without complaint: what is no flow id is left out.
func looseEdges(o *stdops.Object, key string) []string {
	value, _ := o.Get(key)
	if id, ok := value.(string); ok && id != "" {
		return []string{id}
	}
	var ids []string
	list, _ := value.([]any)
	for _, item := range list {
		if id, ok := item.(string); ok && id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// cleanName removes the characters that have a meaning in pages and templates and cuts the name to its limit.
func cleanName(name string) string {
	name = strings.Map(func(c rune) rune {
		if strings.ContainsRune(`<>$&'"`, c) {
			return -1
		}
		return c
	}, name)
	if utf8.RuneCountInString(name) <= longestName {
		return name
	}
	return string([]rune(name)[:longestName])
}
