package plugin

import (
	"slices"

	"github.com/stdops/stdops"
)

// Always gives the outputs that every plugin has, whatever it declares.
func Always() []Field {
	return []Field{
		{Key: "_result", Name: "result", Type: "boolean", Doc: "whether the node succeeded"},
		{Key: "_loop", Name: "loop", Type: "integer", Doc: "how often the node was entered"},
		{Key: "_inner_loop", Name: "inner loop", Type: "integer", Doc: "the same since the subprocess around it was entered"},
	}
}

// Schema gives the JSON Schema of the values of a field.
func (f *Field) Schema() *stdops.Object {
	schema := stdops.NewObject("type", f.Type, "title", f.Name)
	if f.Doc != "" {
		schema.Set("description", f.Doc)
	}
	return schema
}

// Schema gives the JSON Schema of an object that holds values for the fields.
func Schema(fields []Field) *stdops.Object {
	properties, required := &stdops.Object{}, []any{}
	for _, f := range fields {
		properties.Set(f.Key, f.Schema())
		if f.Required {
			required = append(required, f.Key)
		}
	}
	schema := stdops.NewObject("type", "object", "properties", properties)
	if len(required) > 0 {
		schema.Set("required", required)
	}
	return schema
}

// Specs gives the descriptions of all registered plugins, by code and first version.
func (r *Registry) Specs() []Spec {
	return slices.Clone(r.specs)
}
