package exchange

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/stdops/stdops"
)

// component reads what a plugin is given, and which of its outputs become constants.
func (b *yamlBuilder) component(o *stdops.Object, n *yaml.Node) error {
	given, err := need(n, "component", yaml.MappingNode)
	if err != nil {
		return err
	}
	code, err := need(given, "code", yaml.ScalarNode)
	if err != nil {
		return err
	}
	version := textAt(given, "version")
	if version == "" {
		version = "legacy"
	}
	inputs, err := may(given, "data", yaml.MappingNode)
	if err != nil {
		return err
	}
	data := &stdops.Object{}
	for key, item := range pairs(inputs) {
		hook, v, err := b.input(o, key.Value, item, code.Value+"."+key.Value)
		if err != nil {
			return err
		}
		data.Set(key.Value, stdops.NewObject("hook", hook, "need_render", true, "value", v))
	}
	o.Set("component", stdops.NewObject("code", code.Value, "version", version, "data", data))
	return b.outputs(o, n)
}

// input reads what a node is given under a key: a value, or a constant.
func (b *yamlBuilder) input(o *stdops.Object, key string, item *yaml.Node, tag string) (hook bool, v any, err error) {
	if err := ofKind(item, key, yaml.MappingNode); err != nil {
		return false, nil, err
	}
	if field(item, "key") == nil {
		found, ok := object(stdops.NewObject("o", value(item)), "o")
		given, had := found.Get("value")
		if !ok || !had {
			return false, nil, wrongAt(item, "%s needs value or key", stdops.Short(key))
		}
		return false, given, nil
	}
	if code := textAt(item, "plugin_code"); code != "" && strings.HasPrefix(tag, "remote_plugin.") {
		tag = code + strings.TrimPrefix(tag, "remote_plugin")
	}
	name, err := b.constant(item, "component_inputs", tag, o.Text("id"), key)
	return true, name, err
}

// outputs reads the constants that hold outputs of a node.
func (b *yamlBuilder) outputs(o *stdops.Object, n *yaml.Node) error {
	given, err := may(n, "output", yaml.MappingNode)
	if err != nil {
		return err
	}
	for key, item := range pairs(given) {
		if err := ofKind(item, key.Value, yaml.MappingNode); err != nil {
			return err
		}
		if _, err := b.constant(item, "component_outputs", "", o.Text("id"), key.Value); err != nil {
			return err
		}
	}
	return nil
}

// constant reads a constant that stands at a node; one that stands at several gets the further ones as sources.
func (b *yamlBuilder) constant(item *yaml.Node, source, tag, node, input string) (string, error) {
	key, err := need(item, "key", yaml.ScalarNode)
	if err != nil {
		return "", err
	}
	c, had := object(b.constants, key.Value)
	if !had {
		c = b.newConstant(key.Value, item, source, tag)
	} else if c.Text("source_type") != source {
		return "", wrongAt(key, "%s is another kind of constant elsewhere", stdops.Short(key.Value))
	}
	info, _ := object(c, "source_info")
	list, _ := mustGet(info, node).([]any)
	info.Set(node, append(list, input))
	return key.Value, nil
}

func (b *yamlBuilder) newConstant(key string, item *yaml.Node, source, tag string) *stdops.Object {
	given, _ := value(item).(*stdops.Object)
	kind := given.Text("type")
	switch {
	case given.Text("source_tag") != "":
		tag = given.Text("source_tag")
	case kind != "":
		tag = kind + "." + kind
	}
	name, show, version := given.Text("name"), "show", given.Text("version")
	if name == "" {
		name = strings.TrimSuffix(strings.TrimPrefix(key, "${"), "}")
	}
	if truth(given, "hide") {
		show = "hide"
	}
	if version == "" {
		version = "legacy"
	}
	v, had := given.Get("value")
	if !had {
		v = ""
	}
	c := stdops.NewObject("key", key, "name", name, "desc", given.Text("desc"), "index", int64(b.constants.Len()), "value", v,
		"show_type", show, "source_type", source, "source_tag", tag, "source_info", &stdops.Object{}, "custom_type", kind,
		"validation", given.Text("validation"), "version", version, "is_meta", truth(given, "is_meta"))
	if code := given.Text("plugin_code"); code != "" {
		c.Set("plugin_code", code)
	}
	b.constants.Set(key, c)
	return c
}

// rest reads the constants that stand at no node, and the outputs.
func (b *yamlBuilder) rest(tree *stdops.Object) error {
	for _, of := range []struct{ section, source string }{{"constants", "custom"}, {"dummy_component_inputs", "component_inputs"}} {
		if err := b.loose(of.section, of.source); err != nil {
			return err
		}
	}
	given, err := may(b.document.spec, "outputs", yaml.SequenceNode)
	if err != nil {
		return err
	}
	outputs := []any{}
	if given != nil {
		outputs, _ = value(given).([]any)
	}
	tree.Set("outputs", outputs)
	return nil
}

// loose reads the constants of a section, which stand at no node.
func (b *yamlBuilder) loose(section, source string) error {
	given, err := may(b.document.spec, section, yaml.MappingNode)
	if err != nil {
		return err
	}
	for key, item := range pairs(given) {
		if err := ofKind(item, key.Value, yaml.MappingNode); err != nil {
			return err
		}
		if _, had := b.constants.Get(key.Value); had {
			return wrongAt(key, "the constant %s is there already", stdops.Short(key.Value))
		}
		b.newConstant(key.Value, item, source, "")
	}
	return nil
}

// mostCopied is how many constants the subprocesses of a stream may get from what they refer to, all together.
const mostCopied = 100_000

// subprocess reads a reference to another flow: of the stream, or stored here.
func (b *yamlBuilder) subprocess(o *stdops.Object, n *yaml.Node) error {
	id, err := need(n, "template_id", yaml.ScalarNode)
	if err != nil {
		return err
	}
	child, err := b.child(o, id, textAt(n, "template_source"))
	if err != nil {
		return err
	}
	given, err := may(n, "data", yaml.MappingNode)
	if err != nil {
		return err
	}
	own, err := b.copied(id, child)
	if err != nil {
		return err
	}
	constants := &stdops.Object{} // those that are told first, in the order in which they are
	for key, item := range pairs(given) {
		c, known := object(own, key.Value)
		if !known {
			return wrongAt(key, "the template has no constant %s", stdops.Short(key.Value))
		}
		_, v, err := b.input(o, key.Value, item, c.Text("source_tag"))
		if err != nil {
			return err
		}
		c.Set("value", v)
		constants.Set(key.Value, c)
	}
	for key, c := range all(own) {
		if _, told := constants.Get(key); !told {
			constants.Set(key, c)
		}
	}
	o.Set("constants", constants)
	return b.outputs(o, n)
}

// copied gives copies of those constants of a flow that a subprocess may give values to.
func (b *yamlBuilder) copied(id *yaml.Node, child *stdops.Object) (*stdops.Object, error) {
	constants := &stdops.Object{}
	for key, c := range members(child, "constants") {
		if c.Text("source_type") == "component_outputs" {
			continue
		}
		if b.reader.copied++; b.reader.copied > mostCopied {
			return nil, wrongAt(id, "the subprocesses have more than %d constants", mostCopied)
		}
		constants.Set(key, c.Clone())
	}
	return constants, nil
}

// child gives the tree of the flow that a subprocess refers to, and lets the node name it.
func (b *yamlBuilder) child(o *stdops.Object, id *yaml.Node, source string) (*stdops.Object, error) {
	if i, known := b.reader.place[id.Value]; known {
		o.Set("template_id", int64(b.reader.at[i]))
		o.Set("template_source", sourceFile)
		return b.reader.built[i], nil
	}
	number, err := strconv.ParseInt(id.Value, 10, 64)
	if err != nil || number <= 0 || b.reader.find == nil {
		return nil, wrongAt(id, "there is no template %q", stdops.Short(id.Value))
	}
	known, err := b.reader.find(stdops.TemplateID(number), source)
	if err != nil {
		if stdops.ErrorCode(err) == stdops.CodeInternal {
			return nil, err
		}
		return nil, wrongAt(id, "%s", err)
	}
	o.Set("template_id", number)
	o.Set("template_source", known.Source)
	o.Set("version", known.Version)
	return known.Tree, nil
}
