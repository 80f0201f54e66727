package v1

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

type eventsInput struct {
	TaskPath
	Cursor string `query:"cursor" maxLength:"40" doc:"next_cursor of the page before, in the same order"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"200" doc:"How many a page has at most"`
	Order  string `query:"order" enum:"asc,desc" default:"asc" doc:"asc: the oldest first"`
	Asked  bool   `query:"commands" doc:"Only what people and programs asked for, not what the server did by itself or by a rule of the flow; a cursor counts for the same choice. A page looks through 20,000 events at most: it may hold fewer than limit, or none, and have a next_cursor all the same"`
}

func (s *server) events(ctx context.Context, a *service.Access, in *eventsInput) (*body[client.EventList], error) {
	page := service.EventPage{Asked: in.Asked}
	page.Newest, page.Limit = in.Order == "desc", in.Limit
	if in.Cursor != "" {
		place, err := readPlace(in.Cursor)
		if err != nil {
			return nil, err
		}
		page.From = place
	}
	found, err := s.svc.Events(ctx, a, stdops.TaskID(in.ID), page)
	if err != nil {
		return nil, err
	}
	list := client.EventList{Events: make([]client.Event, len(found.Events))}
	for i := range found.Events {
		e := &found.Events[i]
		list.Events[i] = client.Event{
			Revision: e.Revision, N: int(e.N), Index: int(e.Node), Node: stdops.NodeID(stdops.TaskID(in.ID), e.Node), Name: found.Nodes[i].Name,
			Command: commandOf(&e.Transition, found.Nodes[i].Kind), From: e.From.String(), To: e.To.String(), Actor: e.Actor, Reason: e.Reason, At: e.Time,
		}
	}
	if next := found.Next; next != nil {
		list.Cursor = fmt.Sprintf("%d.%d", next.Revision, next.N)
	}
	return answer(list), nil
}

func readPlace(cursor string) (*service.EventPlace, error) {
	place := &service.EventPlace{}
	n, err := fmt.Sscanf(cursor, "%d.%d", &place.Revision, &place.N)
	if err != nil || n != 2 || fmt.Sprintf("%d.%d", place.Revision, place.N) != cursor {
		return nil, errCursor
	}
	return place, nil
}
