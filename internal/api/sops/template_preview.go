package sops

import (
	"errors"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// previewTaskTree gives the tree of a flow without some of its nodes (docs/spec/api.md 4.2, 10).
func previewTaskTree(c *call) error { return c.preview(service.FlowView) }

// previewCommonTaskTree does so for a flow that belongs to no project (docs/spec/api.md 4.2, 11).
func previewCommonTaskTree(c *call) error { return c.preview(service.CommonFlowView) }

func (c *call) preview(need service.Permission) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	if err := access.Require(need); err != nil {
		return err
	}
	common := need == service.CommonFlowView
	view, err := c.view(access, common)
	if err != nil {
		return err
	}
	p := &creationParams{}
	exclude, version := p.texts(c.body.Object, "exclude_task_nodes_id"), p.text(c.body.Object, "version")
	if len(p.problems) > 0 {
		return invalid("invalid %s", p.problems[0])
	}
	if version != "" {
		if view, err = c.sops.svc.ViewTemplateVersion(c.ctx, access, view.ID, common, version); err != nil {
			return previewRefusal(err)
		}
	}
	tree, unused, err := view.Preview(exclude)
	if err != nil {
		return previewRefusal(err)
	}
	c.out.Data(stdops.NewObject("pipeline_tree", tree, "constants_not_referred", unused), "", nil)
	return nil
}

func previewRefusal(err error) error {
	var known *stdops.Error
	if !errors.As(err, &known) || known.Code != stdops.CodeNotFound && !errors.Is(err, service.ErrSelection) {
		return err
	}
	return &stdops.Error{Code: stdops.CodeEngine, Message: "preview_task_tree fail: " + known.Message, Err: err}
}
