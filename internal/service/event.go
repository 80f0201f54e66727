package service

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// EventPage says which events of a task are asked for.
type EventPage = store.EventPage

// EventPlace is the place of an event among those of its task.
type EventPlace = store.EventPlace

// EventList is a page of the events of a task.
type EventList struct {
	Events []stdops.LoggedTransition
	Names  []string    // of their nodes; of the root that of the task
	Next   *EventPlace // where the page after this one begins; nil on the last
}

// Events tells what has happened to a task.
func (s *Service) Events(ctx context.Context, a *Access, id stdops.TaskID, page EventPage) (*EventList, error) {
	task, err := s.task(ctx, a, id)
	if err != nil {
		return nil, err
	}
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	graph, err := s.Graph(ctx, task.TreeHash)
	if err != nil {
		return nil, fmt.Errorf("tree of task %d: %w", id, err)
	}
	most := page.Limit
	page.Limit++
	list := &EventList{}
	if list.Events, err = s.store.Events(ctx, a.ref(id), page); err != nil {
		return nil, err
	}
	if len(list.Events) > most {
		list.Events = list.Events[:most]
		last := &list.Events[most-1]
		list.Next = &EventPlace{Revision: last.Revision, N: last.N}
	}
	for i := range list.Events {
		name := task.Name
		if n := list.Events[i].Node; n > stdops.RootNode && int(n) < len(graph.Nodes) {
			name = graph.Nodes[n].Name
		}
		list.Names = append(list.Names, name)
	}
	return list, nil
}
