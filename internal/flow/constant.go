package flow

import (
	"slices"
	"unicode/utf8"

	"github.com/stdops/stdops"
)

// The source types of constants that mean something to us.
const (
	sourceInputs  = "component_inputs"
	sourceOutputs = "component_outputs"
	sourceCustom  = "custom"
	sourceSystem  = "system"

	showShow = "show"
	showHide = "hide"
)

// Constant is a global variable of one level (docs/spec/engine.md 1.8).
type Constant struct {
	Key        string // with ${ and }
	Name       string
	Value      any
	SourceType string
	CustomType string
	Shown      bool

	raw    *stdops.Object
	source []source
}

// source names a node, and those of its inputs or outputs that a constant is tied to.
type source struct {
	node string
	keys []string
}

func (r *reader) constant(o *stdops.Object, path, key string) *Constant {
	c := &Constant{Key: key, raw: o, SourceType: sourceCustom, Shown: true}
	c.Value, _ = o.Get("value")
	c.Name = r.text(o, path, "name", false)
	if _, had := o.Get("name"); had {
		if size := utf8.RuneCountInString(c.Name); size < 1 || size > longestName {
			r.fail(path+".name", "must have 1 to %d characters", longestName)
		}
	}
	for _, field := range []string{"desc", "source_tag", "validation"} {
		r.text(o, path, field, false)
	}
	c.CustomType = r.text(o, path, "custom_type", false)
	if word, had := r.choice(o, path, "source_type", sourceInputs, sourceOutputs, sourceCustom, sourceSystem); had {
		c.SourceType = word
	}
	if word, had := r.choice(o, path, "show_type", showShow, showHide); had {
		c.Shown = word == showShow
	}
	if v, had := o.Get("index"); had {
		if _, ok := v.(int64); !ok {
			r.fail(path+".index", "must be a whole number")
		}
	}
	c.source = r.sourceInfo(o, path)
	return c
}

// choice gives a word that must be one of words.
func (r *reader) choice(o *stdops.Object, path, key string, words ...string) (word string, had bool) {
	v, had := o.Get(key)
	if !had {
		return "", false
	}
	word, _ = v.(string)
	if !slices.Contains(words, word) {
		r.fail(path+"."+key, "must be one of %q", words)
		return "", false
	}
	return word, true
}

func (r *reader) sourceInfo(o *stdops.Object, path string) []source {
	info := r.object(o, path+".", "source_info", false)
	var list []source
	for _, id := range info.Keys() {
		value, _ := info.Get(id)
		items, ok := value.([]any)
		if !ok {
			r.fail(path+".source_info."+stdops.Short(id), "must be an array")
			continue
		}
		s := source{node: id}
		for _, item := range items {
			key, ok := item.(string)
			if !ok {
				r.fail(path+".source_info."+stdops.Short(id), "must hold strings only")
				break
			}
			s.keys = append(s.keys, key)
		}
		list = append(list, s)
	}
	return list
}

// producer gives the node of the level and its output that write the constant; n is nil when nothing does. Nodes that the
// level does not have are passed over: they are gone from the stored form, which must compile to the same graph.
func (c *Constant) producer(t *Tree) (n *node, output string) {
	if c.SourceType != sourceOutputs {
		return nil, ""
	}
	for _, s := range c.source {
		if n := t.nodes[s.node]; n != nil {
			if len(s.keys) == 0 {
				return nil, ""
			}
			return n, s.keys[0]
		}
	}
	return nil, ""
}

// with gives a copy of the constant with a field of its raw object replaced.
func (c *Constant) with(key string, value any) *Constant {
	changed := *c
	changed.raw = c.raw.Clone()
	changed.raw.Set(key, value)
	if key == "value" {
		changed.Value = value
	}
	return &changed
}

// Constants gives the constants of the root level in the order of the tree.
func (t *Tree) Constants() []Constant {
	list := make([]Constant, len(t.constants))
	for i, c := range t.constants {
		list[i] = *c
	}
	return list
}

// SetConstants replaces values of the root level by those given, by key with ${ and }. Unknown keys are ignored.
func (t *Tree) SetConstants(values *stdops.Object) {
	for i, c := range t.constants {
		if v, ok := values.Get(c.Key); ok {
			t.constants[i] = c.with("value", v)
		}
	}
}

// KeepMeta gives every constant of the root level that needs a form of its own, and has none yet, a copy of itself as
// `meta`: the list of options, while value holds the choice.
func (t *Tree) KeepMeta() {
	for i, c := range t.constants {
		if flag(c.raw, "is_meta", false) && !flag(c.raw, "meta", false) {
			t.constants[i] = c.with("meta", c.raw)
		}
	}
}

// ChooseDefaults is [Tree.KeepMeta] for a task made of a stored flow: the values of the constants concerned become
// their default choice.
func (t *Tree) ChooseDefaults() {
	for i, c := range t.constants {
		if !flag(c.raw, "is_meta", false) || flag(c.raw, "meta", false) {
			continue
		}
		kept := c.with("meta", c.raw)
		if form, ok := c.Value.(*stdops.Object); ok {
			kept = kept.with("value", defaultChoice(form))
		}
		t.constants[i] = kept
	}
}

func defaultChoice(form *stdops.Object) any {
	for _, key := range []string{"default", "default_text"} {
		if v, _ := form.Get(key); stdops.Truth(v) {
			return v
		}
	}
	return ""
}

// Simplify turns the named custom constants of the root level into plain texts.
func (t *Tree) Simplify(keys []string) {
	for i, c := range t.constants {
		if c.SourceType != sourceCustom || !slices.Contains(keys, c.Key) {
			continue
		}
		plain := c.with("custom_type", "textarea")
		plain.CustomType = "textarea"
		plain.raw.Set("source_tag", "textarea.textarea")
		plain.raw.Set("is_meta", false)
		plain.raw.Set("form_schema", stdops.NewObject("type", "textarea", "attrs", stdops.NewObject("name", c.Name)))
		t.constants[i] = plain
	}
}

// TakeValues removes the values of the constants of the root level and gives them by key without ${ and }: they belong
// to the task, while the tree without them is shared by all tasks that differ in values only.
func (t *Tree) TakeValues() *stdops.Object {
	values := &stdops.Object{}
	for i, c := range t.constants {
		values.Set(bare(c.Key), c.Value)
		t.constants[i] = c.with("value", nil)
	}
	return values
}

// WithValues gives a copy of the tree with values that [Tree.TakeValues] took. The tree itself is not changed, so one
// that is shared can be echoed for many tasks at once.
func (t *Tree) WithValues(values *stdops.Object) *Tree {
	filled := *t
	filled.constants = make([]*Constant, len(t.constants))
	for i, c := range t.constants {
		v, ok := values.Get(bare(c.Key))
		if ok {
			c = c.with("value", v)
		}
		filled.constants[i] = c
	}
	return &filled
}

// Shown gives the tree as it may be shown: secrets that stand in its constants, at any level, are hidden. The tree itself
// is not changed.
func (t *Tree) Shown() *Tree {
	if !slices.ContainsFunc(t.levelsWithin(), func(l *Tree) bool { return slices.ContainsFunc(l.constants, (*Constant).secret) }) {
		return t
	}
	shown := t.clone()
	for _, l := range shown.levelsWithin() {
		for i, c := range l.constants {
			if c.secret() {
				l.constants[i] = c.shown()
			}
		}
	}
	shown.numbered = t.numbered
	return shown
}

// secret reports whether the constant holds something that is not to be shown; meta is a copy of it.
func (c *Constant) secret() bool {
	meta, _ := c.raw.Get("meta")
	copied, _ := meta.(*stdops.Object)
	kept, _ := copied.Get("value")
	return c.CustomType == customSecret && len(stdops.SecretsOf(c.Value, kept)) > 0
}

// shown gives the constant without its secret.
func (c *Constant) shown() *Constant {
	shown := c.with("value", stdops.SecretsOf(c.Value).Value(c.Value))
	meta, _ := c.raw.Get("meta")
	if copied, ok := meta.(*stdops.Object); ok {
		value, _ := copied.Get("value")
		copied = copied.Clone()
		copied.Set("value", stdops.SecretsOf(value).Value(value))
		shown = shown.with("meta", copied)
	}
	return shown
}

// Revalue gives those of values, by key with ${ and }, that are for constants of the root level, by key without; unknown
// lists the keys that it does not have. had are the values that the task has. Values with which constants would refer to
// themselves are refused, like those of a new tree (docs/spec/engine.md 8.2, W5 and W6).
func (t *Tree) Revalue(had, values *stdops.Object) (own *stdops.Object, unknown []string, err error) {
	own = &stdops.Object{}
	known := make(map[string]bool, len(t.constants))
	for _, c := range t.constants {
		known[c.Key] = true
	}
	for _, key := range values.Keys() {
		if !known[key] {
			unknown = append(unknown, key)
			continue
		}
		value, _ := values.Get(key)
		own.Set(bare(key), value)
	}
	after := level{tree: t.WithValues(had).WithValues(own)}
	for _, rule := range []func(level) error{checkSelfReferences, checkReferenceCycles} {
		if err := rule(after); err != nil {
			return nil, nil, err
		}
	}
	return own, unknown, nil
}
