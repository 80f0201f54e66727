package sops

import (
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
	n, tree, err := readTemplate(body, c.sops.svc.Now().In(c.sops.zone))
	if err != nil {
		return err
	}
	if proxy, ok := body.Get("executor_proxy"); ok && proxy != nil && proxy != "" && proxy != c.caller.User {
		return invalid("executor_proxy must be empty or the caller")
	}
	service.Draw(tree)
	stored, err := c.sops.svc.CreateTemplate(c.ctx, access, n, tree)
	if err != nil {
		return err
	}
	c.writeStored(stored)
	return nil
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

func readTemplate(body *stdops.Object, now time.Time) (n service.NewTemplate, tree *stdops.Object, err error) {
	if tree, err = templateTree(body); err != nil {
		return n, nil, err
	}
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
			return n, nil, invalid("%s must be a string", field.name)
		}
	}
	if size := utf8.RuneCountInString(n.Name); size < 1 || size > longestTemplateName {
		return n, nil, invalid("name must have 1 to %d characters", longestTemplateName)
	}
	if labels, ok := body.Get("template_labels"); ok && labels != nil {
		if list, ok := labels.([]any); !ok || len(list) > 0 { // no labels can be stored yet, so none is known
			return n, nil, invalid("template_labels contain invalid label ids")
		}
	}
	return n, tree, nil
}

// templateTree gives the tree of the body, an object or JSON text.
func templateTree(body *stdops.Object) (*stdops.Object, error) {
	switch format, ok := body.Get("format"); {
	case !ok || format == nil || format == "json":
	case format == "yaml":
		return nil, stdops.Errorf(stdops.CodeRefused, "create_template with format=yaml is not offered by stdops yet")
	default:
		return nil, invalid("format must be json or yaml")
	}
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
