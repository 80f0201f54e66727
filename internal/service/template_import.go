package service

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/exchange"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// The formats of files with flows (docs/spec/api.md 4.14).
const (
	FormatBundle = "dat"
	FormatYAML   = "yaml"
)

// NewImport is a file with flows that are to be stored.
type NewImport struct {
	Text     string
	Format   string // "" means FormatBundle
	Common   bool   // store them as flows that belong to no project
	Override bool   // of a bundle of common flows: flows of the ids in the file are replaced
}

// ImportedFlow is a flow that an import has stored.
type ImportedFlow struct {
	ID       stdops.TemplateID
	Name     string
	Version  string
	Created  time.Time
	Replaced bool
}

// Imported is what an import has stored, in the order in which parents come after children.
type Imported struct {
	Flows    []ImportedFlow
	Warnings []Warning
}

// mostImportValues is how many values and keys a file may have, as many as a request with a tree.
const mostImportValues = 1_000_000

// CommonAccess is the access to what belongs to no project. Only an application that is trusted everywhere, or an
// administrator, has any permission there.
func (s *Service) CommonAccess(caller *Caller) *Access {
	return &Access{project: store.Project{ID: store.CommonProject, Biz: store.NoBiz}, caller: caller}
}

// RequireImport refuses a caller who may not store flows in the project, or common ones.
func (a *Access) RequireImport(common bool) error {
	if common && !a.caller.Trusted() && !a.caller.Admin() {
		return stdops.Errorf(stdops.CodeForbidden, "you have no permission to call this api.")
	}
	if common || a.caller.may(a.project.ID, FlowCreate) {
		return nil
	}
	if a.caller.named {
		return stdops.Errorf(stdops.CodeForbidden, "you have no permission to call this api.")
	}
	return stdops.Errorf(stdops.CodeForbidden, "user %s have no permission to call this api.", a.caller.User)
}

// ImportTemplates stores the flows of a file, all of them or none.
func (s *Service) ImportTemplates(ctx context.Context, a *Access, n NewImport) (*Imported, error) {
	if err := a.RequireImport(n.Common); err != nil {
		return nil, err
	}
	owner := a.importer(n.Common)
	set, err := s.readImport(ctx, owner, n)
	if err != nil {
		return nil, err
	}
	return s.storeSet(ctx, owner, set, storing{override: n.Override, answer: func(made *Imported) any { return made }})
}

// importer gives the access with which flows are stored: that of the project itself, or to common flows.
func (a *Access) importer(common bool) *Access {
	if !common {
		return a
	}
	return &Access{project: store.Project{ID: store.CommonProject, Biz: store.NoBiz}, caller: a.caller, key: a.key}
}

// CreateTemplateOf stores the one flow of a YAML text as n says; a name that is empty is that of the text.
func (s *Service) CreateTemplateOf(ctx context.Context, a *Access, n NewTemplate, text string) (*StoredTemplate, error) {
	if err := a.Require(FlowCreate); err != nil {
		return nil, err
	}
	set, err := s.readYAML(ctx, a, text)
	if err != nil {
		return nil, err
	}
	if len(set.Flows) > 1 {
		return nil, stdops.Errorf(stdops.CodeInvalid, "create_template only supports creating a single template. The YAML has %d", len(set.Flows))
	}
	f := &set.Flows[0]
	f.Category = n.Category
	if n.Name != "" {
		f.Name = n.Name
	}
	if n.Description != "" {
		f.Description = n.Description
	}
	made, err := s.storeSet(ctx, a, set, storing{answer: func(made *Imported) any { return made.only() }})
	if err != nil {
		return nil, err
	}
	return made.only(), nil
}

// only gives the flow of an import that stored one.
func (i *Imported) only() *StoredTemplate {
	f := &i.Flows[0]
	stored := &StoredTemplate{ID: f.ID, Name: f.Name, Version: f.Version, Created: f.Created}
	for _, w := range i.Warnings {
		w.Path = strings.TrimPrefix(w.Path, f.Name+": ")
		stored.Warnings = append(stored.Warnings, w)
	}
	return stored
}

// storing says how the flows of a set are stored.
type storing struct {
	override bool
	answer   func(*Imported) any // what is kept for the same request to be answered again
}

func (s *Service) storeSet(ctx context.Context, a *Access, set *exchange.Set, how storing) (*Imported, error) {
	warnings, err := s.checkSet(ctx, a, set)
	if err != nil {
		return nil, err
	}
	list, err := s.assignIDs(ctx, a, set, how.override)
	if err != nil {
		return nil, err
	}
	if err := s.fillBodies(ctx, a, set, list, how.override); err != nil {
		return nil, err
	}
	made := &Imported{Warnings: warnings}
	for i := range list {
		t := &list[i]
		made.Flows = append(made.Flows, ImportedFlow{ID: t.ID, Name: t.Name, Version: t.Version, Created: t.Edited, Replaced: t.Replace})
	}
	answer, err := json.Marshal(how.answer(made))
	if err != nil {
		return nil, fmt.Errorf("keep answer: %w", err)
	}
	return made, s.store.ImportTemplates(ctx, list, a.making(answer))
}

// checkSet checks the flows as they would be when they are unfolded.
func (s *Service) checkSet(ctx context.Context, a *Access, set *exchange.Set) ([]Warning, error) {
	var warnings []Warning
	for i := range set.Flows {
		found, err := s.checkInSet(ctx, a, set, i)
		if err != nil {
			return nil, because(ErrInvalidTree, set.Wrong(i, err))
		}
		for _, w := range found {
			w.Path = set.Flows[i].Name + ": " + w.Path
			warnings = append(warnings, w)
		}
	}
	return warnings, nil
}

func (s *Service) checkInSet(ctx context.Context, a *Access, set *exchange.Set, place int) ([]Warning, error) {
	whole := set.Flows[place].Tree.Clone()
	err := whole.Expand(func(ref flow.ChildRef) (*flow.Tree, error) {
		if tree, ok := set.Tree(ref); ok {
			return tree, nil
		}
		return s.childTree(ctx, a, ref)
	}, s.treeLimits())
	if err != nil {
		return nil, err
	}
	if err := whole.Validate(); err != nil {
		return nil, err
	}
	return s.unknownPlugins(set.Flows[place].Tree), nil
}

// assignIDs gives every flow its id: that of the flow which it replaces, else a new one.
func (s *Service) assignIDs(ctx context.Context, a *Access, set *exchange.Set, override bool) ([]store.ImportedTemplate, error) {
	list := make([]store.ImportedTemplate, len(set.Flows))
	fresh := len(list)
	if override {
		existing, err := s.existing(ctx, a, set)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if list[i].Replace = existing[set.Flows[i].Public]; list[i].Replace {
				list[i].ID = set.Flows[i].Public
				fresh--
			}
		}
	}
	if fresh == 0 {
		return list, nil
	}
	next, err := s.store.ReserveTemplates(ctx, fresh)
	for i := range list {
		if !list[i].Replace {
			list[i].ID = next
			next++
		}
	}
	return list, err
}

func (s *Service) existing(ctx context.Context, a *Access, set *exchange.Set) (map[stdops.TemplateID]bool, error) {
	filter := store.TemplateFilter{IDs: []stdops.TemplateID{}}
	for i := range set.Flows {
		filter.IDs = append(filter.IDs, set.Flows[i].Public)
	}
	found, err := s.store.Templates(ctx, a.project.ID, filter)
	existing := make(map[stdops.TemplateID]bool, len(found))
	for i := range found {
		existing[found[i].ID] = true
	}
	return existing, err
}

// fillBodies gives every flow what is stored of it.
func (s *Service) fillBodies(ctx context.Context, a *Access, set *exchange.Set, list []store.ImportedTemplate, override bool) error {
	schemes, err := s.schemeIDs(ctx, a, set, list)
	if err != nil {
		return err
	}
	p := exchange.Placing{Source: exchange.SourceCommon, KeepIDs: override, Version: store.VersionOf, Schemes: schemes}
	if a.project.ID != store.CommonProject {
		p.Source, p.Biz = exchange.SourceProject, &a.project.Biz
	}
	for i := range list {
		p.IDs = append(p.IDs, list[i].ID)
	}
	placed, err := set.Place(p)
	if err != nil {
		return err
	}
	now := s.store.Now()
	for i := range list {
		f := &set.Flows[i]
		list[i].Template = store.Template{
			ID: list[i].ID, Project: a.project.ID, Name: f.Name, Category: f.Category, Description: f.Description,
			Creator: a.caller.User, Editor: a.caller.User, Version: placed[i].Version, Created: now, Edited: now,
		}
		list[i].Body = placed[i].Body
		for _, scheme := range placed[i].Schemes {
			list[i].Schemes = append(list[i].Schemes, store.Scheme{ID: scheme.ID, Name: scheme.Name, Nodes: scheme.Nodes})
		}
	}
	return nil
}

// schemeIDs gives every scheme its id: that of the scheme of the same name which it replaces, else a new one.
func (s *Service) schemeIDs(ctx context.Context, a *Access, set *exchange.Set, list []store.ImportedTemplate) ([][]int64, error) {
	ids, fresh := make([][]int64, len(list)), 0
	for i := range list {
		var had []store.Scheme
		if list[i].Replace {
			var err error
			if had, err = s.store.Schemes(ctx, store.TemplateRef{Project: a.project.ID, Template: list[i].ID}); err != nil {
				return nil, err
			}
		}
		ids[i] = make([]int64, len(set.Flows[i].Schemes))
		for j := range ids[i] {
			at := slices.IndexFunc(had, func(s store.Scheme) bool { return s.Name == set.Flows[i].Schemes[j].Name })
			if at >= 0 {
				ids[i][j] = had[at].ID
			} else {
				fresh++
			}
		}
	}
	if fresh == 0 {
		return ids, nil
	}
	next, err := s.store.ReserveSchemes(ctx, fresh)
	for i := range ids {
		for j := range ids[i] {
			if ids[i][j] == 0 {
				ids[i][j] = next
				next++
			}
		}
	}
	return ids, err
}

// Imported gives what an import has stored.
func (d *Done) Imported() (*Imported, error) {
	made := &Imported{}
	if err := json.Unmarshal(d.answer, made); err != nil {
		return nil, fmt.Errorf("answer about an import: %w", err)
	}
	return made, nil
}
