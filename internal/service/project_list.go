package service

import (
	"context"
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// ScopeProject is the scope word for a project named by its own id.
const ScopeProject = "project"

// ProjectEntry is a project as its visitors see it, with its settings.
type ProjectEntry struct {
	ID       stdops.ProjectID
	Name     string
	Biz      int64 // -1 for none
	TimeZone string
	Created  time.Time
	Disabled bool
}

func projectEntry(p store.Project) ProjectEntry {
	return ProjectEntry{ID: p.ID, Name: p.Name, Biz: p.Biz, TimeZone: p.TimeZone, Created: p.Created, Disabled: p.Disabled}
}

// Projects lists the projects that a caller may look at, by id.
func (s *Service) Projects(ctx context.Context, caller *Caller) ([]ProjectEntry, error) {
	all, err := s.store.Projects(ctx)
	if err != nil {
		return nil, err
	}
	var visible []ProjectEntry
	for _, p := range all {
		if caller.may(p.ID, ProjectView) {
			visible = append(visible, projectEntry(p))
		}
	}
	return visible, nil
}

// ProjectAdmins lists the users who administer the project, by name.
func (s *Service) ProjectAdmins(a *Access) []string {
	names := []string{}
	for name, u := range s.identity.Load().users {
		if !u.disabled && u.roles[a.project.ID] == Admin {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// CreateProject makes a project, on behalf of an administrator. A business of 0 or less binds it to none.
func (s *Service) CreateProject(ctx context.Context, by *Caller, n NewProject) (*ProjectEntry, error) {
	if err := by.requireAdmin(); err != nil {
		return nil, err
	}
	if err := checkName("name", n.Name); err != nil {
		return nil, err
	}
	if _, err := time.LoadLocation(n.TimeZone); err != nil || n.TimeZone == "Local" {
		return nil, stdops.Errorf(stdops.CodeInvalid, "time_zone %.64q is unknown", n.TimeZone)
	}
	if n.Biz <= 0 {
		n.Biz = store.NoBiz
	}
	made, err := s.store.CreateProject(ctx, store.Project{
		Name: n.Name, Biz: n.Biz, TimeZone: n.TimeZone, Created: s.store.Now(),
	})
	if err != nil {
		return nil, err
	}
	entry := projectEntry(made)
	return &entry, nil
}
