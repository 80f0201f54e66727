package app_test

import (
	"flag"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stdops/stdops/internal/store/pgtest"
)

var cuts = flag.Int("cuts", 20, "how often TestClusterCuts breaks a connection")

// TestClusterCuts breaks connections of a server to its database at the worst moments, under load: after a commit, a statement
// or the begin of a transaction was sent and before it arrived, or when it was carried out and before the answer came. What
// becomes of each is found out: nothing is stored twice, and nobody is told that something was refused that was done.
func TestClusterCuts(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	f := newFleet(t, database(t, server), everything, everything)
	f.cut = true
	f.forgives = func(res *http.Response) bool {
		return res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != ""
	}
	proxy := server.Proxy(t)
	f.beginOn(f.members[0], proxy.URL(f.db))
	f.begin(f.members[1])
	stop := f.load(4)
	kinds := []string{pgtest.Statement, pgtest.Commit, pgtest.Statement, pgtest.Begin}
	broken := 0
	for i := range *cuts {
		if kind := kinds[i%len(kinds)]; i%3 == 0 {
			proxy.LoseRequest(kind)
		} else {
			proxy.LoseAnswer(kind)
		}
		if i%10 == 9 {
			proxy.Cut()
		}
		f.members[0].until("a connection breaks", proxy.Lost)
		broken++
		time.Sleep(rand.N(300 * time.Millisecond))
		if !f.sound() {
			break
		}
	}
	stop()
	transitions, _ := f.settle()
	t.Logf("%d connections broken, %d tasks, %d acknowledgements, %d transitions", broken, len(f.tasks), f.acks, transitions)
	if t.Failed() {
		t.Logf("%s", f.said())
	}
}

var partitions = flag.Int("partitions", 1, "how often TestClusterPartitions cuts a server off from its database")

// TestClusterPartitions cuts one of three servers off from the database, for shorter and for longer than its lease, while its
// tasks run, poll and wait. It ends its calls before others begin them, so that no two are ever out at once; others go on;
// what it commits too late is refused.
func TestClusterPartitions(t *testing.T) {
	t.Parallel()
	p := newPartitioned(t)
	p.beginAll()
	p.play(*partitions)
	transitions, repeated := p.settle()
	p.checkSpans(p.dir)
	t.Logf("%d partitions, %d tasks, %d acknowledgements, %d transitions, %d effects repeated", *partitions, len(p.tasks), p.acks, transitions, repeated)
	if t.Failed() {
		t.Logf("%s", p.said())
	}
}

// partitioned is a fleet whose first server reaches the database by a way that can be cut.
type partitioned struct {
	*fleet
	proxy *pgtest.Proxy
}

func newPartitioned(t *testing.T) *partitioned {
	server := pgtest.Start(t, pgtest.Options{})
	p := &partitioned{fleet: newFleet(t, database(t, server), everything, everything, "api"), proxy: server.Proxy(t)}
	p.cut = true
	p.forgives = func(res *http.Response) bool {
		return res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != ""
	}
	return p
}

func (p *partitioned) beginAll(env ...string) {
	p.t.Helper()
	p.beginOn(p.members[0], p.proxy.URL(p.db), env...)
	for _, m := range p.members[1:] {
		p.begin(m, env...)
	}
}

// polls is a flow that polls for many seconds.
var polls = shape{name: "polls", flow: chain(act("polls", "effect_polls"), act("last", "effect"))}

// longRunning are flows whose calls are out for seconds, or come again and again, beside those of all other kinds.
var longRunning = []shape{
	{name: "long", flow: chain(parallel(act("longer", "effect_long", "seconds", "3"), act("longest", "effect_long", "seconds", "14")), act("last", "effect"))},
	polls,
	{name: "long once", flow: chain(act("once", "effect_long_once", "seconds", "5"), act("last", "effect"))},
}

// play cuts the first server off so many times.
func (p *partitioned) play(times int) {
	stop := p.load(3)
	defer stop()
	for i := range times {
		for j := range longRunning {
			p.startTask(p.making(&longRunning[j]))
		}
		time.Sleep(time.Second + rand.N(2*time.Second))
		switch i % 4 {
		case 0:
			p.proxy.Hold(pgtest.Requests, pgtest.Answers)
		case 1:
			p.proxy.Hold(pgtest.Requests, pgtest.Answers)
			p.members[0].life.Load().down.Store(true) // so that the load does not only wait for it
		case 2:
			p.proxy.Hold(pgtest.Answers) // half open
		default:
			p.proxy.Delay(200 * time.Millisecond)
		}
		if i%2 == 0 {
			time.Sleep(time.Second + rand.N(5*time.Second))
		} else {
			time.Sleep(9*time.Second + rand.N(6*time.Second))
		}
		if i%3 == 2 {
			p.proxy.Cut()
		}
		p.proxy.Delay(0)
		p.proxy.Pass()
		p.members[0].life.Load().down.Store(false)
		if !p.sound() {
			return
		}
	}
}
