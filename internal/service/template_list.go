package service

import (
	"context"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// TemplateEntry is a stored flow without its tree.
type TemplateEntry struct {
	ID                          stdops.TemplateID
	Name, Category, Description string
	Version                     string
	Creator, Editor             string // Editor wrote the current version
	Created, Edited             time.Time
}

func templateEntry(t *store.Template) TemplateEntry {
	return TemplateEntry{
		ID: t.ID, Name: t.Name, Category: t.Category, Description: t.Description, Version: t.Version,
		Creator: t.Creator, Editor: t.Editor, Created: t.Created, Edited: t.Edited,
	}
}

// TemplateFilter says which stored flows are listed; what is zero does not filter.
type TemplateFilter = store.TemplateFilter

// Templates lists the stored flows of a project, or common ones, newest first.
func (s *Service) Templates(ctx context.Context, a *Access, common bool, f TemplateFilter) ([]TemplateEntry, error) {
	if err := a.Require(ProjectView); err != nil {
		return nil, err
	}
	if common {
		return s.listTemplates(ctx, store.CommonProject, f)
	}
	return s.listTemplates(ctx, a.project.ID, f)
}

// CommonTemplates lists the stored flows that belong to no project, which everybody may know of.
func (s *Service) CommonTemplates(ctx context.Context, f TemplateFilter) ([]TemplateEntry, error) {
	return s.listTemplates(ctx, store.CommonProject, f)
}

func (s *Service) listTemplates(ctx context.Context, owner stdops.ProjectID, f TemplateFilter) ([]TemplateEntry, error) {
	stored, err := s.store.Templates(ctx, owner, f)
	if err != nil {
		return nil, err
	}
	entries := make([]TemplateEntry, len(stored))
	for i := range stored {
		entries[i] = templateEntry(&stored[i])
	}
	return entries, nil
}
