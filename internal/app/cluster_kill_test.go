package app_test

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stdops/stdops/internal/store/pgtest"
)

var kills = flag.Int("kills", 2, "how often TestClusterKills kills one of its servers")

// TestClusterKills kills servers that share a database, one after the other, at random moments under load. Whatever any of
// them acknowledged must be there afterwards, once; no state that any of them has shown is taken back by another; no
// effect happens more often than its plugin allows; every task ends.
func TestClusterKills(t *testing.T) {
	t.Parallel()
	f := newFleet(t, database(t, pgtest.Shared(t)), everything, everything, "api")
	f.beginAll()
	stop := f.load(4)
	for i := range *kills {
		time.Sleep(time.Duration(rand.IntN(1000)) * time.Millisecond)
		m := f.members[rand.IntN(len(f.members))]
		m.kill()
		f.begin(m)
		if i%20 == 19 {
			f.verify()
		}
		if !f.sound() {
			break
		}
	}
	stop()
	transitions, repeated := f.settle()
	if t.Failed() {
		t.Logf("%s", f.said())
	}
	t.Logf("%d kills, %d tasks, %d acknowledgements (%v), %d transitions, %d effects repeated after a crash",
		*kills, len(f.tasks), f.acks, f.kinds, transitions, repeated)
}

// TestClusterKillsTheLeader kills the process that is the leader of the queue: when its lease as a worker is over, another one
// becomes the leader, however long its term as a leader still is.
func TestClusterKillsTheLeader(t *testing.T) {
	t.Parallel()
	f := newFleet(t, database(t, pgtest.Shared(t)), everything, everything)
	f.beginAll()
	leads := func(m *member) bool { return f.figure(m, "stdops_queue_leader") == 1 }
	old, next := f.members[0], f.members[1]
	old.until("there is a leader", func() bool { return leads(old) || leads(next) })
	if leads(next) {
		old, next = next, old
	}
	old.kill()
	f.number(`WITH longer AS (UPDATE river_leader SET expires_at = now() + interval '1 hour' RETURNING 1) SELECT count(*) FROM longer`)
	f.number(`WITH over AS (UPDATE worker SET expires_at = 0 WHERE pid = $1 RETURNING 1) SELECT count(*) FROM over`, old.process.Process.Pid)
	next.until("it is the leader", func() bool { return leads(next) })
}
