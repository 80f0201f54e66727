package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/store/pgtest"
)

// diagnoseDB gives what is wrong with a database, a line for each finding, and what was found as a whole.
func diagnoseDB(t *testing.T, db string) (wrong []string, d *app.Diagnosis) {
	t.Helper()
	d, err := app.Diagnose(t.Context(), app.Patient{Place: app.Place{DB: db}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range d.Findings {
		if !f.Note {
			wrong = append(wrong, fmt.Sprintf("task %d: %s", f.Task, f.What))
		}
	}
	return wrong, d
}

// change does something to a database behind the back of all servers.
func change(t *testing.T, db string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, s := range statements {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// TestPostgresDoctorRaisesNoFalseAlarm: nothing is wrong with tasks that run, wait, are paused, have failed or are changing
// hands, beside servers under load of which one is killed now and then. What the last one left is wrong when nobody has taken it
// for a minute, and the next server sets it right.
func TestPostgresDoctorRaisesNoFalseAlarm(t *testing.T) {
	t.Parallel()
	f := newFleet(t, database(t, pgtest.Start(t, pgtest.Options{Durable: true})), everything, everything, "api")
	f.begin(f.members[0]) // of which calls that are held do not end
	f.begin(f.members[2])
	tasks := f.prepare()
	f.begin(f.members[1])
	stop := f.load(4)
	for round := range 8 {
		if round%3 == 2 {
			m := f.members[1]
			m.kill()
			f.begin(m)
		}
		wrong, d := diagnoseDB(t, f.db)
		if len(wrong) > 0 || !d.Running || d.Tasks < len(tasks) {
			t.Errorf("round %d, %d tasks: %q", round, d.Tasks, wrong)
		}
	}
	stop()
	f.members[0].kill()
	f.members[1].kill()
	if wrong, _ := diagnoseDB(t, f.db); len(wrong) > 0 {
		t.Errorf("after the kill: %q", wrong)
	}
	const minutes = `- 120 * 1000000`
	change(t, f.db, `UPDATE worker SET renewed_at = renewed_at `+minutes+`, expires_at = expires_at `+minutes, `
		UPDATE task SET queue_at = queue_at `+minutes+` WHERE queue_at IS NOT NULL`)
	wrong, d := diagnoseDB(t, f.db)
	if all := strings.Join(wrong, "\n"); !strings.Contains(all, "belong to workers that are dead") || d.Running || !noted(d, "no process drives tasks") {
		t.Errorf("two minutes later: %q, %+v", wrong, d)
	}
	f.begin(f.members[0])
	f.members[0].until("it is ready", f.members[0].ready)
	f.until("no task is left with a dead worker", func() bool { return f.number(`SELECT count(*) FROM worker`) == 1 })
	if wrong, _ = diagnoseDB(t, f.db); len(wrong) > 0 {
		t.Errorf("with a server: %q", wrong)
	}
}

// TestPostgresDoctorRepairs changes data behind the back of servers that go on meanwhile. Each change is found; what can be
// repaired is sound afterwards, and the task goes on.
func TestPostgresDoctorRepairs(t *testing.T) {
	t.Parallel()
	f := newFleet(t, database(t, pgtest.Start(t, pgtest.Options{Durable: true})), everything, everything)
	f.beginAll()
	limited := option(act("there", "effect_wait"), "timeout_config", map[string]any{"enable": true, "seconds": 4000, "action": "forced_fail"})
	begin := func(name string, flow piece) int64 {
		id := f.making(&shape{name: name, flow: flow})
		f.startTask(id)
		return id
	}
	ended := begin("ended", act("there", "effect"))
	f.until("it ends", func() bool { return f.stateOf(ended) == "FINISHED" })
	const now = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`
	const past = `UPDATE node_state SET deadline = ` + now + ` WHERE task_id = %[1]d AND deadline IS NOT NULL; `
	for _, d := range []struct {
		name, change string
		flow         piece  // of a task that waits; nil: the one that has ended
		told         string // "": no more than a note
		undo         string // "": it can be repaired
		goesOn       string // state of the node afterwards
	}{
		{"nobody would drive it", past + `UPDATE task SET wake_at = ` + now + `, queue_at = NULL WHERE id = %[1]d`, limited, "nobody will drive it", "", "FAILED"},
		{"nobody would wake it", past + `UPDATE task SET wake_at = NULL, queue_at = NULL WHERE id = %[1]d`, limited, "something is due at", "", "FAILED"},
		{"it would be woken too late", past + `UPDATE task SET wake_at = wake_at + (1::bigint << 50), queue_at = queue_at + (1::bigint << 50) WHERE id = %[1]d`, limited, "something is due at", "", "FAILED"},
		{"it is not known to be live", past + `UPDATE task SET live = 0, queue_at = NULL WHERE id = %[1]d`, limited, "whether something happens", "", "FAILED"},
		{"rows were left", `INSERT INTO variable (project_id, task_id, scope, key, value) VALUES (1, %[1]d + 999999, 0, 'x', '')`, nil, "which does not exist", "", ""},
		{"an old message", `INSERT INTO event (project_id, task_id, seq, node, version) SELECT project_id, id, -1, 1, 'v' FROM task WHERE id = %[1]d`, nil, "", "", ""},
		{"it has ended and is to be taken", `UPDATE task SET queue_at = 1 WHERE id = %[1]d`, nil, "is not live", `UPDATE task SET queue_at = NULL WHERE id = %[1]d`, ""},
		{"it is driven and to be taken", `UPDATE task SET owner = (SELECT min(id) FROM worker) WHERE id = %[1]d`, limited, "is driven and is to be taken", `UPDATE task SET owner = NULL WHERE id = %[1]d`, ""},
		{"a counter", `UPDATE node_state SET loop = loop + 1 WHERE task_id = %[1]d AND node = 1`, nil, "loop", `UPDATE node_state SET loop = loop - 1 WHERE task_id = %[1]d AND node = 1`, ""},
	} {
		id := ended
		if d.flow != nil {
			id = begin(d.name, d.flow)
			f.until("it rests", func() bool {
				return f.number(`SELECT count(*) FROM task WHERE id = $1 AND queue_at IS NOT NULL`, id) == 1
			})
		}
		if wrong, found := diagnoseDB(t, f.db); len(wrong) > 0 || len(found.Findings) > 0 {
			t.Fatalf("%s: before: %+v", d.name, found.Findings)
		}
		change(t, f.db, strings.Split(fmt.Sprintf(d.change, id), "; ")...)
		wrong, found := diagnoseDB(t, f.db)
		if all := strings.Join(wrong, "\n"); !strings.Contains(all, d.told) || d.told == "" && !noted(found, "callbacks") {
			t.Errorf("%s: told %q, %+v", d.name, wrong, found.Findings)
		}
		if found.Repairable() != (d.undo == "") {
			t.Errorf("%s: repairable: %t, %+v", d.name, found.Repairable(), found.Findings)
		}
		if done, err := found.Repair(t.Context()); err != nil || (done.Woken+done.Rows > 0) != found.Repairable() || done.Copy != "" {
			t.Errorf("%s: %+v, %v", d.name, done, err)
		}
		if d.undo != "" {
			change(t, f.db, fmt.Sprintf(d.undo, id))
		}
		if d.goesOn != "" {
			f.until(d.name+": it goes on", func() bool { return f.there(id).State == d.goesOn })
		}
	}
	if wrong, _ := diagnoseDB(t, f.db); len(wrong) > 0 {
		t.Errorf("in the end: %q", wrong)
	}
}

// TestPostgresDoctorLooksAtTheServer: settings, connections and tables, where no process drives tasks.
func TestPostgresDoctorLooksAtTheServer(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{Settings: []string{"max_connections=10", "superuser_reserved_connections=3"}})
	empty := server.Database(t, "", nil)
	if wrong, _ := diagnoseDB(t, empty); len(wrong) != 1 || !strings.Contains(wrong[0], "no schema yet") {
		t.Errorf("of an empty database: %q", wrong)
	}
	db := database(t, server)
	change(t, server.URL("postgres"), `ALTER ROLE ALL SET synchronous_commit = off`)
	wrong, d := diagnoseDB(t, db)
	all := strings.Join(wrong, "\n")
	if len(wrong) != 2 || !strings.Contains(all, "fsync of the database server is off") || !strings.Contains(all, "full_page_writes") || d.Running {
		t.Errorf("settings: %q", wrong)
	}
	if !noted(d, "no process drives tasks") || !noted(d, "synchronous_commit") || noted(d, "connections") {
		t.Errorf("notes: %+v", d.Findings)
	}
	for range 5 {
		conn, err := pgx.Connect(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
	}
	if _, d = diagnoseDB(t, db); !noted(d, "of the 7 connections") {
		t.Errorf("few connections left: %+v", d.Findings)
	}
	for _, c := range []struct{ change, undo, told string }{
		{`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`, `DELETE FROM goose_db_version WHERE version_id = 999`, "newer stdops (schema 999"},
		{`INSERT INTO river_migration (line, version) VALUES ('main', 999)`, `DELETE FROM river_migration WHERE version = 999`, "tables of the queue are those of a newer"},
		{`CREATE TABLE kept AS SELECT * FROM river_migration; DELETE FROM river_migration WHERE version > 1`, `INSERT INTO river_migration SELECT * FROM kept WHERE version > 1`, "tables of the queue have version 1"},
		{`UPDATE goose_db_version SET version_id = -1 WHERE version_id > 1`, `SELECT 1`, "the schema is 1, this program knows"},
	} {
		change(t, db, c.change)
		d, err := app.Diagnose(t.Context(), app.Patient{Place: app.Place{DB: db}})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(fmt.Sprint(d.Findings), c.told) {
			t.Errorf("%s: %+v", c.change, d.Findings)
		}
		change(t, db, c.undo)
	}
}
