package service

import (
	"context"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// TemplateView is a stored flow that somebody looks at.
type TemplateView struct {
	TemplateEntry
	service *Service
	access  *Access // nil for a common flow outside of any project
	ref     store.TemplateRef
	tree    *flow.Tree
}

// ViewTemplate finds a flow of the project, or a common one, for a caller who may look at it.
func (s *Service) ViewTemplate(ctx context.Context, a *Access, id stdops.TemplateID, common bool) (*TemplateView, error) {
	return s.ViewTemplateVersion(ctx, a, id, common, "")
}

// ViewTemplateVersion is [Service.ViewTemplate] for a version that the flow has or had, "" for the current one.
func (s *Service) ViewTemplateVersion(ctx context.Context, a *Access, id stdops.TemplateID, common bool, version string) (*TemplateView, error) {
	source, need := SourceProject, FlowView
	if common {
		source, need = SourceCommon, CommonFlowView
	}
	view, err := s.viewTemplate(ctx, a.templateOf(source, id), version)
	if err != nil {
		return nil, err
	}
	view.access = a
	return view, a.Require(need)
}

// ViewCommonTemplate finds a flow that belongs to no project, for a caller who may look at such flows in some project.
func (s *Service) ViewCommonTemplate(ctx context.Context, caller *Caller, id stdops.TemplateID) (*TemplateView, error) {
	if !caller.MaySomewhere(CommonFlowView) {
		return nil, denied(CommonFlowView)
	}
	return s.viewTemplate(ctx, store.TemplateRef{Project: store.CommonProject, Template: id}, "")
}

func (s *Service) viewTemplate(ctx context.Context, ref store.TemplateRef, version string) (*TemplateView, error) {
	stored, tree, err := s.loadTemplate(ctx, ref, version)
	if err != nil {
		return nil, err
	}
	stored.Version = tree.Version
	return &TemplateView{TemplateEntry: templateEntry(&stored), service: s, ref: ref, tree: tree}, nil
}

// TemplateVersion is a version that a flow has or had.
type TemplateVersion = store.TemplateVersion

// TemplateVersions lists the versions of a flow of the project, newest first, and tells which is the current one.
func (s *Service) TemplateVersions(ctx context.Context, a *Access, id stdops.TemplateID) (versions []TemplateVersion, current string, err error) {
	view, err := s.ViewTemplate(ctx, a, id, false)
	if err != nil {
		return nil, "", err
	}
	versions, err = s.store.TemplateVersions(ctx, a.templateOf(SourceProject, id))
	return versions, view.Version, err
}

// Tree gives the tree as it was stored, with whatever was unfolded. It is the caller's to change at its first level.
func (v *TemplateView) Tree() *stdops.Object { return v.tree.Template() }

// YAML gives the flow and all that it refers to as YAML (docs/spec/api.md 4.14.2).
func (v *TemplateView) YAML(ctx context.Context) (string, error) {
	e := Export{IDs: []stdops.TemplateID{v.ID}, Common: v.ref.Project == store.CommonProject, Format: FormatYAML}
	text, err := v.service.ExportTemplates(ctx, v.access, e)
	if err != nil && isRefusal(err) {
		err = &stdops.Error{Code: stdops.CodeEngine, Message: "export yaml failed: " + err.Error(), Err: err}
	}
	return text, err
}

// Unfold puts the flows that subprocesses refer to in their place.
func (v *TemplateView) Unfold(ctx context.Context) error {
	return v.service.unfold(ctx, v.access, v.tree)
}

// TemplateConstant is a constant of a flow that something refers to.
type TemplateConstant = flow.Use

// Constants lists the constants that something refers to, without those that hold an output of a node.
func (v *TemplateView) Constants() []TemplateConstant { return v.tree.Uses() }

// Subprocesses reports whether the flow has subprocesses, and whether one of them asks for another version of a stored
// flow than the current one. What is unfolded asks for none.
func (v *TemplateView) Subprocesses(ctx context.Context) (has, outdated bool, err error) {
	owners := map[stdops.ProjectID]map[stdops.TemplateID][]string{} // versions that are asked for
	for _, ref := range v.tree.Children() {
		if ref.Version == "" || ref.AlwaysLatest {
			continue
		}
		owner := store.CommonProject
		if ref.Source != SourceCommon && v.access != nil {
			owner = v.access.project.ID
		}
		if owners[owner] == nil {
			owners[owner] = map[stdops.TemplateID][]string{}
		}
		owners[owner][ref.Template] = append(owners[owner][ref.Template], ref.Version)
	}
	for owner, asked := range owners {
		newer, err := v.newer(ctx, owner, asked)
		if err != nil {
			return false, false, err
		}
		outdated = outdated || newer
	}
	return v.tree.Nested(), outdated, nil
}

func (v *TemplateView) newer(ctx context.Context, owner stdops.ProjectID, asked map[stdops.TemplateID][]string) (bool, error) {
	filter := store.TemplateFilter{IDs: []stdops.TemplateID{}}
	for id := range asked {
		filter.IDs = append(filter.IDs, id)
	}
	current, err := v.service.store.Templates(ctx, owner, filter)
	if err != nil {
		return false, err
	}
	for _, t := range current {
		for _, version := range asked[t.ID] {
			if version != t.Version {
				return true, nil
			}
		}
	}
	return false, nil
}
