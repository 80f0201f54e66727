package app_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stdops/stdops/internal/store/pgtest"
)

var stalls = flag.Int("stalls", 0, "how often TestClusterStalls stops a server for longer than its lease")

// TestClusterStalls stops the process of a server for longer than its lease, as a machine that is paused does, and lets it go on.
// Others have its tasks by then: what it commits is refused, and it begins none of its calls again.
func TestClusterStalls(t *testing.T) {
	t.Parallel()
	if *stalls == 0 {
		t.Skip("takes longer than a lease: see -stalls")
	}
	f := newStalled(t)
	f.beginAll()
	f.stall(*stalls)
	transitions, repeated := f.settle()
	t.Logf("%d stalls, %d tasks, %d acknowledgements, %d transitions, %d effects repeated", *stalls, len(f.tasks), f.acks, transitions, repeated)
	if t.Failed() {
		t.Logf("%s", f.said())
	}
}

func newStalled(t *testing.T) *fleet {
	f := newFleet(t, database(t, pgtest.Shared(t)), everything, everything, "api")
	f.stalls = true
	f.forgives = func(res *http.Response) bool { // a server that sleeps may hold a task for a moment
		return res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != ""
	}
	return f
}

// stall lets the first server sleep so many times, in the middle of its calls.
func (f *fleet) stall(times int) {
	f.t.Helper()
	stop := f.load(3)
	defer stop()
	m := f.members[0]
	for range times {
		for range 5 {
			for j := range longRunning {
				f.startTask(f.making(&longRunning[j]))
			}
		}
		time.Sleep(rand.N(2 * time.Second))
		f.sleep(m, func() { time.Sleep(11*time.Second + rand.N(3*time.Second)) })
	}
	f.calm = time.Now().Add(time.Second).UnixNano()
	for len(f.unfinished()) > mostOpen/2 { // whoever believes to drive the tasks of others has a chance to show it
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(5 * time.Second)
}

// sleep stops a process while something else happens.
func (f *fleet) sleep(m *member, meanwhile func()) {
	f.t.Helper()
	m.life.Load().down.Store(true)
	if err := m.process.Process.Signal(syscall.SIGSTOP); err != nil {
		f.t.Fatal(err)
	}
	meanwhile()
	if err := m.process.Process.Signal(syscall.SIGCONT); err != nil {
		f.t.Fatal(err)
	}
	m.until("it is ready", m.ready)
	m.life.Load().down.Store(false)
}

// TestClusterCutsControl takes from commits what tells that they were stored: the answer of one whose connection broke is wrong.
func TestClusterCutsControl(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	f := newFleet(t, database(t, server), everything)
	f.spoil(`NEW.commit_id := NULL`)
	f.control = true
	f.forgives = func(*http.Response) bool { return true }
	proxy := server.Proxy(t)
	f.beginOn(f.members[0], proxy.URL(f.db))
	f.members[0].until("it is ready", f.members[0].ready)
	var id int64
	for range 3000 {
		if id == 0 || f.stateOf(id) == "FINISHED" {
			id = f.making(&polls) // its driver has it in memory for a while
			f.startTask(id)
		}
		action, after := "pause", "SUSPENDED"
		if f.stateOf(id) == after {
			action, after = "resume", "RUNNING"
		}
		var asked sync.WaitGroup
		var refused string
		asked.Go(func() {
			got, ok := f.call(fmt.Sprintf("/apigw/operate_task/%d/2/", id), map[string]any{"action": action})
			if ok && !got.Result {
				refused = got.Message
			}
		})
		time.Sleep(rand.N(4 * time.Millisecond))
		proxy.LoseAnswer(pgtest.Statement)
		asked.Wait()
		f.members[0].until("a connection breaks", proxy.Lost)
		if refused != "" && f.stateOf(id) == after {
			t.Logf("%s was refused and is done: %s", action, refused)
			return
		}
	}
	t.Error("commits that cannot be told apart are answered well")
}

// spoil lets the database change each row of a task behind the back of whoever writes it.
func (f *fleet) spoil(change string) {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.db)
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range []string{
		`CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ` + change + `; RETURN NEW; END $$`,
		`CREATE TRIGGER spoil BEFORE UPDATE ON task FOR EACH ROW EXECUTE FUNCTION spoil()`,
	} {
		if _, err := conn.Exec(f.t.Context(), statement); err != nil {
			f.t.Fatal(err)
		}
	}
}
