package sops

import (
	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// registerProject makes sure that a business has a project (docs/spec/api.md 4.9, 47). There is no CMDB to ask, so the
// caller may say what the business is called and in which zone it lives.
func registerProject(c *call) error {
	n, err := readRegister(c)
	if err != nil {
		return err
	}
	project, err := c.sops.svc.RegisterProject(c.ctx, c.caller, n)
	if err != nil {
		return err
	}
	c.out.Data(stdops.NewObject("project_id", int64(project.ID), "project_name", project.Name), "", nil)
	return nil
}

func readRegister(c *call) (n service.NewProject, err error) {
	if err := c.checkBody(); err != nil {
		return n, err
	}
	biz, _ := c.body.Object.Get("bk_biz_id")
	id, ok := biz.(int64)
	if !ok {
		return n, invalid("should be json format and contain bk_biz_id(int)")
	}
	n.Biz = id
	for _, field := range []struct {
		name string
		to   *string
	}{{"bk_biz_name", &n.Name}, {"time_zone", &n.TimeZone}} {
		value, had := c.body.Object.Get(field.name)
		if !had || value == nil {
			continue
		}
		if *field.to, ok = value.(string); !ok {
			return n, invalid("%s must be a string", field.name)
		}
	}
	return n, nil
}
