package sops

import (
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// getTemplateInfo tells about a flow, with its tree (docs/spec/api.md 4.2, 6).
func getTemplateInfo(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	view, err := c.view(access, c.commonSource())
	if err != nil {
		return err
	}
	data, err := c.templateInfo(view, true)
	if err != nil {
		return err
	}
	setProject(data, access)
	c.out.Data(data, "", nil)
	return nil
}

// view finds the flow that the request names, of the project or a common one, for a caller who may look at it.
func (c *call) view(access *service.Access, common bool) (*service.TemplateView, error) {
	id, digits, err := c.template()
	if err != nil {
		return nil, err
	}
	view, err := c.sops.svc.ViewTemplate(c.ctx, access, id, common)
	switch {
	case stdops.ErrorCode(err) != stdops.CodeNotFound:
		return view, err
	case common:
		return nil, noCommonTemplate(digits)
	default:
		return nil, stdops.Errorf(stdops.CodeNotFound, "template[id=%s] of project[project_id=%d, biz_id=%d] does not exist",
			digits, access.Project(), access.Biz())
	}
}

// getCommonTemplateInfo tells about a flow that belongs to no project (docs/spec/api.md 4.2, 8).
func getCommonTemplateInfo(c *call) error {
	if err := c.checkBody(); err != nil {
		return err
	}
	id, digits, err := c.template()
	if err != nil {
		return err
	}
	view, err := c.sops.svc.ViewCommonTemplate(c.ctx, c.caller, id)
	if stdops.ErrorCode(err) == stdops.CodeNotFound {
		err = noCommonTemplate(digits)
	}
	if err != nil {
		return err
	}
	data, err := c.templateInfo(view, false)
	if err != nil {
		return err
	}
	c.out.Data(data, "", nil)
	return nil
}

func noCommonTemplate(digits string) error {
	return stdops.Errorf(stdops.CodeNotFound, "common template[id=%s] does not exist", digits)
}

// templateInfo makes what is told about a flow. Outside of a project fewer things can be asked for.
func (c *call) templateInfo(view *service.TemplateView, inProject bool) (*stdops.Object, error) {
	wrong := fieldErrors{}
	o := templateOptions{notices: c.option("include_notify", wrong)}
	nested, constants := c.option("include_subprocess", wrong), c.option("include_constants", wrong)
	var unfold bool
	format := "json"
	if inProject {
		o.proxy, unfold = c.option("include_executor_proxy", wrong), c.option("unfold_subprocess", wrong)
		if format = c.text("format"); format != "" && format != "json" && format != "yaml" {
			wrong.add("format", shown(format)+" is not a valid choice.")
		}
	}
	if err := wrong.refusal(stdops.CodeInvalid); err != nil {
		return nil, err
	}
	data := templateItem(&view.TemplateEntry, c.sops.zone)
	o.settings(data)
	if nested {
		has, outdated, err := view.Subprocesses(c.ctx)
		if err != nil {
			return nil, err
		}
		data.Set("has_subprocess", has)
		data.Set("subprocess_has_update", outdated)
	}
	if format == "yaml" {
		text, err := view.YAML(c.ctx)
		if err != nil {
			return nil, err
		}
		data.Set("pipeline_tree", text)
		return c.withConstants(data, view, constants), nil
	}
	if unfold {
		err := view.Unfold(c.ctx)
		if err != nil && stdops.ErrorCode(err) != stdops.CodeInternal {
			err = &stdops.Error{Code: stdops.CodeEngine, Message: "format_template_data failed: " + err.Error(), Err: err}
		}
		if err != nil {
			return nil, err
		}
	}
	data.Set("pipeline_tree", c.storedTree(view))
	return c.withConstants(data, view, constants), nil
}

func (c *call) withConstants(data *stdops.Object, view *service.TemplateView, asked bool) *stdops.Object {
	if asked {
		data.Set("template_constants", templateConstants(view))
	}
	return data
}

// storedTree gives the tree of a flow without its drawing, and with a schema for each constant.
func (c *call) storedTree(view *service.TemplateView) *stdops.Object {
	tree := view.Tree()
	tree.Delete("line")
	tree.Delete("location")
	value, _ := tree.Get("constants")
	constants, _ := value.(*stdops.Object)
	for _, key := range constants.Keys() {
		value, _ := constants.Get(key)
		if constant, ok := value.(*stdops.Object); ok {
			constant.Set("schema", c.constantSchema(constant))
		}
	}
	return tree
}

// constantSchema gives the schema of the values of a constant, nil where none is known: that of the plugin's input which
// the constant feeds, or that of its kind.
func (c *call) constantSchema(constant *stdops.Object) any {
	source := constant.Text("source_type")
	if source != "custom" && source != "component_inputs" {
		return nil
	}
	code, key, _ := strings.Cut(constant.Text("source_tag"), ".")
	if source == "component_inputs" {
		if p, err := c.sops.svc.Plugin(code, ""); err == nil {
			for i := range p.Inputs {
				if p.Inputs[i].Key == key {
					return fieldSchema(&p.Inputs[i])
				}
			}
			return nil
		}
	}
	if kind, ok := constantTypes[constant.Text("custom_type")]; ok && kind.schema != "" {
		return stdops.NewObject("type", kind.schema, "description", "", "enum", []any{})
	}
	return nil
}

// constantTypes are the kinds of constants that a person fills in: what they are called, and the JSON Schema type of
// their values where it is one.
var constantTypes = map[string]struct{ name, schema string }{
	"input": {"Text", "string"}, "textarea": {"Long text", "string"}, "datetime": {"Moment", "string"},
	"int": {"Whole number", "integer"}, "password": {"Secret", "string"}, "select": {"Choice", ""},
}

// templateConstants lists the constants of a flow that something refers to.
func templateConstants(view *service.TemplateView) []any {
	list := []any{}
	for _, constant := range view.Constants() {
		kind, show := constant.CustomType, "hide"
		if constant.Shown {
			show = "show"
		}
		if known, ok := constantTypes[kind]; ok {
			kind = known.name
		}
		if constant.SourceType == "component_inputs" {
			kind = "Input of a node"
		}
		list = append(list, stdops.NewObject("name", constant.Name, "key", constant.Key, "show_type", show,
			"constant_type", kind, "activity_count", int64(constant.Activities)))
	}
	return list
}
