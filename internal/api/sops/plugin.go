package sops

import (
	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// usualPlugin is the version of a plugin that is meant when none is named.
const usualPlugin = "legacy"

// getPluginList tells about all plugins, an entry for each version (docs/spec/api.md 4.8, 42).
func getPluginList(c *call) error {
	if _, err := c.project(); err != nil {
		return err
	}
	list := []any{}
	for _, p := range c.sops.svc.Plugins() {
		for _, version := range p.Versions {
			list = append(list, pluginItem(&p, version))
		}
	}
	c.out.Data(list, "", nil)
	return nil
}

// getPluginDetail tells about one plugin (docs/spec/api.md 4.8, 43).
func getPluginDetail(c *call) error {
	if _, err := c.project(); err != nil {
		return err
	}
	code, version := c.text("code"), c.text("version")
	if code == "" {
		return stdops.Errorf(stdops.CodeInvalidForm, "parameter code need to be provided.")
	}
	if version == "" {
		version = usualPlugin
	}
	found, err := c.sops.svc.Plugin(code, version)
	if stdops.ErrorCode(err) == stdops.CodeNotFound {
		return stdops.Errorf(stdops.CodeInvalidForm, "can not find suitable component with code: %s and version: %s", shown(code), shown(version))
	}
	if err != nil {
		return err
	}
	c.out.Data(pluginItem(found, version), "", nil)
	return nil
}

// getPluginBaseInfo tells which plugins there are (docs/spec/api.md 4.8, 44).
func getPluginBaseInfo(c *call) error {
	if _, err := c.project(); err != nil {
		return err
	}
	list := []any{}
	for _, p := range c.sops.svc.Plugins() {
		list = append(list, stdops.NewObject("code", p.Code, "name", p.Name))
	}
	c.out.Data(stdops.NewObject("builtin_plugins", list, "remote_plugins", []any{}), "", nil)
	return nil
}

func pluginItem(p *service.PluginEntry, version string) *stdops.Object {
	inputs, outputs := make([]any, len(p.Inputs)), make([]any, len(p.Outputs))
	for i := range p.Inputs {
		item := fieldItem(&p.Inputs[i])
		item.Set("required", p.Inputs[i].Required)
		inputs[i] = item
	}
	for i := range p.Outputs {
		outputs[i] = fieldItem(&p.Outputs[i])
	}
	return stdops.NewObject("inputs", inputs, "outputs", outputs, "desc", p.Doc, "code", p.Code, "name", p.Name,
		"group_name", p.Group, "version", version, "form", "")
}

func fieldItem(f *service.PluginField) *stdops.Object {
	word := f.Type
	if old, ok := typeWords[word]; ok {
		word = old
	}
	return stdops.NewObject("name", f.Name, "key", f.Key, "type", word, "schema", fieldSchema(f))
}

// typeWords are what bk-sops calls types beside their schema.
var typeWords = map[string]string{"boolean": "bool", "integer": "int", "number": "float"}

// fieldSchema gives the schema of a field with the keys that callers of bk-sops read.
func fieldSchema(f *service.PluginField) *stdops.Object {
	schema := f.Schema()
	if _, had := schema.Get("description"); !had {
		schema.Set("description", "")
	}
	if _, had := schema.Get("enum"); !had {
		schema.Set("enum", []any{})
	}
	return schema
}
