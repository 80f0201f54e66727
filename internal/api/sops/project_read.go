package sops

import (
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// getUserProjectList tells which projects the caller may look at (docs/spec/api.md 4.9, 45).
func getUserProjectList(c *call) error {
	if err := c.checkBody(); err != nil {
		return err
	}
	projects, err := c.sops.svc.Projects(c.ctx, c.caller)
	if err != nil {
		return err
	}
	proxies, _ := c.formFlag("include_executor_proxy")
	list := []any{}
	for _, p := range projects {
		if p.Disabled {
			continue
		}
		item := stdops.NewObject("project_id", int64(p.ID), "bk_biz_id", p.Biz, "name", p.Name)
		if proxies {
			item.Set("executor_proxy", "")
		}
		list = append(list, item)
	}
	c.out.Data(list, "", nil)
	return nil
}

// getUserProjectDetail tells about a project (docs/spec/api.md 4.9, 46). Who looks after a business is known to a CMDB;
// without one it is the administrators of the project.
func getUserProjectDetail(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	if err := access.Require(service.ProjectView); err != nil {
		return err
	}
	name := ""
	if access.Bound() {
		name = access.ProjectName()
	}
	data := stdops.NewObject(
		"project_id", int64(access.Project()), "project_name", access.ProjectName(), "from_cmdb", access.Bound(),
		"bk_biz_id", access.Biz(), "bk_biz_name", name, "bk_biz_developer", "",
		"bk_biz_maintainer", strings.Join(c.sops.svc.ProjectAdmins(access), ","), "bk_biz_tester", "", "bk_biz_productor", "",
		"auth_actions", allowed(access, service.ProjectView, service.ProjectEdit, service.FastCreateTask),
	)
	if proxy, _ := c.formFlag("include_executor_proxy"); proxy {
		data.Set("executor_proxy", "")
	}
	if groups, _ := c.formFlag("include_staff_groups"); groups {
		data.Set("staff_groups", []any{})
	}
	c.out.Data(data, "", nil)
	return nil
}
