package store

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
)

// EventPlace is the place of a transition in the log of its task.
type EventPlace struct {
	Revision int64
	N        int64
}

// EventPage says which transitions of a task are read.
type EventPage struct {
	From   *EventPlace // those that come after it; nil begins at the first
	Newest bool        // the latest comes first
	Asked  bool        // only those that somebody asked for
	Limit  int
}

// The pages of a log, in the two orders. The key of the table leads to them. What the server does by itself has no actor, or
// the one that callers of bk-sops know it by.
const (
	eventsOldest = `
		SELECT revision, n, node, from_state, to_state, actor, COALESCE(reason, ''), at FROM transition
		WHERE task_id = $1 AND project_id = $2 AND (revision, n) > ($3, $4) AND ($5 = 0 OR actor NOT IN ('', 'system'))
		ORDER BY revision, n LIMIT $6`
	eventsNewest = `
		SELECT revision, n, node, from_state, to_state, actor, COALESCE(reason, ''), at FROM transition
		WHERE task_id = $1 AND project_id = $2 AND (revision, n) < ($3, $4) AND ($5 = 0 OR actor NOT IN ('', 'system'))
		ORDER BY revision DESC, n DESC LIMIT $6`
)

// Events reads a page of the log of a task.
func (s *Store) Events(ctx context.Context, ref stdops.TaskRef, page EventPage) ([]stdops.LoggedTransition, error) {
	query, from := eventsOldest, EventPlace{Revision: -1}
	if page.Newest {
		query, from = eventsNewest, EventPlace{Revision: 1<<63 - 1}
	}
	if page.From != nil {
		from = *page.From
	}
	asked := int64(0)
	if page.Asked {
		asked = 1
	}
	rows, err := s.readers.QueryContext(ctx, query, int64(ref.Task), int64(ref.Project), from.Revision, from.N, asked, int64(page.Limit))
	log, err := collect(rows, err, func(l *stdops.LoggedTransition) []any {
		return []any{&l.Revision, &l.N, number(&l.Node), number(&l.From), number(&l.To), &l.Actor, &l.Reason, instant(&l.Time)}
	})
	if err == nil {
		err = orArchived(ctx, s.readers, ref, len(log))
	}
	if err != nil {
		return nil, fmt.Errorf("load events of task %d: %w", ref.Task, explain(err))
	}
	return log, nil
}
