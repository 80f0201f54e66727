package service

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/exchange"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// Export says which flows are to be written into a file.
type Export struct {
	IDs    []stdops.TemplateID
	Common bool   // they belong to no project
	Format string // "" means FormatBundle
}

// ExportTemplates writes flows and all that they refer to into a file (docs/spec/api.md 4.14).
func (s *Service) ExportTemplates(ctx context.Context, a *Access, e Export) (string, error) {
	if len(e.IDs) == 0 {
		return "", stdops.Errorf(stdops.CodeInvalid, "no flow to export is named")
	}
	c := collector{service: s, access: a, found: map[store.TemplateRef]bool{}}
	source := SourceProject
	if e.Common {
		source = SourceCommon
	}
	for _, id := range e.IDs {
		if err := c.collect(ctx, flow.ChildRef{Template: id, Source: source}); err != nil {
			return "", err
		}
	}
	switch {
	case e.Format == FormatYAML:
		slices.Reverse(c.flows) // people look for what they asked for at the top
		return exchange.WriteYAML(c.flows)
	case e.Format != "" && e.Format != FormatBundle:
		return "", stdops.Errorf(stdops.CodeInvalid, "format must be %s or %s", FormatBundle, FormatYAML)
	}
	salt := ""
	if len(s.salts) > 0 {
		salt = s.salts[0]
	}
	return exchange.WriteBundle(source, c.flows, salt)
}

// collector loads flows and what they refer to, children first.
type collector struct {
	service *Service
	access  *Access
	found   map[store.TemplateRef]bool
	flows   []exchange.Stored
	nodes   int
}

// mostExported is how many nodes the flows of a file may have together, so that it can be imported again.
const mostExported = 200_000

// collect loads a flow in its current version, since a file has one of each.
func (c *collector) collect(ctx context.Context, ref flow.ChildRef) error {
	need, owner := FlowView, c.access.templateOf(ref.Source, ref.Template)
	if owner.Project == store.CommonProject {
		need = CommonFlowView
	}
	if c.found[owner] {
		return nil
	}
	if err := c.require(need); err != nil {
		return err
	}
	stored, tree, err := c.service.loadTemplate(ctx, owner, "")
	if err != nil {
		return err
	}
	c.found[owner] = true
	if c.nodes += tree.Size(); c.nodes > mostExported {
		return stdops.Errorf(stdops.CodeInvalid, "the flows have more than %d nodes together", mostExported)
	}
	for _, child := range tree.Children() {
		if owner.Project == store.CommonProject {
			child.Source = SourceCommon
		}
		if err := c.collect(ctx, child); err != nil {
			return about(stored.Name, child, err)
		}
	}
	schemes, err := c.service.schemes(ctx, owner)
	if err != nil {
		return err
	}
	f := exported(owner, &stored, tree)
	for _, scheme := range schemes {
		f.Schemes = append(f.Schemes, exchange.Scheme{ID: scheme.ID, Unique: scheme.Unique, Name: scheme.Name, Nodes: scheme.Nodes})
	}
	c.flows = append(c.flows, f)
	return nil
}

// require refuses a caller who may not look at a flow; common ones are for all who may in any project.
func (c *collector) require(need Permission) error {
	if need == CommonFlowView && c.access.caller.MaySomewhere(need) {
		return nil
	}
	return c.access.Require(need)
}

// about says which subprocess refers to a flow that is not there.
func about(name string, child flow.ChildRef, err error) error {
	var refusal *stdops.Error
	if !errors.As(err, &refusal) || refusal.Code != stdops.CodeNotFound {
		return err
	}
	return &stdops.Error{
		Code: stdops.CodeRefused, Err: err, Message: fmt.Sprintf("template %s: %s: template %d does not exist", name, child.Path, child.Template),
	}
}

func exported(owner store.TemplateRef, t *store.Template, tree *flow.Tree) exchange.Stored {
	source := SourceProject
	if owner.Project == store.CommonProject {
		source = SourceCommon
	}
	return exchange.Stored{
		ID: t.ID, Source: source, Project: t.Project, Name: t.Name, Category: t.Category, Description: t.Description,
		Creator: t.Creator, Editor: t.Editor, Created: t.Created, Edited: t.Edited, Version: t.Version, Tree: tree.Template(),
	}
}
