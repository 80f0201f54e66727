package store

import (
	"context"
	"database/sql"
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
	Limit  int
}

const eventColumns = `revision, n, node, from_state, to_state, actor, COALESCE(reason, '') AS reason, at`

// The pages of a log, in the two orders. The key of the table leads to them.
const (
	eventsOldest = `SELECT ` + eventColumns + ` FROM transition
		WHERE task_id = $1 AND project_id = $2 AND (revision, n) > ($3, $4) ORDER BY revision, n LIMIT $5`
	eventsNewest = `SELECT ` + eventColumns + ` FROM transition
		WHERE task_id = $1 AND project_id = $2 AND (revision, n) < ($3, $4) ORDER BY revision DESC, n DESC LIMIT $5`
)

// Of so many entries those that somebody asked for, and the last one of them all. What the server does by itself
// has no actor, or the one that callers of bk-sops know it by.
const (
	askedOldest = `SELECT * FROM (
			SELECT ` + eventColumns + ` FROM transition
			WHERE task_id = $1 AND project_id = $2 AND (revision, n) > ($3, $4) ORDER BY revision, n LIMIT $5
		) AS looked WHERE actor NOT IN ('', 'system') ORDER BY revision, n LIMIT $6`
	askedNewest = `SELECT * FROM (
			SELECT ` + eventColumns + ` FROM transition
			WHERE task_id = $1 AND project_id = $2 AND (revision, n) < ($3, $4) ORDER BY revision DESC, n DESC LIMIT $5
		) AS looked WHERE actor NOT IN ('', 'system') ORDER BY revision DESC, n DESC LIMIT $6`
	lastOldest = `SELECT ` + eventColumns + ` FROM transition
		WHERE task_id = $1 AND project_id = $2 AND (revision, n) > ($3, $4) ORDER BY revision, n LIMIT 1 OFFSET $5`
	lastNewest = `SELECT ` + eventColumns + ` FROM transition
		WHERE task_id = $1 AND project_id = $2 AND (revision, n) < ($3, $4) ORDER BY revision DESC, n DESC LIMIT 1 OFFSET $5`
)

// lookedThrough is how many entries of a log one page looks through for those that somebody asked for: there may be few of them
// among millions.
const lookedThrough = 20_000

// begin gives where a page begins.
func (p *EventPage) begin() EventPlace {
	switch {
	case p.From != nil:
		return *p.From
	case p.Newest:
		return EventPlace{Revision: 1<<63 - 1}
	}
	return EventPlace{Revision: -1}
}

// Events reads a page of the log of a task.
func (s *Store) Events(ctx context.Context, ref stdops.TaskRef, page EventPage) ([]stdops.LoggedTransition, error) {
	query, from := eventsOldest, page.begin()
	if page.Newest {
		query = eventsNewest
	}
	log, err := events(ctx, s.readers, query, int64(ref.Task), int64(ref.Project), from.Revision, from.N, int64(page.Limit))
	if err == nil {
		err = orArchived(ctx, s.readers, ref, len(log))
	}
	if err != nil {
		return nil, fmt.Errorf("load events of task %d: %w", ref.Task, explain(err))
	}
	return log, nil
}

// AskedEvents reads a page of what somebody asked for. It looks through a bounded part of the log: when it did not get to the end
// of that, and has not found as many as wanted either, it tells where it stopped.
func (s *Store) AskedEvents(ctx context.Context, ref stdops.TaskRef, page EventPage) (log []stdops.LoggedTransition, stopped *EventPlace, err error) {
	query, last, from := askedOldest, lastOldest, page.begin()
	if page.Newest {
		query, last = askedNewest, lastNewest
	}
	err = s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		args := []any{int64(ref.Task), int64(ref.Project), from.Revision, from.N}
		if log, err = events(ctx, tx, query, append(args, int64(lookedThrough), int64(page.Limit))...); err != nil || len(log) == page.Limit {
			return err
		}
		ends, err := events(ctx, tx, last, append(args, int64(lookedThrough-1))...)
		if err == nil && len(ends) > 0 {
			stopped = &EventPlace{Revision: ends[0].Revision, N: ends[0].N}
			return nil
		}
		if err == nil {
			err = orArchived(ctx, tx, ref, len(log))
		}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("load commands of task %d: %w", ref.Task, err)
	}
	return log, stopped, nil
}

func events(ctx context.Context, q querier, query string, args ...any) ([]stdops.LoggedTransition, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	return collect(rows, err, func(l *stdops.LoggedTransition) []any {
		return []any{&l.Revision, &l.N, number(&l.Node), number(&l.From), number(&l.To), &l.Actor, &l.Reason, instant(&l.Time)}
	})
}
