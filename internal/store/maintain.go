package store

import (
	"context"
	"os"
	"time"
)

const (
	// maintainEvery is how often Maintain looks; a store that nobody wrote to for as long counts as idle.
	maintainEvery = 5 * time.Second
	// largestLog is how large the write-ahead log may grow while the store is never idle.
	largestLog = 256 << 20
)

// Maintain does until ctx is done what nobody waits for. On PostgreSQL it measures the time of the database. On SQLite it
// removes expired keys of requests, archives tasks that ended longer ago than the retention, records the time, and keeps the
// write-ahead log short by folding it into the database file when nobody writes, and when it has grown too large.
func (s *Store) Maintain(ctx context.Context) {
	tick := time.NewTicker(maintainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.pg != nil {
			if err := s.MeasureTime(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("the time of the database is not known anew", "error", err)
			}
			continue
		}
		if err := s.ExpireKeys(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("expired keys of requests could not be removed", "error", err)
		}
		if err := s.ArchiveOld(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("tasks could not be archived", "error", err)
		}
		if err := s.recordIdle(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("the time could not be recorded", "error", err)
		}
		if err := s.foldLog(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("the write-ahead log could not be folded into the database", "error", err)
		}
	}
}

func (s *Store) foldLog(ctx context.Context) error {
	select {
	case s.writer.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.writer.turn }()
	w := s.writer
	if w.broken != nil || w.written.IsZero() || s.now().Sub(w.written) < maintainEvery && logSize(w.file) < largestLog {
		return nil
	}
	empty, err := w.foldAll(context.WithoutCancel(ctx))
	if err != nil {
		return s.judge(err)
	}
	if empty { // else the next look tries again
		w.written = time.Time{}
	}
	return nil
}

func logSize(file string) int64 {
	info, err := os.Stat(file + "-wal")
	if err != nil {
		return 0
	}
	return info.Size()
}
