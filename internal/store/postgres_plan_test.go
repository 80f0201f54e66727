package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// statementTracer notes the statements that are run.
type statementTracer struct {
	mu   sync.Mutex
	seen []string
}

// TraceQueryStart fulfils pgx.QueryTracer.
func (l *statementTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(q.Args) > 0 {
		l.seen = append(l.seen, q.SQL)
	}
	return ctx
}

// TraceQueryEnd fulfils pgx.QueryTracer.
func (l *statementTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// take gives the statements since the last call.
func (l *statementTracer) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.seen
	l.seen = nil
	return seen
}

// Reads find what they read by an index on PostgreSQL too: a plan that may not read tables from end to end does not, and
// reads no index so either, but for live tasks.
func TestPostgres_reads_use_indexes(t *testing.T) {
	t.Parallel()
	statements := &statementTracer{}
	o := testOptions("")
	o.DB, o.ownTime, o.tracer = emptyDatabase(t), true, statements
	s := open(t, o)
	plans := 0
	for method, call := range reads(t, s) {
		statements.take()
		if err := call(); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		for _, text := range statements.take() {
			plans++
			for i, steps := 0, postgresPlan(t, s, fmt.Sprint("q", plans), text); i < len(steps); i++ {
				found := postgresScan.FindStringSubmatch(steps[i])
				if found == nil || found[1] == "" && i+1 < len(steps) && strings.Contains(steps[i+1], "Index Cond:") {
					continue
				}
				if !strings.Contains(text, "live = 1") { // of an empty table all indexes are as good as that of live tasks
					t.Errorf("%s: %s in\n%s", method, strings.TrimSpace(steps[i]), text)
				}
			}
		}
	}
	if plans < 30 {
		t.Errorf("only %d statements seen", plans)
	}
}

// A sweep looks for the tasks of dead processes only when there is one: else it would do so every second for nothing, by whatever
// plan seems cheap.
func TestPostgres_sweep_leaves_tasks_of_the_living(t *testing.T) {
	t.Parallel()
	statements := &statementTracer{}
	o := testOptions("")
	o.DB, o.ownTime = emptyDatabase(t), true
	other := open(t, o).Workers(WorkerOptions{Name: "there", Drives: true})
	o.tracer = statements
	w := open(t, o).Workers(WorkerOptions{Name: "here", Drives: true})
	frees := func() bool {
		statements.take()
		if _, err := w.Sweep(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(statements.take(), func(text string) bool { return strings.Contains(text, "owner = NULL") })
	}
	for _, p := range []*Workers{w, other} {
		if err := p.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if frees() {
		t.Error("it looks for tasks of the dead while all live")
	}
	if _, err := other.store.pg.sharing.ExecContext(t.Context(), `UPDATE worker SET expires_at = 1 WHERE id = $1`, other.id.Load()); err != nil {
		t.Fatal(err)
	}
	if !frees() || frees() {
		t.Error("it does not look for tasks of the dead once")
	}
}

// Who frees the tasks of dead processes tells their names, but for those of processes that have joined anew.
func TestPostgres_names_of_the_dead(t *testing.T) {
	t.Parallel()
	o := testOptions("")
	o.DB, o.ownTime = emptyDatabase(t), true
	s := open(t, o)
	var told []string
	w := s.Workers(WorkerOptions{Name: "here", Drives: true, Bury: func(_ context.Context, names []string) error {
		told = append(told, names...)
		return errors.New("not today") // keeps no task from being freed
	}})
	dead, cutOff := s.Workers(WorkerOptions{Name: "dead", Drives: true}), s.Workers(WorkerOptions{Name: "cut off", Drives: true})
	for _, p := range []*Workers{w, dead, cutOff} {
		if err := p.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	damage(t, s, `UPDATE worker SET expires_at = 1 WHERE host <> 'here'`)
	if err := cutOff.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := w.Sweep(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"dead"}, told); diff != "" {
		t.Errorf("dead (-want +got):\n%s", diff)
	}
	if err := w.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(told) > 1 {
		t.Errorf("who leaves tells of %v", told[1:])
	}
}

// postgresScan is a step that may read a table or an index from end to end.
var postgresScan = regexp.MustCompile(`(Seq Scan) on \w+|(?:Index|Index Only) Scan (?:Backward )?using (\w+)`)

// postgresPlan gives the plan of a statement for any parameters.
func postgresPlan(t *testing.T, s *Store, name, text string) []string {
	t.Helper()
	conn, err := s.pg.writers.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	run := `EXPLAIN EXECUTE ` + name
	if n := len(parameters(text)); n > 0 {
		run += ` (NULL` + strings.Repeat(`, NULL`, n-1) + `)`
	}
	_, err = conn.ExecContext(t.Context(), `SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off;
		PREPARE `+name+` AS `+text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	rows, err := conn.QueryContext(t.Context(), run)
	steps, err := collect(rows, err, func(s *string) []any { return []any{s} })
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return steps
}
