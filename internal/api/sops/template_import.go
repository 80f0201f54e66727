package sops

import (
	"fmt"
	"strconv"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// importProjectTemplate stores the flows of a bundle in a project (docs/spec/api.md 4.2, 2).
func importProjectTemplate(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	return c.importBundle(access, service.NewImport{})
}

// importCommonTemplate stores the flows of a bundle as common ones (docs/spec/api.md 4.2, 3).
func importCommonTemplate(c *call) error {
	if err := c.checkBody(); err != nil {
		return err
	}
	access, err := c.owner()
	if err != nil {
		return err
	}
	return c.importBundle(access, service.NewImport{Common: true})
}

// owner resolves whose things the call is about: its project, or nobody for an endpoint without one.
func (c *call) owner() (*service.Access, error) {
	for _, p := range c.route.endpoint.parts {
		if p == projectID {
			return c.project()
		}
	}
	if c.access != nil {
		return c.access, nil
	}
	return c.sops.svc.CommonAccess(c.caller), nil
}

func (c *call) importBundle(access *service.Access, n service.NewImport) error {
	if err := access.RequireImport(n.Common); err != nil {
		return err
	}
	body, err := requiredBody(c.body)
	if err != nil {
		return err
	}
	if n.Common {
		wrong := fieldErrors{}
		n.Override = wrong.flag(body, "override")
		if err := wrong.refusal(stdops.CodeInvalid); err != nil {
			return err
		}
	}
	value, had := body.Get("template_data")
	if !had || value == nil || value == "" {
		return invalid("template data can not be none")
	}
	var ok bool
	if n.Text, ok = value.(string); !ok {
		return invalid("template_data must be a string")
	}
	made, err := c.sops.svc.ImportTemplates(c.ctx, access, n)
	if err != nil {
		return err
	}
	c.writeImported(made)
	return nil
}

// writeImported answers with the flows of an import.
func (c *call) writeImported(made *service.Imported) {
	flows := &stdops.Object{}
	for _, f := range made.Flows {
		flows.Set(strconv.FormatInt(int64(f.ID), 10), f.Name)
	}
	data := stdops.NewObject("count", int64(len(made.Flows)), "flows", flows)
	if len(made.Warnings) > 0 {
		data.Set("warnings", warningList(made.Warnings))
	}
	c.out.Data(data, fmt.Sprintf("Successfully imported %d flows", len(made.Flows)), nil)
}

// importedAgain answers with the flows that were imported.
func importedAgain(c *call, _ *service.Access, done *service.Done) error {
	made, err := done.Imported()
	if err != nil {
		return err
	}
	c.writeImported(made)
	return nil
}
