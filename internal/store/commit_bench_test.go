package store

import (
	"fmt"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store/pgtest"
)

// BenchmarkCommit is one batch of 200 tasks, each with the row of the task, two rows of nodes and two of the log, which
// is what the end of one activity and the begin of the next cost.
func BenchmarkCommit(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkCommit(b, setup(b)) })
	b.Run("postgres", func(b *testing.B) { benchmarkCommit(b, setupDurable(b)) })
}

// setupDurable opens an empty store on a server of PostgreSQL that syncs what it writes.
func setupDurable(b *testing.B) *Store {
	o := testOptions("")
	o.DB, o.ownTime = pgtest.Start(b, pgtest.Options{Durable: true}).Database(b, "store", migrateQuietly), true
	return open(b, o)
}

func benchmarkCommit(b *testing.B, s *Store) {
	const tasks = 200
	changes := make([]stdops.Change, tasks)
	for i := range changes {
		task := createTask(b, s, newTask(fmt.Sprint("task ", i)))
		changes[i] = running(s, task)
	}
	for round := 0; b.Loop(); round++ {
		for i := range changes {
			next := stdops.NodeIndex(round % 17)
			c := &changes[i]
			c.Nodes = []stdops.NodeState{
				{Node: next + 1, Order: int32(next), State: stdops.StateFinished, Loop: 1, InnerLoop: 1, Version: version, Token: 1, Started: at(1), Called: at(1), Finished: at(2)},
				{Node: next + 2, Order: int32(next) + 1, State: stdops.StateRunning, Phase: stdops.PhaseExecuting, Loop: 1, InnerLoop: 1, Version: version, Token: 1, Started: at(2), Called: at(2)},
			}
			c.Transitions = []stdops.Transition{
				{Node: next + 1, From: stdops.StateRunning, To: stdops.StateFinished, Time: at(2)},
				{Node: next + 2, From: stdops.StateNone, To: stdops.StateRunning, Time: at(2)},
			}
		}
		verdicts, err := s.Commit(b.Context(), changes)
		if err != nil {
			b.Fatal(err)
		}
		for i, v := range verdicts {
			if v != stdops.Committed {
				b.Fatal("stale")
			}
			changes[i].Revision++
		}
	}
	b.ReportMetric(float64(tasks)*float64(b.N)/b.Elapsed().Seconds(), "activities/s")
}

const version = stdops.Version("v0123456789abcdef0123456789abcdef")
