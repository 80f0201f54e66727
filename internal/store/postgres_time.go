package store

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// databaseClock tells the time of the database by a clock of this process and what the two differ by, which is measured
// from time to time. It never falls.
type databaseClock struct {
	local func() time.Time
	fixed bool // for tests: what local says is the time

	mu     sync.Mutex
	offset time.Duration
	last   time.Time
}

func (c *databaseClock) now() time.Time {
	local := c.local()
	if c.fixed {
		return local
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := local.Add(c.offset); now.After(c.last) {
		c.last = now
	}
	return c.last
}

// reached gives a time that the database has told, or a later one that was told before it.
func (c *databaseClock) reached(told time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if told.After(c.last) {
		c.last = told
	}
	return c.last
}

// measurements is how often the time is asked for at once: the shortest answer is the best one.
const measurements = 3

// MeasureTime finds out anew what the time of the database is, which all processes go by. On SQLite it does nothing.
func (s *Store) MeasureTime(ctx context.Context) error {
	if s.pg == nil || s.pg.clock.fixed {
		return nil
	}
	c := s.pg.clock
	best, offset := time.Duration(-1), time.Duration(0)
	for range measurements {
		var there time.Time
		asked := c.local()
		err := s.briefly(ctx, func(ctx context.Context) error {
			return s.readers.QueryRowContext(ctx, `SELECT `+databaseTime("clock_timestamp()")).Scan(instant(&there))
		})
		took := c.local().Sub(asked)
		if err != nil {
			return fmt.Errorf("ask for the time of the database: %w", err)
		}
		if best < 0 || took < best {
			best, offset = took, there.Sub(asked.Add(took/2))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = offset
	return nil
}

// databaseTime is a time of PostgreSQL in its stored form.
func databaseTime(expression string) string {
	return `(extract(epoch FROM ` + expression + `) * 1000000)::bigint`
}
