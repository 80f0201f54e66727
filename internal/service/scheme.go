package service

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// Scheme is an execution scheme: a named choice of the optional activities of a stored flow that are to run
// (docs/spec/engine.md 1.10).
type Scheme struct {
	ID     int64
	Unique string // names it in the compatible API, beside its number
	Name   string
	Nodes  []string // ids of activities, as they are in the flow
}

func schemeOf(template stdops.TemplateID, s store.Scheme) Scheme {
	return Scheme{ID: s.ID, Unique: fmt.Sprintf("%d-%d", template, s.ID), Name: s.Name, Nodes: s.Nodes}
}

func (s *Service) schemes(ctx context.Context, ref store.TemplateRef) ([]Scheme, error) {
	stored, err := s.store.Schemes(ctx, ref)
	if err != nil {
		return nil, err
	}
	schemes := make([]Scheme, len(stored))
	for i, scheme := range stored {
		schemes[i] = schemeOf(ref.Template, scheme)
	}
	return schemes, nil
}

// UnknownSchemes is the cause of a refusal: ids that no execution scheme of the flow has.
type UnknownSchemes []string

// Error names the ids.
func (u UnknownSchemes) Error() string { return "unknown schemes: " + strings.Join(u, ", ") }

// Schemes lists the execution schemes of the flow, oldest first.
func (v *TemplateView) Schemes(ctx context.Context) ([]Scheme, error) {
	return v.service.schemes(ctx, v.ref)
}

// SchemeConstants gives the constants that a task of the scheme has, as they stand in its tree.
func (v *TemplateView) SchemeConstants(scheme Scheme) (*stdops.Object, error) {
	tree := v.tree.Clone()
	if _, err := tree.Select(tree.ExceptOptional(scheme.Nodes)); err != nil {
		return nil, err
	}
	value, _ := tree.Template().Get("constants")
	constants, _ := value.(*stdops.Object)
	return constants, nil
}

// Preview gives the tree of the flow without the activities that are named, and the constants that nothing refers to then.
func (v *TemplateView) Preview(exclude []string) (tree, unused *stdops.Object, err error) {
	rest := v.tree.Clone()
	selection, err := rest.Select(exclude)
	if err != nil {
		return nil, nil, because(ErrSelection, err)
	}
	return rest.Template(), selection.NotReferred, nil
}

// PutScheme stores an execution scheme of a flow of the project; one of the same name is replaced.
func (s *Service) PutScheme(ctx context.Context, a *Access, id stdops.TemplateID, scheme Scheme) (Scheme, error) {
	if err := a.Require(FlowEdit); err != nil {
		return Scheme{}, err
	}
	ref := a.templateOf(SourceProject, id)
	_, tree, err := s.loadTemplate(ctx, ref, "")
	if err != nil {
		return Scheme{}, err
	}
	known := map[string]bool{}
	for _, node := range tree.Activities() {
		known[node] = true
	}
	for _, node := range scheme.Nodes {
		if !known[node] {
			return Scheme{}, stdops.Errorf(stdops.CodeInvalid, "nodes: the flow has no activity %.64q", node)
		}
	}
	stored, err := s.store.PutScheme(ctx, ref, store.Scheme{Name: scheme.Name, Nodes: scheme.Nodes})
	return schemeOf(id, stored), err
}

// DeleteScheme takes the execution scheme of a name from a flow of the project.
func (s *Service) DeleteScheme(ctx context.Context, a *Access, id stdops.TemplateID, name string) error {
	if err := a.Require(FlowEdit); err != nil {
		return err
	}
	return s.store.DeleteScheme(ctx, a.templateOf(SourceProject, id), name)
}

// is reports whether an id of the compatible API means the scheme.
func (s *Scheme) is(id string) bool { return id == s.Unique || id == strconv.FormatInt(s.ID, 10) }

// choose gives the nodes that run by any of the schemes that are asked for, and the words that mean none.
func (s *Service) choose(ctx context.Context, ref store.TemplateRef, asked []string, is func(*Scheme, string) bool) (nodes, unknown []string, err error) {
	schemes, err := s.schemes(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range asked {
		at := slices.IndexFunc(schemes, func(c Scheme) bool { return is(&c, id) })
		if at < 0 {
			unknown = append(unknown, id)
			continue
		}
		nodes = append(nodes, schemes[at].Nodes...)
	}
	return nodes, unknown, nil
}

// leftOut gives the activities that a task of a stored flow leaves out.
func (s *Service) leftOut(ctx context.Context, u *Use, t *TemplateTask) ([]string, error) {
	asked, is := t.Schemes, (*Scheme).is
	if len(t.SchemeNames) > 0 {
		asked, is = t.SchemeNames, func(s *Scheme, name string) bool { return s.Name == name }
	}
	switch {
	case len(asked) > 0:
		nodes, unknown, err := s.choose(ctx, u.ref, asked, is)
		if err != nil {
			return nil, err
		}
		if len(unknown) > 0 {
			cause := UnknownSchemes(unknown)
			return nil, &stdops.Error{Code: stdops.CodeInvalid, Message: cause.Error(), Err: cause}
		}
		return u.tree.ExceptOptional(nodes), nil
	case len(t.Execute) > 0:
		return u.tree.Except(t.Execute), nil
	default:
		return t.Exclude, nil
	}
}

// applySchemes leaves out of a child what none of the schemes runs for which its node in the parent asks.
func (s *Service) applySchemes(ctx context.Context, ref store.TemplateRef, child flow.ChildRef, tree *flow.Tree) error {
	if child.Schemes == "" {
		return nil
	}
	nodes, unknown, err := s.choose(ctx, ref, strings.Split(child.Schemes, ","), (*Scheme).is)
	if err != nil {
		return err
	}
	if len(unknown) > 0 {
		return stdops.Errorf(stdops.CodeInvalid, "%s.scheme_id_list: template %d has no scheme %.64s", child.Path, child.Template, unknown[0])
	}
	_, err = tree.SelectChild(tree.ExceptOptional(nodes))
	return err
}
