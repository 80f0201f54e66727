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
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond)
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
