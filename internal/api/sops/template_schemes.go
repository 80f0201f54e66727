package sops

import (
	"encoding/json"

	"github.com/stdops/stdops"
)

// getTemplateSchemes lists the execution schemes of a flow (docs/spec/api.md 4.2, 9).
func getTemplateSchemes(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	view, err := c.view(access, false)
	if err != nil {
		return err
	}
	schemes, err := view.Schemes(c.ctx)
	if err != nil {
		return err
	}
	list := make([]any, len(schemes))
	for i, scheme := range schemes {
		nodes, err := json.Marshal(append([]string{}, scheme.Nodes...))
		if err != nil {
			return err
		}
		item := stdops.NewObject("id", scheme.Unique, "name", scheme.Name, "data", string(nodes))
		if c.text("with_constants") == "true" {
			constants, err := view.SchemeConstants(scheme)
			if err != nil {
				return err
			}
			item.Set("detail", stdops.NewObject("constants", constants))
		}
		list[i] = item
	}
	c.out.Data(list, "", nil)
	return nil
}
