package service

import (
	"context"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// EventPage says which events of a task are asked for.
type EventPage struct {
	store.EventPage
	Asked bool // only those that somebody asked for
}

// EventPlace is the place of an event among those of its task.
type EventPlace = store.EventPlace

// EventList is a page of the events of a task.
type EventList struct {
	Events []stdops.LoggedTransition
	Nodes  []stdops.SkeletonNode // those that they are about; of the root with the name of the task
	Next   *EventPlace           // where the page after this one begins; nil on the last. A page may have fewer than it can, or none
}

// Events tells what has happened to a task. Where its tree cannot be read the nodes have neither names nor kinds.
func (s *Service) Events(ctx context.Context, a *Access, id stdops.TaskID, page EventPage) (*EventList, error) {
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	task, skeleton, err := s.outlined(ctx, a, id)
	if err != nil {
		return nil, err
	}
	most := page.Limit
	page.Limit++
	list := &EventList{}
	if page.Asked {
		list.Events, list.Next, err = s.store.AskedEvents(ctx, a.ref(id), page.EventPage)
	} else {
		list.Events, err = s.store.Events(ctx, a.ref(id), page.EventPage)
	}
	if err != nil {
		return nil, err
	}
	if len(list.Events) > most {
		list.Events = list.Events[:most]
		last := &list.Events[most-1]
		list.Next = &EventPlace{Revision: last.Revision, N: last.N}
	}
	list.Nodes = make([]stdops.SkeletonNode, len(list.Events))
	for i := range list.Events {
		n := list.Events[i].Node
		if skeleton != nil && n >= stdops.RootNode && int(n) < len(skeleton.Nodes) {
			list.Nodes[i] = skeleton.Nodes[n]
		}
		if n == stdops.RootNode {
			list.Nodes[i].Name = task.Name
		}
	}
	return list, nil
}

// outlined finds a task that is not deleted, with the skeleton of its tree; nil when that cannot be read.
func (s *Service) outlined(ctx context.Context, a *Access, id stdops.TaskID) (stdops.Task, *stdops.Skeleton, error) {
	batch, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{IDs: []stdops.TaskID{id}})
	if err != nil {
		return stdops.Task{}, nil, err
	}
	if len(batch.Tasks) == 0 || batch.Tasks[0].Task.Deleted {
		return stdops.Task{}, nil, stdops.Errorf(stdops.CodeNotFound, "task %d does not exist", id)
	}
	return batch.Tasks[0].Task, batch.Tasks[0].Skeleton, nil
}
