package service

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/store"
)

// Surroundings gives what a task shares with others: its compiled tree, its project, its page. The engine and the
// use-cases look at the same one.
type Surroundings struct {
	*Trees
	store     *store.Store
	zone      *time.Location
	publicURL string
}

// NewSurroundings makes the surroundings of the tasks of a store. The zone is that of the server; publicURL is where
// people reach it.
func NewSurroundings(st *store.Store, zone *time.Location, publicURL string) (*Surroundings, error) {
	trees, err := NewTrees(st)
	if err != nil {
		return nil, err
	}
	if zone == nil {
		zone = time.UTC
	}
	return &Surroundings{Trees: trees, store: st, zone: zone, publicURL: strings.TrimRight(publicURL, "/")}, nil
}

// Info tells what flows may ask about the project of a task.
func (s *Surroundings) Info(ctx context.Context, task *stdops.Task) (engine.Info, error) {
	project, err := s.store.Project(ctx, task.Project)
	if err != nil {
		return engine.Info{}, err
	}
	return engine.Info{
		ProjectName: project.Name, Biz: project.Biz, Zone: s.zoneOf(&project), TaskURL: s.TaskURL(task.Project, task.ID),
	}, nil
}

// zoneOf gives the zone of a project; one that the system does not know any more counts as none.
func (s *Surroundings) zoneOf(p *store.Project) *time.Location {
	if p.TimeZone == "" {
		return s.zone
	}
	zone, err := time.LoadLocation(p.TimeZone)
	if err != nil {
		return s.zone
	}
	return zone
}

// TimeZone names the zone of the server.
func (s *Surroundings) TimeZone() string { return s.zone.String() }

// TaskURL gives the page of a task.
func (s *Surroundings) TaskURL(project stdops.ProjectID, task stdops.TaskID) string {
	return fmt.Sprintf("%s/taskflow/execute/%d/?instance_id=%d", s.publicURL, project, task)
}
