package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/store"
)

// fleet are servers in processes of their own on one database, under the load and the oracle of a crash test.
type fleet struct {
	*crash
	db       string
	members  []*member
	forgives func(*http.Response) bool // as that of callers
}

// member is one place in a fleet, in which one process after the other lives.
type member struct {
	*victim
	test  *testing.T
	roles string
	env   []string               // further one, of all its lives
	life  atomic.Pointer[caller] // speaks to the present process; the one that was asked before may be another

	mu   sync.Mutex
	logs []*bytes.Buffer // of all lives
}

const everything = "api,worker"

// livesOfMember is how many lives of one member have numbers of their own.
const livesOfMember = 1_000_000

// newFleet makes a fleet on a database, of which no process has begun.
func newFleet(t *testing.T, db string, roles ...string) *fleet {
	f := &fleet{crash: &crash{victim: &victim{dir: t.TempDir(), log: &bytes.Buffer{}}, oracle: newOracle(t), t: t}, db: db}
	f.name, f.insists = fmt.Sprintf("%x", rand.Uint64()), 200
	f.victim.t, f.route = t, f.anyMember
	for i, r := range roles {
		m := &member{victim: newVictim(t), test: t, roles: r}
		m.lives = i * livesOfMember
		m.life.Store(&caller{t: t})
		m.life.Load().down.Store(true)
		f.members = append(f.members, m)
		t.Cleanup(func() { m.end() })
	}
	return f
}

// begin starts the next process of a member.
func (f *fleet) begin(m *member, env ...string) {
	f.t.Helper()
	f.beginOn(m, f.db, env...)
}

// beginOn starts it on an address that leads to the database in some way.
func (f *fleet) beginOn(m *member, db string, env ...string) {
	f.t.Helper()
	env = slices.Concat([]string{databaseEnv + "=" + db, rolesEnv + "=" + m.roles, effectsEnv + "=" + f.dir}, m.env, env)
	if !m.start(env...) {
		f.t.Fatalf("a server did not start: %v\n%s", <-m.ended, m.victim.log)
	}
	m.mu.Lock()
	m.logs = append(m.logs, m.victim.log)
	m.mu.Unlock()
	m.life.Store(&caller{t: f.t, base: m.base, forgives: f.forgives})
}

func (f *fleet) beginAll(env ...string) {
	f.t.Helper()
	for _, m := range f.members {
		f.begin(m, env...)
	}
}

// kill ends the process of a member as kill -9 does.
func (m *member) kill() {
	m.t.Helper()
	m.life.Load().down.Store(true)
	m.victim.kill()
}

// end kills what still runs after a test.
func (m *member) end() {
	if m.process != nil && m.process.ProcessState == nil && !m.down.Load() {
		m.kill()
	}
}

// stop lets all processes drain and end.
func (f *fleet) stop() {
	f.t.Helper()
	for _, m := range f.members {
		m.life.Load().down.Store(true)
		m.stop()
	}
}

// anyMember gives one that answers requests.
func (f *fleet) anyMember() *caller {
	var some, up []*caller
	for _, m := range f.members {
		if !strings.Contains(m.roles, "api") {
			continue
		}
		c := m.life.Load()
		if some = append(some, c); !c.gone() {
			up = append(up, c)
		}
	}
	if len(up) == 0 {
		up = some
	}
	return up[rand.IntN(len(up))]
}

// mostOpen bounds how many tasks the load of a fleet has open at a time.
const mostOpen = 300

// load lets clients work until they are told to stop.
func (f *fleet) load(clients int) (stop func()) { return f.repeatedly(clients, f.workOnce) }

// repeatedly lets clients do something until they are told to stop.
func (f *fleet) repeatedly(clients int, do func()) (stop func()) {
	var working sync.WaitGroup
	var done atomic.Bool
	for range clients {
		working.Go(func() {
			for !done.Load() {
				do()
			}
		})
	}
	return func() { done.Store(true); working.Wait() }
}

// workOnce does something, as work does, but leaves no more tasks open than can be brought to their end.
func (f *fleet) workOnce() {
	open := f.unfinished()
	watched := open[:min(len(open), 20)]
	switch n := rand.IntN(60); {
	case n == 0:
		f.each(1, func(id int64) { f.operate(id, "revoke") })
	case n < 12 && len(open) < mostOpen:
		f.create()
	case n < 24:
		f.each(1, f.startTask)
	case n < 30:
		f.each(1, func(id int64) {
			f.operate(id, "pause")
			f.operate(id, "resume")
		})
	case n < 36:
		f.watch(f.pick(20))
	default:
		f.finish(watched)
	}
}

// settle brings all tasks to their end, stops all processes, and holds what they leave against the oracle.
func (f *fleet) settle() (transitions, repeated int) {
	f.t.Helper()
	return f.settleWith(func() {})
}

// settleWith looks once more at the processes before they are stopped.
func (f *fleet) settleWith(look func()) (transitions, repeated int) {
	f.t.Helper()
	f.repeat()
	f.finishAll()
	look()
	f.stop()
	f.verify()
	transitions = f.checkStored(store.Options{DB: f.db}, f.dir)
	repeated = f.checkEffects()
	if n := f.number(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n != 0 {
		f.wrong("the database has found %d deadlocks", n)
	}
	// A task that was revoked a moment ago may have a timer that is still to record its end.
	if n := f.number(`SELECT count(*) FROM task WHERE live = 0 AND (owner IS NOT NULL OR queue_at IS NOT NULL)`); n != 0 {
		f.wrong("%d tasks that have settled are driven or are to be", n)
	}
	return transitions, repeated
}

// verify replays what is in the database at this moment.
func (f *fleet) verify() {
	f.t.Helper()
	_, err := app.VerifyDatabase(f.t.Context(), f.db, func(task stdops.TaskID, problem string) {
		f.wrong("verify: task %d: %s", task, problem)
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// wireTree gives a flow of a shape as callers send it.
func wireTree(t *testing.T, sh *shape) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(sh.flow.tree())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// number asks the database itself.
func (f *fleet) number(query string, args ...any) (n int64) {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.db)
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close(f.t.Context())
	if err := conn.QueryRow(f.t.Context(), query, args...).Scan(&n); err != nil {
		f.t.Fatalf("%s: %v", query, err)
	}
	return n
}

var (
	logLevel = regexp.MustCompile(`level=(\w+) msg=("[^"]*"|\S+)`)
	// logCause is what an error says, without what differs each time.
	logCause = regexp.MustCompile(`error=("(?:[^"\\]|\\.)*"|\S+)`)
	numbers  = regexp.MustCompile(`\d+`)
)

// said counts what the processes that have ended wrote into their logs.
func (f *fleet) said() string {
	counts := make(map[string]int)
	for _, m := range f.members {
		m.mu.Lock()
		for _, log := range m.logs {
			for line := range strings.Lines(log.String()) {
				if level := logLevel.FindString(line); level != "" {
					counts[numbers.ReplaceAllString(level+" "+logCause.FindString(line), "N")]++
				} else {
					counts[line]++
				}
			}
		}
		m.mu.Unlock()
	}
	var text strings.Builder
	for _, line := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&text, "%6d %s\n", counts[line], strings.TrimSpace(line))
	}
	return text.String()
}
