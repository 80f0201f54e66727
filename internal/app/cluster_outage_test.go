package app_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stdops/stdops/internal/store/pgtest"
)

var restarts = flag.Int("restarts", 1, "how often TestClusterOutages lets the database end")

// outage is a way in which a database ends.
type outage struct {
	name string
	end  func(f *fleet, s *pgtest.Server) error
	down bool // until it is started again
}

var outages = []outage{
	{"fast", func(_ *fleet, s *pgtest.Server) error { return s.Stop(pgtest.Fast) }, true},
	{"kill of one backend", func(f *fleet, _ *pgtest.Server) error { return f.killBackend() }, false},
	{"immediate", func(_ *fleet, s *pgtest.Server) error { return s.Stop(pgtest.Immediate) }, true},
	{"kill", func(_ *fleet, s *pgtest.Server) error { return s.Kill() }, true},
}

// killBackend kills the process of one connection, on which the server ends all others and recovers as after a crash.
func (f *fleet) killBackend() error {
	pid := f.number(`SELECT pid FROM pg_stat_activity WHERE application_name = 'stdops' ORDER BY random() LIMIT 1`)
	return syscall.Kill(int(pid), syscall.SIGKILL)
}

// TestClusterOutages lets a database that syncs what it writes end under the load of three servers, and starts it again. What
// was acknowledged is there, once; requests meanwhile are refused with 503 and Retry-After, or nobody knows what became of
// them, and the same key tells; servers stay alive, know that they are not ready, and go on when the database is back.
func TestClusterOutages(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{Durable: true})
	f := newFleet(t, database(t, server), everything, everything, "api")
	f.cut = true
	var out atomic.Bool
	f.forgives = func(res *http.Response) bool {
		return out.Load() && res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != ""
	}
	f.beginAll()
	before := f.goroutines()
	stop := f.load(4)
	var back []time.Duration
	for i := range *restarts {
		time.Sleep(2*time.Second + rand.N(2*time.Second))
		o := outages[i%len(outages)]
		out.Store(true)
		if err := o.end(f, server); err != nil {
			t.Fatalf("%s: %v", o.name, err)
		}
		if o.down {
			f.isRefused()
			if i%2 == 0 {
				time.Sleep(rand.N(3 * time.Second))
			} else {
				time.Sleep(7*time.Second + rand.N(4*time.Second)) // all have given up their tasks
			}
			if err := server.Start(); err != nil {
				t.Fatalf("after %s: %v", o.name, err)
			}
		}
		began := time.Now()
		f.works()
		back = append(back, time.Since(began).Round(time.Millisecond))
		out.Store(false)
		if !f.sound() {
			break
		}
	}
	stop()
	f.settleWith(func() {
		for i, m := range f.members {
			m.until("no more goroutines than before", func() bool { return f.figure(m, "go_goroutines") <= before[i]+20 })
		}
	})
	t.Logf("%d outages, %d tasks, %d acknowledgements; a task was made and carried out so long after the database was back: %v", *restarts, len(f.tasks), f.acks, back)
	if t.Failed() {
		t.Logf("%s", f.said())
	}
}

// isRefused asks each server while there is no database.
func (f *fleet) isRefused() {
	f.t.Helper()
	for i, m := range f.members {
		get := func(path string) (int, http.Header) {
			res, err := clients.Get(m.base + path)
			if err != nil {
				f.t.Fatalf("%s of server %d: %v\n%s", path, i, err, m.victim.log)
			}
			defer res.Body.Close()
			_, _ = io.Copy(io.Discard, res.Body)
			return res.StatusCode, res.Header
		}
		if status, _ := get("/healthz"); status != http.StatusOK {
			f.wrong("/healthz of server %d is %d without a database", i, status)
		}
		if status, _ := get("/readyz"); status != http.StatusServiceUnavailable {
			f.wrong("/readyz of server %d is %d without a database", i, status)
		}
		if !strings.Contains(m.roles, "api") {
			continue
		}
		for path, body := range map[string]any{
			"/apigw/fast_create_task/2/":   map[string]any{"name": "refused", "pipeline_tree": shapes[0].flow.tree()},
			"/apigw/get_tasks_status/2/":   map[string]any{"task_id_list": f.pick(1), "include_children_status": true},
			"/apigw/start_task/1000000/2/": map[string]any{},
		} {
			text, err := json.Marshal(body)
			if err != nil {
				f.t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, m.base+path, bytes.NewReader(text))
			if err != nil {
				f.t.Fatal(err)
			}
			req.Header.Set("X-Bkapi-Authorization", fmt.Sprintf(`{"bk_app_code":%q,"bk_app_secret":%q,"bk_username":%q}`, appCode, appSecret, person))
			res, err := clients.Do(req)
			if err != nil {
				f.wrong("%s of server %d, without a database: %v", path, i, err)
				continue
			}
			said, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
				f.wrong("%s of server %d, without a database: HTTP %d, %v\n%s", path, i, res.StatusCode, res.Header, said)
			}
		}
	}
}

// works waits until a task is made, started and carried out, whoever does it, and all servers are ready.
func (f *fleet) works() {
	f.t.Helper()
	id := f.making(&shapes[0])
	f.startTask(id)
	f.until("a task is carried out", func() bool { f.finish([]int64{id}); return f.known([]int64{id})[id].ended != "" })
	for _, m := range f.members {
		m.until("it is ready", m.ready)
	}
}

func (m *member) ready() bool {
	res, err := clients.Get(m.base + "/readyz")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// until waits for something that has to happen, however slow the machine is.
func (m *member) until(what string, happens func() bool) {
	m.t.Helper()
	(&crash{victim: m.victim, t: m.test}).until(what, happens)
}

func (f *fleet) goroutines() (all []float64) {
	for _, m := range f.members {
		all = append(all, f.figure(m, "go_goroutines"))
	}
	return all
}

// figure reads one of those that a server tells of itself.
func (f *fleet) figure(m *member, name string) (n float64) {
	f.t.Helper()
	res, err := clients.Get(m.base + "/metrics")
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			_, _ = fmt.Sscan(rest, &n)
		}
	}
	return n
}
