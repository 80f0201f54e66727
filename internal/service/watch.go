package service

import (
	"context"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// Onlooker gives the access by which tasks of a project are read on behalf of many who watch them. Each of these has shown an
// access of its own when it began to.
func (s *Service) Onlooker(project stdops.ProjectID) *Access {
	return &Access{project: store.Project{ID: project, Biz: store.NoBiz}, caller: &Caller{admin: true}}
}

// TaskRevisions gives the revisions of tasks that are watched, whichever projects have them; those that do not exist are
// left out.
func (s *Service) TaskRevisions(ctx context.Context, ids []stdops.TaskID) ([]stdops.TaskRevision, error) {
	return s.store.TaskRevisions(ctx, ids)
}
