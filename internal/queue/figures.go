package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river/rivertype"
)

// RiverFigures are what a process has done with its [River] since it made it.
type RiverFigures struct {
	Fetches  uint64 // that reached the database; there is one a second at least while all is well
	Claims   uint64
	Claimed  uint64 // wake-ups that were handed on by them
	Periodic []PeriodicFigures
}

// PeriodicFigures are those of one periodic work.
type PeriodicFigures struct {
	Name         string
	Done, Failed uint64
}

// Figures gives the figures of the moment.
func (q *River) Figures() RiverFigures {
	f := RiverFigures{Fetches: q.fetches.Load(), Claims: q.gatherer.claims.Load(), Claimed: q.gatherer.claimed.Load()}
	for _, w := range q.periodic {
		f.Periodic = append(f.Periodic, PeriodicFigures{Name: w.Name, Done: w.done.Load(), Failed: w.failed.Load()})
	}
	return f
}

// fetched counts the fetches: River tells of each that was a success.
func (q *River) fetched(_ context.Context, params *rivertype.HookMetricEmitParams) {
	if params.Metric.Name() == rivertype.MetricNameJobGetAvailableDuration {
		q.fetches.Add(1)
	}
}

// Backlog is what lies in the queue, for all processes.
type Backlog struct {
	Jobs   []JobCount
	Oldest time.Duration // for how long the job has waited that nobody took for longest
	Leader bool          // whether this process is the one that moves, frees and removes jobs
}

// JobCount is a number of jobs.
type JobCount struct {
	State string // available, running, scheduled, or discarded: those that failed within the last hour
	Kind  string
	Jobs  int64
}

// BacklogMost is how many jobs of a state a [Backlog] counts.
const BacklogMost = 10_000

// Backlog looks at the queue. It reads an index for a bounded number of jobs, so that a crowd of them does not make it slow.
func (q *River) Backlog(ctx context.Context) (b Backlog, err error) {
	rows, err := q.db.QueryContext(ctx, `
		SELECT s.state, j.kind, count(*), coalesce(extract(epoch FROM now() - min(j.scheduled_at)), 0)::float8
		FROM unnest(ARRAY['available', 'running', 'scheduled', 'discarded']::river_job_state[]) AS s (state),
			LATERAL (
				SELECT kind, scheduled_at FROM river_job WHERE state = s.state AND queue = $1
				ORDER BY priority, scheduled_at, id LIMIT $2
			) AS j
		GROUP BY s.state, j.kind ORDER BY s.state, j.kind`, name, BacklogMost)
	if err != nil {
		return b, fmt.Errorf("count jobs: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n JobCount
		var age float64 // seconds
		if err := rows.Scan(&n.State, &n.Kind, &n.Jobs, &age); err != nil {
			return b, fmt.Errorf("count jobs: %w", err)
		}
		b.Jobs = append(b.Jobs, n)
		if n.State == string(rivertype.JobStateAvailable) {
			b.Oldest = max(b.Oldest, time.Duration(age*float64(time.Second)))
		}
	}
	if err := rows.Err(); err != nil {
		return b, fmt.Errorf("count jobs: %w", err)
	}
	err = q.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM river_leader WHERE leader_id = $1 AND expires_at > now())`, q.client.ID()).Scan(&b.Leader)
	if err != nil {
		return b, fmt.Errorf("read leader of the queue: %w", err)
	}
	return b, nil
}
