package store

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func TestEvents_pages(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	var want []stdops.LoggedTransition
	for revision := range int64(3) {
		c := running(s, task)
		c.Revision = revision
		c.Transitions = []stdops.Transition{
			{Node: 1, From: stdops.StateFailed, To: stdops.StateReady, Actor: "ann", Reason: "再试一次", Time: at(int(revision))},
			{Node: 2, To: stdops.StateRunning, Time: at(int(revision))},
		}
		commit(t, s, c)
		for n, tr := range c.Transitions {
			want = append(want, stdops.LoggedTransition{Revision: revision + 1, N: int64(n), Transition: tr})
		}
	}
	for _, newest := range []bool{false, true} {
		page, got := EventPage{Newest: newest, Limit: 2}, []stdops.LoggedTransition(nil)
		for {
			log, err := s.Events(t.Context(), ref(task), page)
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, log...); len(log) < page.Limit {
				break
			}
			last := log[len(log)-1]
			page.From = &EventPlace{last.Revision, last.N}
		}
		if newest {
			for i, j := 0, len(got)-1; i < j; i, j = i+1, j-1 {
				got[i], got[j] = got[j], got[i]
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("newest first: %t (-want +got):\n%s", newest, diff)
		}
	}
	asked, stopped, err := s.AskedEvents(t.Context(), ref(task), EventPage{Newest: true, Limit: 3, From: &EventPlace{3, 0}})
	if err != nil || stopped != nil || len(asked) != 2 || asked[0].Revision != 2 || asked[1].Revision != 1 || asked[0].Actor != "ann" {
		t.Errorf("what somebody asked for: %+v, %v", asked, err)
	}
	if log, err := s.Events(t.Context(), stdops.TaskRef{Project: 2, Task: task.ID}, EventPage{Limit: 9}); err != nil || len(log) > 0 {
		t.Errorf("another project reads %v, %v", log, err)
	}
}

// Few commands in a long log are found part by part, each once, in both orders; where a part ends is told.
func TestAskedEvents_look_through_a_part(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	damage(t, s, `INSERT INTO transition (project_id, task_id, revision, n, node, from_state, to_state, actor, at)
		WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 50000)
		SELECT 1, 1, (i + 1) / 2, (i + 1) % 2, 1, 3, 3, CASE WHEN i IN (1, 2, 3, 20003, 49000) THEN 'ann' WHEN i % 3 = 0 THEN 'system' ELSE '' END, i FROM k`)
	for _, c := range []struct {
		newest bool
		want   [][]int64 // microseconds of what each page finds
	}{
		{false, [][]int64{{1, 2}, {3}, {20003}, {49000}}},
		{true, [][]int64{{49000}, {20003}, {3, 2}, {1}}},
	} {
		page, got := EventPage{Newest: c.newest, Limit: 2}, [][]int64{}
		for range 9 {
			log, stopped, err := s.AskedEvents(t.Context(), ref(task), page)
			if err != nil {
				t.Fatal(err)
			}
			found := []int64{}
			for _, l := range log {
				found = append(found, l.Time.UnixMicro())
				page.From = &EventPlace{l.Revision, l.N}
			}
			if got = append(got, found); stopped != nil {
				page.From = stopped
			} else if len(log) < page.Limit {
				break
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("newest first: %t (-want +got):\n%s", c.newest, diff)
		}
	}
}

// TestEvents_plan: a page costs as much as it holds, however long the log is.
func TestEvents_plan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := reopen(t, dir)
	defer closeStore(t, s)
	for _, query := range []string{eventsOldest, eventsNewest, askedOldest, askedNewest, lastOldest, lastNewest} {
		if text := strings.Join(plan(t, s, query), "\n"); !strings.Contains(text, "PRIMARY KEY (task_id=? AND (revision,n)") || strings.Contains(text, "TEMP") {
			t.Errorf("plan of %s\n%s", query, text)
		}
	}
}

const oldTransition = `INSERT INTO transition (project_id, task_id, revision, n, node, from_state, to_state, actor, at)
	VALUES (1, 1, 1, 0, 1, 0, 3, 'ann', 5)`

func TestMigration_keeps_transitions_without_a_reason(t *testing.T) {
	t.Parallel()
	dir, db := openBefore(t, 11)
	keepsTransitions(t, db, func() *Store { return reopen(t, dir) })
}

func TestPostgres_migration_keeps_transitions_without_a_reason(t *testing.T) {
	t.Parallel()
	db, upgraded := openPostgresBefore(t, 11)
	keepsTransitions(t, db, upgraded)
}

func keepsTransitions(t *testing.T, db *sql.DB, upgraded func() *Store) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), oldTransition); err != nil {
		t.Fatal(err)
	}
	s := upgraded()
	defer closeStore(t, s)
	log, err := s.Events(t.Context(), stdops.TaskRef{Project: 1, Task: 1}, EventPage{Limit: 9})
	if err != nil || len(log) != 1 || log[0].Actor != "ann" || log[0].Reason != "" || log[0].Revision != 1 {
		t.Errorf("%+v, %v", log, err)
	}
}
