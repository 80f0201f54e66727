package sops

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// longestTemplateName is how many characters the name of a flow has at most.
const longestTemplateName = 50

// createTemplate stores a flow (docs/spec/api.md 4.2, 1).
func createTemplate(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	if err := access.Require(service.FlowCreate); err != nil {
		return err
	}
	body, err := requiredBody(c.body)
	if err != nil {
		return err
	}
	n, err := readTemplate(body, c.sops.svc.Now().In(c.sops.zone))
	if err != nil {
		return err
	}
	yaml, err := isYAML(body)
	if err != nil {
		return err
	}
	if proxy, ok := body.Get("executor_proxy"); ok && proxy != nil && proxy != "" && proxy != c.caller.User {
		return invalid("executor_proxy must be empty or the caller")
	}
	var stored *service.StoredTemplate
	if yaml {
		stored, err = c.createOfYAML(access, n, body)
	} else {
		stored, err = c.createOfTree(access, n, body)
	}
	if err != nil {
		return err
	}
	c.writeStored(stored)
	return nil
}

func (c *call) createOfTree(access *service.Access, n service.NewTemplate, body *stdops.Object) (*service.StoredTemplate, error) {
	tree, err := templateTree(body)
	if err != nil {
		return nil, err
	}
	service.Draw(tree)
	return c.sops.svc.CreateTemplate(c.ctx, access, n, tree)
}

// createOfYAML stores a flow that comes as YAML (docs/spec/api.md 4.14.2), which has a name of its own.
func (c *call) createOfYAML(access *service.Access, n service.NewTemplate, body *stdops.Object) (*service.StoredTemplate, error) {
	value, had := body.Get("pipeline_tree")
	if !had || value == nil || value == "" {
		return nil, invalid("pipeline_tree is required")
	}
	text, ok := value.(string)
	if !ok {
		return nil, invalid("pipeline_tree must be a YAML string when format=yaml")
	}
	if name, had := body.Get("name"); !had || name == nil {
		n.Name = ""
	}
	stored, err := c.sops.svc.CreateTemplateOf(c.ctx, access, n, text)
	if errors.Is(err, service.ErrInvalidYAML) && !strings.HasPrefix(err.Error(), "YAML ") {
		err = invalid("invalid YAML: %s", err)
	}
	return stored, err
}

// writeStored answers with a new flow.
func (c *call) writeStored(stored *service.StoredTemplate) {
	data := stdops.NewObject("template_id", int64(stored.ID), "template_name", stored.Name,
		"pipeline_template_id", stdops.PipelineID(stored.ID))
	if warnings := append(ignoredSettings(c.body.Object), stored.Warnings...); len(warnings) > 0 {
		data.Set("warnings", warningList(warnings))
	}
	c.out.Data(data, "success", nil)
}

func readTemplate(body *stdops.Object, now time.Time) (n service.NewTemplate, err error) {
	n.Name, n.Category = "new"+now.Format("20060102150405"), service.DefaultCategory
	for _, field := range []struct {
		name string
		to   *string
	}{{"name", &n.Name}, {"category", &n.Category}, {"description", &n.Description}} {
		value, ok := body.Get(field.name)
		if !ok || value == nil {
			continue
		}
		if *field.to, ok = value.(string); !ok {
			return n, invalid("%s must be a string", field.name)
		}
	}
	if size := utf8.RuneCountInString(n.Name); size < 1 || size > longestTemplateName {
		return n, invalid("name must have 1 to %d characters", longestTemplateName)
	}
	if labels, ok := body.Get("template_labels"); ok && labels != nil {
		if list, ok := labels.([]any); !ok || len(list) > 0 { // no labels can be stored yet, so none is known
			return n, invalid("template_labels contain invalid label ids")
		}
	}
	return n, nil
}

func isYAML(body *stdops.Object) (bool, error) {
	format, ok := body.Get("format")
	if ok && format != nil && format != "json" && format != "yaml" {
		return false, invalid("format must be json or yaml")
	}
	return format == "yaml", nil
}

// templateTree gives the tree of the body, an object or JSON text.
func templateTree(body *stdops.Object) (*stdops.Object, error) {
	value, ok := body.Get("pipeline_tree")
	if !ok || value == nil || value == "" {
		return nil, invalid("pipeline_tree is required")
	}
	if text, ok := value.(string); ok {
		parsed, err := stdops.Decoding{Values: api.MostValues}.Decode(strings.NewReader(text))
		if err != nil {
			return nil, invalid("pipeline_tree is not a valid JSON string")
		}
		value = parsed
	}
	tree, ok := value.(*stdops.Object)
	if !ok {
		return nil, invalid("pipeline_tree must be an object")
	}
	return tree, nil
}

// ignoredSettings warns of settings that bk-sops keeps with a flow and stdops does not yet: they must not look as if
// they were heard. The values that mean nothing special are let pass.
func ignoredSettings(body *stdops.Object) []service.Warning {
	plain := map[string][]any{
		"notify_type": nil, "notify_receivers": nil, "timeout": {int64(20)}, "default_flow_type": {"common"},
		"executor_proxy": {""},
	}
	var warnings []service.Warning
	for _, key := range body.Keys() {
		usual, known := plain[key]
		value, _ := body.Get(key)
		if !known || value == nil || usual != nil && slices.Contains(usual, value) || usual == nil && !holdsText(value) {
			continue
		}
		warnings = append(warnings, service.Warning{Path: key, Message: key + " is not kept by stdops yet"})
	}
	return warnings
}

// holdsText reports whether a value has anything in it.
func holdsText(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return slices.ContainsFunc(v, holdsText)
	case *stdops.Object:
		return slices.ContainsFunc(v.Keys(), func(key string) bool {
			item, _ := v.Get(key)
			return holdsText(item)
		})
	default:
		return true
	}
}

func warningList(warnings []service.Warning) []any {
	list := make([]any, len(warnings))
	for i, w := range warnings {
		list[i] = stdops.NewObject("path", w.Path, "message", w.Message)
	}
	return list
}
