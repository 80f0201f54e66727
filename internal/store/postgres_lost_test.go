package store

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store/pgtest"
)

// What is asked for while a connection breaks is stored once, and the caller hears of it.
func TestPostgres_lost_connections(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	proxy := server.Proxy(t)
	o := testOptions("")
	o.DB, o.ownTime = proxy.URL(emptyDatabase(t)), true
	s := open(t, o)
	for name, lose := range map[string]func(){
		"request":             func() { proxy.LoseRequest(pgtest.Statement) },
		"answer":              func() { proxy.LoseAnswer(pgtest.Statement) },
		"begin, with a key":   func() { proxy.LoseRequest(pgtest.Begin) },
		"request, with a key": func() { proxy.LoseRequest(pgtest.Statement) },
		"commit, with a key":  func() { proxy.LoseRequest(pgtest.Commit) },
		"answer, with a key":  func() { proxy.LoseAnswer(pgtest.Commit) },
	} {
		task := createTask(t, s, newTask(name))
		for revision := range int64(4) {
			c := running(s, task)
			c.Revision = revision
			c.Transitions = []stdops.Transition{{Node: 1, To: stdops.StateRunning, Time: at(1)}}
			if strings.Contains(name, "key") {
				c.Keys = []stdops.RequestKey{*requestKey(fmt.Sprint(name, revision))}
			}
			if revision%2 == 1 {
				lose()
			}
			commit(t, s, c)
			if !proxy.Lost() {
				t.Fatalf("%s: no connection broke", name)
			}
		}
		if log, err := s.Transitions(t.Context(), ref(task), 0, 9); err != nil || len(log) != 4 {
			t.Errorf("%s: %d entries, %v", name, len(log), err)
		}
	}
}

// When an answer is lost, and another process changes the task before anybody looks what was stored, the transitions of the
// next revision tell. Where it has none nobody can tell.
func TestPostgres_lost_answer_and_foreign_change(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	proxy := server.Proxy(t)
	o := testOptions("")
	o.DB, o.ownTime = emptyDatabase(t), true
	other := open(t, o)
	o.DB = proxy.URL(o.DB)
	s := open(t, o)
	runs := func(actor string) []stdops.Transition {
		return []stdops.Transition{{Node: 1, To: stdops.StateRunning, Time: at(1), Actor: actor}, {Node: 2, To: stdops.StateRunning, Actor: actor}}
	}
	own, foreign := runs("own"), runs("foreign")
	for name, c := range map[string]struct {
		lose     func(kind string)
		own      []stdops.Transition
		others   [][]stdops.Transition // changes of another process before the next try
		claimed  bool                  // the last of these under an epoch of its own
		want     stdops.Verdict
		revision int64
	}{
		"done":                          {proxy.LoseAnswer, own, nil, false, stdops.Committed, 1},
		"done, then changed":            {proxy.LoseAnswer, own, [][]stdops.Transition{foreign}, false, stdops.Committed, 2},
		"done, then changed silently":   {proxy.LoseAnswer, own, [][]stdops.Transition{nil, nil}, false, stdops.Committed, 3},
		"done, then taken over":         {proxy.LoseAnswer, own, [][]stdops.Transition{foreign}, true, stdops.Committed, 2},
		"done silently, then changed":   {proxy.LoseAnswer, nil, [][]stdops.Transition{foreign}, false, stdops.Unknown, 2},
		"not done":                      {proxy.LoseRequest, own, nil, false, stdops.Committed, 1},
		"not done, once changed":        {proxy.LoseRequest, own, [][]stdops.Transition{nil}, false, stdops.Stale, 1},
		"not done, changed":             {proxy.LoseRequest, own, [][]stdops.Transition{foreign, own}, false, stdops.Stale, 2},
		"not done, taken over":          {proxy.LoseRequest, own, [][]stdops.Transition{foreign, own}, true, stdops.Fenced, 2},
		"not done silently, changed":    {proxy.LoseRequest, nil, [][]stdops.Transition{foreign, own}, false, stdops.Stale, 2},
		"not done, changed silently":    {proxy.LoseRequest, own, [][]stdops.Transition{nil, own}, false, stdops.Unknown, 2},
		"not done, the same but a part": {proxy.LoseRequest, own, [][]stdops.Transition{own[:1], own}, false, stdops.Stale, 2},
	} {
		for _, key := range []bool{false, true} {
			name := fmt.Sprintf("%s, with a key: %t", name, key)
			task := createTask(t, s, newTask(name))
			change := running(s, task)
			change.Transitions = c.own
			kind := pgtest.Statement
			if key {
				change.Keys = []stdops.RequestKey{*requestKey(name)}
				kind = pgtest.Commit
			}
			b := s.pg.batch([]stdops.Change{change}, s.Now())
			c.lose(kind)
			if err := s.pg.try(t.Context(), b); err == nil || !disconnected(err) || !proxy.Lost() {
				t.Fatalf("%s: the answer is not lost: %v", name, err)
			}
			b.lost = true
			for i, transitions := range c.others {
				now := loadTask(t, other, task)
				next := running(other, now)
				next.Revision, next.Transitions = now.Root.Revision, transitions
				if c.claimed && i == len(c.others)-1 {
					damage(t, other, fmt.Sprintf(`UPDATE task SET epoch = epoch + 1 WHERE id = %d`, task.ID))
					next.Epoch = now.Root.Epoch + 1
				}
				verdicts := []stdops.Verdict{stdops.Busy}
				for verdicts[0] == stdops.Busy { // until the server has noticed that the connection is gone
					var err error
					if verdicts, err = other.Commit(t.Context(), []stdops.Change{next}); err != nil {
						t.Fatal(err)
					}
				}
				if verdicts[0] != stdops.Committed {
					t.Fatalf("%s: change %d of others: verdict %d", name, i, verdicts[0])
				}
			}
			for len(b.open) > 0 {
				if err := s.pg.try(t.Context(), b); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			if got := loadTask(t, s, task).Root.Revision; b.verdicts[0] != c.want || got != c.revision {
				t.Errorf("%s: verdict %d and revision %d, want %d and %d", name, b.verdicts[0], got, c.want, c.revision)
			}
		}
	}
}

// When the server does not let a process in any more, its callers hear that the database is not available, and the log why.
func TestPostgres_not_let_in(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	o := testOptions("")
	o.DB, o.ownTime = server.Database(t, "store", migrateQuietly), true
	admin := open(t, o)
	damage(t, admin, `CREATE ROLE guest SUPERUSER LOGIN`)
	var log bytes.Buffer
	o.DB, o.Log = strings.Replace(o.DB, "stdops@", "guest@", 1), slog.New(slog.NewTextHandler(&log, nil))
	s := open(t, o)
	damage(t, admin, `ALTER ROLE guest NOLOGIN`)
	damage(t, admin, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guest'`)
	for method, call := range map[string]func() error{
		"Ping":     func() error { return s.Ping(t.Context()) },
		"Statuses": func() error { return second(s.Statuses(t.Context(), 1, StatusQuery{Newest: 9})) },
		"Key":      func() error { return second(s.Key(t.Context())) },
	} {
		for err := call(); ; err = call() { // a connection that is about to end may answer once more
			if err == nil {
				continue
			}
			if stdops.ErrorCode(err) != stdops.CodeUnavailable {
				t.Errorf("%s: %v", method, err)
			}
			break
		}
	}
	if !strings.Contains(log.String(), `role \"guest\" is not permitted to log in`) {
		t.Errorf("logged: %s", log.String())
	}
	damage(t, admin, `ALTER ROLE guest LOGIN`)
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}
