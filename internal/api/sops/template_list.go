package sops

import (
	"strings"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// getTemplateList lists the flows of a project, or the common ones (docs/spec/api.md 4.2, 5).
func getTemplateList(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	if err := access.Require(service.ProjectView); err != nil {
		return err
	}
	zone, o, err := c.templateList()
	if err != nil {
		return err
	}
	common := c.commonSource()
	found, err := c.sops.svc.Templates(c.ctx, access, common, o.filter)
	if err != nil {
		return err
	}
	actions := flowActions(access)
	if common {
		actions = allowed(access, commonActions...)
	}
	b := append(c.out.Begin(), '[')
	for i := range found {
		item := templateItem(&found[i], zone)
		setProject(item, access)
		item.Set("auth_actions", actions)
		o.settings(item)
		if o.labels && !common {
			item.Set("labels", []any{})
		}
		b = c.appendItem(b, i, item)
	}
	c.out.End(append(b, ']'), "", nil)
	return nil
}

// getCommonTemplateList lists the flows that belong to no project (docs/spec/api.md 4.2, 7).
func getCommonTemplateList(c *call) error {
	if err := c.checkBody(); err != nil {
		return err
	}
	zone, o, err := c.templateList()
	if err != nil {
		return err
	}
	found, err := c.sops.svc.CommonTemplates(c.ctx, o.filter)
	if err != nil {
		return err
	}
	actions := []any{}
	for _, action := range commonActions {
		if c.caller.MaySomewhere(action) {
			actions = append(actions, string(action))
		}
	}
	b := append(c.out.Begin(), '[')
	for i := range found {
		item := templateItem(&found[i], zone)
		item.Set("auth_actions", actions)
		o.settings(item)
		b = c.appendItem(b, i, item)
	}
	c.out.End(append(b, ']'), "", nil)
	return nil
}

// appendItem appends an item of a list that has no pages, sending on what was collected.
func (c *call) appendItem(b []byte, place int, item *stdops.Object) []byte {
	if place > 0 {
		b = append(b, ',')
	}
	text, err := item.MarshalJSON()
	if err != nil { // nothing in an item can keep it from being written
		text = []byte("null")
	}
	return c.out.Add(b, text)
}

var commonActions = []service.Permission{service.CommonFlowView, service.CommonFlowCreateTask}

func flowActions(access *service.Access) []any {
	return allowed(access, service.FlowView, service.FlowCreate, service.FlowEdit, service.FlowCreateTask)
}

// commonSource reports whether common flows are meant: by any word that does not mean the project.
func (c *call) commonSource() bool {
	switch c.text("template_source") {
	case "", "project", "business":
		return false
	default:
		return true
	}
}

// templateOptions say which flows are listed, and what is told of each.
type templateOptions struct {
	filter                 service.TemplateFilter
	proxy, labels, notices bool
}

// settings adds what stdops does not keep with a flow, as it looks where nothing was set.
func (o *templateOptions) settings(item *stdops.Object) {
	if o.proxy {
		item.Set("executor_proxy", "")
	}
	if o.notices {
		item.Set("notify_type", stdops.NewObject("success", []any{}, "fail", []any{}))
		item.Set("notify_receivers", stdops.NewObject("receiver_group", []any{}, "more_receiver", ""))
	}
}

// templateList reads the parameters of a list.
func (c *call) templateList() (zone *time.Location, o templateOptions, err error) {
	if zone, err = c.expectedZone(); err != nil {
		return nil, o, err
	}
	if zone == nil {
		zone = c.sops.zone
	}
	wrong := fieldErrors{}
	o.filter.Keyword = c.keyword("name_keyword", wrong)
	if list := c.text("id_in"); list != "" {
		o.filter.IDs = []stdops.TemplateID{}
		for _, digits := range strings.Split(list, ",") {
			digits = strings.TrimSpace(digits)
			if !allDigits(digits) {
				wrong.add("id_in", "Enter numbers with commas between them.")
				break
			}
			o.filter.IDs = append(o.filter.IDs, stdops.TemplateID(number(digits)))
		}
	}
	o.proxy, o.labels = c.option("include_executor_proxy", wrong), c.option("include_labels", wrong)
	o.notices = c.option("include_notify", wrong)
	for _, unused := range []string{"include_subprocess", "include_constants", "unfold_subprocess"} {
		c.option(unused, wrong)
	}
	return zone, o, wrong.refusal(stdops.CodeInvalid)
}

func templateItem(t *service.TemplateEntry, zone *time.Location) *stdops.Object {
	item := stdops.NewObject(
		"id", int64(t.ID), "name", t.Name, "creator", t.Creator, "create_time", timeText(t.Created, zone),
		"editor", nil, "edit_time", timeText(t.Edited, zone), "category", t.Category, "description", t.Description,
	)
	if !t.Edited.Equal(t.Created) {
		item.Set("editor", t.Editor)
	}
	return item
}
