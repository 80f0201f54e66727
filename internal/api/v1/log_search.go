package v1

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// logCursor tells where a search in a log goes on, or a stream of it.
type logCursor struct {
	attempt int
	service.LogPlace
}

func (c logCursor) String() string {
	return fmt.Sprintf("%d.%d.%d.%d", c.attempt, c.From, c.Line, c.Begin)
}

func readLogCursor(text string) (c logCursor, err error) {
	if _, err := fmt.Sscanf(text, "%d.%d.%d.%d", &c.attempt, &c.From, &c.Line, &c.Begin); err != nil ||
		c.attempt < 1 || c.From < 0 || c.Line < 0 || c.Begin < 0 || c.String() != text {
		return logCursor{}, stdops.Errorf(stdops.CodeInvalid, "cursor is none that an answer about this log gave: leave it out to begin anew")
	}
	return c, nil
}

func (s *server) searchLog(ctx context.Context, a *service.Access, in *nodeLogInput) (*huma.StreamResponse, error) {
	q := service.LogSearch{Attempt: in.Attempt, Text: in.Search, Limit: in.Limit}
	if in.Cursor != "" {
		at, err := readLogCursor(in.Cursor)
		if err != nil {
			return nil, err
		}
		q.Attempt, q.At = at.attempt, at.LogPlace
	}
	id := stdops.TaskID(in.ID)
	var err error
	if q.Node, err = s.svc.NodeNamed(ctx, a, id, in.Node); err != nil {
		return nil, err
	}
	found, err := s.svc.SearchLog(ctx, a, id, q)
	if err == nil {
		err = in.has(found.Attempt, found.Attempts)
	}
	if err != nil {
		return nil, err
	}
	answer := client.LogHits{
		Node: found.Node, Attempt: found.Attempt, Attempts: found.Attempts, Hits: make([]client.LogHit, len(found.Hits)),
		Searched: found.Searched, Size: found.Size, Complete: found.Complete,
	}
	for i, hit := range found.Hits {
		answer.Hits[i] = client.LogHit(hit)
	}
	if found.Attempt > 0 {
		answer.Cursor = logCursor{found.Attempt, found.Next}.String()
	}
	return asJSON(answer), nil
}
