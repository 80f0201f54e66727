package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/stdops/stdops"
)

// The row 'time' of meta is a time that the server has reached. All times on record lie less than recordEvery after it,
// since whatever is stored brings it up to date; what was only shown lies less than idleRecordEvery after it.
const (
	recordEvery     = 100 * time.Millisecond
	idleRecordEvery = time.Minute
)

// recordTime brings the time on record up to date inside the running write transaction. The caller notes it down when the
// transaction is stored.
func (s *Store) recordTime(ctx context.Context) (time.Time, error) {
	now, last := s.Now(), s.writer.recorded
	if now.Sub(last) < recordEvery {
		return last, nil
	}
	_, err := s.writer.conn.ExecContext(ctx, `
		INSERT INTO meta (name, value) VALUES ('time', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, micros(now))
	if err != nil {
		return last, fmt.Errorf("record the time: %w", err)
	}
	return now, nil
}

// recordIdle records the time of a store that nobody writes to.
func (s *Store) recordIdle(ctx context.Context) error {
	last, err := timeOnRecord(ctx, s.readers)
	if err != nil || s.Now().Sub(last) < idleRecordEvery {
		return err
	}
	return s.recordNow(ctx)
}

// recordLast records the time at the end, when no other method runs.
func (s *Store) recordLast(ctx context.Context) error {
	if s.writer.broken != nil || s.Now().Sub(s.writer.recorded) < recordEvery {
		return nil
	}
	return s.recordNow(ctx)
}

// recordNow stores nothing but the time.
func (s *Store) recordNow(ctx context.Context) error {
	err := s.write(ctx, func(context.Context, *sql.Conn) error { return nil })
	if stdops.ErrorCode(err) == stdops.CodeDiskFull { // of which write has told
		return nil
	}
	return err
}

// timeOnRecord gives a time that all times on record lie before; zero when there is none.
func timeOnRecord(ctx context.Context, q querier) (time.Time, error) {
	var last time.Time
	err := q.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'time'`).Scan(instant(&last))
	if errors.Is(err, sql.ErrNoRows) { // an earlier version wrote it, or nobody yet
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("load the time on record: %w", err)
	}
	return last.Add(recordEvery), nil
}
