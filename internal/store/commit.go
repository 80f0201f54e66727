package store

import (
	"context"
	"database/sql"

	"github.com/stdops/stdops"
)

// Commit stores the changes of a batch in one transaction, durably, and tells for each what became of it. A change that
// was decided on a revision that is no longer the task's, or that has a key which is taken, is Stale and leaves no trace;
// the others are not touched by that. After an error nothing of the batch is stored: the caller tries its halves.
//
// On SQLite, where one process drives all tasks, a change of an earlier epoch is Stale, and one of a later epoch takes the
// task over. On PostgreSQL the epoch has to be the task's, else the change is Fenced, one that is made from outside Stale; a
// batch holds one change of a task at most. When the connection is lost Commit finds out what was stored, as soon as the
// database is back, and also when others have changed the task since; a change of which that leaves no trace is Unknown then.
// Only when the database is away for too long it gives an error after which the changes may be stored all the same.
func (s *Store) Commit(ctx context.Context, changes []stdops.Change) ([]stdops.Verdict, error) {
	if s.pg != nil {
		verdicts, err := s.pg.commit(ctx, changes, s.Now())
		s.committed(changesOf(changes, verdicts)...)
		return verdicts, err
	}
	return s.commitFile(ctx, changes)
}

// applyIn stores changes inside of a write transaction.
func (s *Store) applyIn(ctx context.Context, tx *sql.Conn, changes []stdops.Change) ([]stdops.Verdict, error) {
	if s.pg != nil {
		return s.pg.batch(changes, s.Now()).apply(ctx, tx)
	}
	return s.apply(tx, changes)
}
