package exchange

import (
	"strings"

	"github.com/stdops/stdops"
)

// component writes what a plugin is given, and the constants that hold outputs.
func (d *documentWriter) component(o, n *stdops.Object) {
	from, _ := object(n, "component")
	data := &stdops.Object{}
	for key, input := range members(from, "data") {
		v, _ := input.Get("value")
		if c := d.lifted(v, n.Text("id"), key); c != nil && truth(input, "hook") {
			data.Set(key, d.constant(c, true))
			continue
		}
		data.Set(key, stdops.NewObject("value", v))
		if render, had := input.Get("need_render"); had && !stdops.Truth(render) {
			inner, _ := object(data, key)
			inner.Set("need_render", false)
		}
	}
	version := from.Text("version")
	if version == "" {
		version = "legacy"
	}
	o.Set("component", stdops.NewObject("code", from.Text("code"), "version", version, "data", data))
	retry, ok := object(n, "auto_retry")
	if !ok {
		retry = stdops.NewObject("enable", false, "times", int64(0), "interval", int64(0))
	}
	o.Set("auto_retry", retry)
	d.outputs(o, n)
}

// lifted gives the constant whose key a value is, if the input of the node is one of its sources.
func (d *documentWriter) lifted(v any, node, input string) *stdops.Object {
	key, _ := v.(string)
	constants, _ := object(d.flow.Tree, "constants")
	c, ok := object(constants, key)
	if !ok || c.Text("source_type") != "component_inputs" || !tied(c, node, input) {
		return nil
	}
	return c
}

// tied reports whether an input or output of a node is a source of a constant.
func tied(c *stdops.Object, node, key string) bool {
	info, _ := object(c, "source_info")
	list, _ := mustGet(info, node).([]any)
	for _, item := range list {
		if item == key {
			return true
		}
	}
	return false
}

func (d *documentWriter) outputs(o, n *stdops.Object) {
	output := &stdops.Object{}
	for _, c := range members(d.flow.Tree, "constants") {
		if c.Text("source_type") != "component_outputs" {
			continue
		}
		info, _ := object(c, "source_info")
		list, _ := mustGet(info, n.Text("id")).([]any)
		for _, item := range list {
			if key, ok := item.(string); ok {
				output.Set(key, d.constant(c, true))
			}
		}
	}
	if output.Len() > 0 {
		o.Set("output", output)
	}
}

func (d *documentWriter) subprocess(o, n *stdops.Object) {
	child := reference(d.flow.Source, n)
	o.Set("template_id", d.names[child])
	known, _ := object(d.yamlWriter.flows[child].Tree, "constants")
	data := &stdops.Object{}
	for key, given := range members(n, "constants") {
		if of, had := object(known, key); !had || of.Text("source_type") == "component_outputs" {
			continue // the child has no such constant any more
		}
		v, _ := given.Get("value")
		if c := d.lifted(v, n.Text("id"), key); c != nil {
			data.Set(key, d.constant(c, true))
		} else {
			data.Set(key, stdops.NewObject("value", v))
		}
	}
	if data.Len() > 0 {
		o.Set("data", data)
	}
	d.outputs(o, n)
}

// constant writes a constant, with what differs from what it is without being said.
func (d *documentWriter) constant(c *stdops.Object, atNode bool) *stdops.Object {
	d.written[c.Text("key")] = true
	o := stdops.NewObject("name", c.Text("name"))
	if c.Text("source_type") != "component_outputs" {
		v, _ := c.Get("value")
		if meta, ok := object(c, "meta"); ok && truth(c, "is_meta") {
			v, _ = meta.Get("value")
		}
		o.Set("value", v)
	}
	if atNode {
		o.Set("key", c.Text("key"))
	}
	kind := c.Text("custom_type")
	if kind != "" {
		o.Set("type", kind)
	}
	if c.Text("show_type") == "hide" {
		o.Set("hide", true)
	}
	for _, key := range []string{"desc", "validation"} {
		if text := c.Text(key); text != "" {
			o.Set(key, text)
		}
	}
	if version := c.Text("version"); version != "" && version != "legacy" {
		o.Set("version", version)
	}
	if truth(c, "is_meta") {
		o.Set("is_meta", true)
	}
	if tag := c.Text("source_tag"); tag != "" && kind == "" {
		o.Set("source_tag", tag)
	}
	if code := c.Text("plugin_code"); code != "" {
		o.Set("plugin_code", code)
	}
	return o
}

// constants writes the constants that stand at no node, and the outputs.
func (d *documentWriter) constants(spec *stdops.Object) {
	custom, dummy := &stdops.Object{}, &stdops.Object{}
	for key, c := range members(d.flow.Tree, "constants") {
		switch source := c.Text("source_type"); {
		case d.written[key]:
		case source == "component_inputs":
			dummy.Set(key, d.constant(c, false))
		case source != "component_outputs":
			custom.Set(key, d.constant(c, false))
		}
	}
	if custom.Len() > 0 {
		spec.Set("constants", custom)
	}
	if dummy.Len() > 0 {
		spec.Set("dummy_component_inputs", dummy)
	}
	outputs := []any{}
	list, _ := mustGet(d.flow.Tree, "outputs").([]any)
	for _, item := range list {
		if key, ok := item.(string); ok && strings.HasPrefix(key, "${") {
			outputs = append(outputs, key)
		}
	}
	if len(outputs) > 0 {
		spec.Set("outputs", outputs)
	}
}
