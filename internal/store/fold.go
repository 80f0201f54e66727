package store

import (
	"context"
	"errors"
	"fmt"
)

// foldAll folds the log into the database file and empties it, for whoever has the turn; it is false while somebody reads
// what is in the log. Reads of the server itself are over within moments. A backup beside it may read for minutes, in which
// nobody could write: it is not waited for.
func (w *writer) foldAll(ctx context.Context) (empty bool, err error) {
	if _, err := w.conn.ExecContext(ctx, "PRAGMA busy_timeout = 200"); err != nil {
		return false, fmt.Errorf("checkpoint: %w", err)
	}
	var busy, inLog, folded int
	err = w.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &folded)
	_, restored := w.conn.ExecContext(ctx, "PRAGMA busy_timeout = 10000")
	if err := errors.Join(err, restored); err != nil {
		return false, fmt.Errorf("checkpoint: %w", err)
	}
	return busy == 0, nil
}
