package service

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// NewTemplate is a flow to be stored.
type NewTemplate struct {
	Name        string
	Category    string // "" means DefaultCategory
	Description string
}

// Warning is something about a stored flow that its author should know.
type Warning struct {
	Path    string
	Message string
}

// StoredTemplate is a flow that was just stored.
type StoredTemplate struct {
	ID       stdops.TemplateID
	Name     string
	Version  string
	Created  time.Time
	Warnings []Warning
}

// CreateTemplate stores a flow. Its rules are checked with everything that it refers to, so that a flow which was stored
// can be run; only an unknown plugin merely warns, because it may be installed later.
func (s *Service) CreateTemplate(ctx context.Context, a *Access, n NewTemplate, wire *stdops.Object) (*StoredTemplate, error) {
	if err := a.Require(FlowCreate); err != nil {
		return nil, err
	}
	tree, err := flow.Parse(wire)
	if err != nil {
		return nil, because(ErrInvalidTree, err)
	}
	warnings, err := s.checkTemplate(ctx, a, tree)
	if err != nil {
		return nil, err
	}
	body, err := tree.Template().MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("write tree: %w", err)
	}
	made := StoredTemplate{Name: n.Name, Version: store.VersionOf(body), Created: s.store.Now(), Warnings: warnings}
	answer, err := json.Marshal(made)
	if err != nil {
		return nil, fmt.Errorf("keep answer: %w", err)
	}
	stored, err := s.store.CreateTemplate(ctx, store.Template{
		Project: a.project.ID, Name: n.Name, Category: cmp.Or(n.Category, DefaultCategory), Description: n.Description,
		Creator: a.caller.User, Created: made.Created, Key: a.making(answer),
	}, body)
	if err != nil {
		return nil, err
	}
	made.ID = stored.ID
	return &made, nil
}

// Draw gives a tree a drawing where it was sent without one. The tree must be one that nobody else holds.
func Draw(tree *stdops.Object) { flow.Draw(tree) }

// checkTemplate checks a flow as it would be when it is unfolded. What is stored keeps its references.
func (s *Service) checkTemplate(ctx context.Context, a *Access, tree *flow.Tree) ([]Warning, error) {
	whole := tree.Clone()
	if err := s.unfold(ctx, a, whole); err != nil {
		return nil, err
	}
	if err := whole.Validate(); err != nil {
		return nil, because(ErrInvalidTree, err)
	}
	return s.unknownPlugins(whole), nil
}

func (s *Service) unknownPlugins(tree *flow.Tree) []Warning {
	var warnings []Warning
	for _, p := range tree.Plugins() {
		if s.plugins.Find(p.Code, p.Version) == nil {
			warnings = append(warnings, Warning{Path: p.Path, Message: unknownPlugin(p)})
		}
	}
	return warnings
}

// templateOf gives the owner of a flow by the word for its source: the project itself, or nobody for a common one.
func (a *Access) templateOf(source string, id stdops.TemplateID) store.TemplateRef {
	if source == SourceCommon {
		return store.TemplateRef{Project: store.CommonProject, Template: id}
	}
	return store.TemplateRef{Project: a.project.ID, Template: id}
}

// loadTemplate reads a flow with its tree.
func (s *Service) loadTemplate(ctx context.Context, ref store.TemplateRef, version string) (store.Template, *flow.Tree, error) {
	stored, body, err := s.store.Template(ctx, ref, version)
	if err != nil {
		return stored, nil, err
	}
	wire := &stdops.Object{}
	if err := wire.UnmarshalJSON(body); err != nil {
		return stored, nil, fmt.Errorf("read template %d: %w", ref.Template, err)
	}
	tree, err := flow.Parse(wire)
	if err != nil {
		return stored, nil, fmt.Errorf("parse template %d: %w", ref.Template, errors.New(err.Error()))
	}
	if version == "" {
		version = stored.Version
	}
	tree.Version = version
	return stored, tree, nil
}

// childTree reads a flow that a subprocess refers to: of the project, or a common one, never one of another project.
// Whether there is such a flow is only for those to learn who may look at it.
func (s *Service) childTree(ctx context.Context, a *Access, ref flow.ChildRef) (*flow.Tree, error) {
	need := FlowView
	if ref.Source == SourceCommon {
		need = CommonFlowView
	}
	if err := a.Require(need); err != nil {
		return nil, err
	}
	version := ref.Version
	if ref.AlwaysLatest {
		version = ""
	}
	stored := a.templateOf(ref.Source, ref.Template)
	_, tree, err := s.loadTemplate(ctx, stored, version)
	if stdops.ErrorCode(err) == stdops.CodeNotFound {
		return nil, foreignTemplates([]stdops.TemplateID{ref.Template})
	}
	if err != nil {
		return nil, err
	}
	return tree, s.applySchemes(ctx, stored, ref, tree)
}

// foreignTemplates refuses flows that are not the project's to use.
func foreignTemplates(ids []stdops.TemplateID) error {
	return &stdops.Error{Code: stdops.CodeInvalid, Err: ErrForeignTemplate, Message: fmt.Sprintf(
		"get invalid template_id: %d, template_id should belong to current project.", ids)}
}
