package service

import (
	"context"
	"time"

	"github.com/stdops/stdops"
)

// TemplateEntry is a stored flow without its tree.
type TemplateEntry struct {
	ID                          stdops.TemplateID
	Name, Category, Description string
	Version                     string
	Creator                     string
	Created, Edited             time.Time
}

// Templates lists the stored flows of a project, newest first.
func (s *Service) Templates(ctx context.Context, a *Access) ([]TemplateEntry, error) {
	if err := a.Require(FlowView); err != nil {
		return nil, err
	}
	stored, err := s.store.Templates(ctx, a.project.ID)
	if err != nil {
		return nil, err
	}
	entries := make([]TemplateEntry, len(stored))
	for i, t := range stored {
		entries[i] = TemplateEntry{
			ID: t.ID, Name: t.Name, Category: t.Category, Description: t.Description, Version: t.Version,
			Creator: t.Creator, Created: t.Created, Edited: t.Edited,
		}
	}
	return entries, nil
}
