package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
)

// diagnose gives what is wrong with a data directory, a line for each finding, and what was found as a whole.
func diagnose(t *testing.T, dir string) (wrong []string, d *app.Diagnosis) {
	t.Helper()
	d, err := app.Diagnose(t.Context(), app.Patient{Place: app.Place{DataDir: dir}})
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

// noted reports whether a note says that.
func noted(d *app.Diagnosis, text string) bool {
	for _, f := range d.Findings {
		if f.Note && strings.Contains(f.What, text) {
			return true
		}
	}
	return false
}

// standing is a server, in a process of its own, with a task in each state.
func standing(t *testing.T) (c *crash, byName map[string]int64) {
	t.Helper()
	c = newCrash(t)
	if err := os.Chmod(c.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c.mustStart()
	byName = make(map[string]int64)
	for i := range recoveries {
		r := &recoveries[i]
		id := c.making(&shape{name: r.name, flow: r.flow})
		byName[r.name] = id
		if r.in == "" {
			continue
		}
		c.startTask(id)
		if r.pause {
			c.operate(id, "pause")
		}
	}
	id := c.making(&shape{name: "a long timer", flow: act("there", "sleep_timer", "bk_timing", "100000")})
	byName["a long timer"] = id
	c.startTask(id)
	for i := range recoveries {
		if r := &recoveries[i]; r.in != "" {
			c.until(r.name, func() bool { return c.there(byName[r.name]).State == r.in })
		}
	}
	return c, byName
}

// copyDir copies the files of a stopped server.
func copyDir(t *testing.T, from string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range content(t, from) {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestDoctorRaisesNoFalseAlarm: nothing is wrong with tasks that run, wait, are paused or have failed; neither beside the
// server, nor after it was killed, nor when it had gone on for an hour.
func TestDoctorRaisesNoFalseAlarm(t *testing.T) {
	t.Parallel()
	c, byName := standing(t)
	wrong, d := diagnose(t, c.dir)
	if len(wrong) != 0 || !d.Running || d.Tasks != len(byName) {
		t.Errorf("beside the server: %d tasks, wrong: %q", d.Tasks, wrong)
	}
	if _, err := d.Repair(t.Context()); err == nil || !strings.Contains(err.Error(), "in use by another stdops") {
		t.Errorf("a repair beside the server: %v", err)
	}
	c.kill()
	wrong, d = diagnose(t, c.dir)
	if len(wrong) != 0 || d.Running || !noted(d, "clean end") || d.Repairable() {
		t.Errorf("after the kill: %+v", d)
	}
	c.mustStart()
	c.load(200 * time.Millisecond)
	c.stop()
	if wrong, d = diagnose(t, c.dir); len(wrong) != 0 || len(d.Findings) != 0 {
		t.Errorf("after a stop: %+v", d)
	}
}

// TestDoctorFindsWhatIsLate lets an hour pass on record in which nothing has happened: late is what was to happen by itself,
// and nothing of what waits for somebody.
func TestDoctorFindsWhatIsLate(t *testing.T) {
	t.Parallel()
	c, byName := standing(t)
	c.kill()
	damage(t, filepath.Join(c.dir, "stdops.db"), `UPDATE meta SET value = value + 3600 * 1000000 WHERE name = 'time'`)
	late := map[string]string{
		"a timer runs": "a poll of", "failed, retries by itself": "was to be tried again", "runs against its time limit": "the time limit of",
	}
	wrong, d := diagnose(t, c.dir)
	for name, id := range byName {
		told := slices.DeleteFunc(slices.Clone(wrong), func(line string) bool { return !strings.HasPrefix(line, fmt.Sprintf("task %d: ", id)) })
		switch said := late[name]; {
		case said == "" && len(told) > 0:
			t.Errorf("%s: told %q", name, told)
		case said != "" && (len(told) != 1 || !strings.Contains(told[0], said)):
			t.Errorf("%s: told %q, not %q", name, told, said)
		}
	}
	if d.Repairable() {
		t.Error("what is late is a matter of the next start, there is nothing to repair")
	}
	started := filepath.Join(c.dir, "stdops.lock")
	if err := os.Chtimes(started, time.Now().Add(time.Hour), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if wrong, _ := diagnose(t, c.dir); len(wrong) != 0 {
		t.Errorf("of a server that had just started: %q", wrong)
	}
}

// TestDoctorRepairs changes data behind the server's back. Each change is found; what can be repaired is sound afterwards, and
// goes on at the next start.
func TestDoctorRepairs(t *testing.T) {
	t.Parallel()
	c, byName := standing(t)
	c.kill()
	c.mustStart() // in this life no call is held
	c.until("a timer runs", func() bool { return c.stateOf(byName["a timer runs"]) == "FINISHED" })
	c.stop()
	timer, called, failed, finished := byName["a long timer"], byName["waits for a callback"], byName["failed"], byName["a timer runs"]
	for _, d := range []struct {
		name, change string
		id           int64
		told         string
		repairable   bool
		stays        bool // something is wrong all the same
	}{
		{"nobody would wake it", `UPDATE task SET wake_at = NULL WHERE id = %d`, timer, "something is due at", true, false},
		{"it would be woken too late", `UPDATE task SET wake_at = wake_at + (1 << 50) WHERE id = %d`, timer, "something is due at", true, false},
		{"the next start would pass it over", `UPDATE task SET live = 0, wake_at = NULL WHERE id = %d`, called, "whether something happens", true, false},
		{"a failed one is not known", `UPDATE task SET live = 0 WHERE id = %d`, failed, "whether something happens", true, false},
		{"its rows were left", `DELETE FROM task WHERE id = %d`, failed, "which does not exist", true, false},
		{"its thread is lost", `UPDATE node_state SET token = 77 WHERE task_id = %d`, timer, "thread", false, true},
		{"an old message", `INSERT INTO event SELECT project_id, id, -1, 1, 'v', NULL FROM task WHERE id = %d`, finished, "", true, false},
		{"its log was cut", `DELETE FROM transition WHERE task_id = %d`, called, "its log says", false, true},
	} {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			dir := copyDir(t, c.dir)
			damage(t, filepath.Join(dir, "stdops.db"), fmt.Sprintf(d.change, d.id))
			wrong, found := diagnose(t, dir)
			if all := strings.Join(wrong, "\n"); !strings.Contains(all, d.told) || d.told == "" && !noted(found, "callbacks") {
				t.Errorf("told %q, %+v", wrong, found.Findings)
			}
			if found.Repairable() != d.repairable {
				t.Errorf("repairable: %t, %+v", found.Repairable(), found.Findings)
			}
			if !d.repairable {
				return
			}
			before := content(t, dir)["stdops.db"]
			done, err := found.Repair(t.Context())
			if err != nil || done.Woken+done.Rows == 0 {
				t.Fatalf("%+v, %v", done, err)
			}
			if kept, err := os.ReadFile(done.Copy); err != nil || len(kept) == 0 || len(before) == 0 {
				t.Errorf("the copy: %v", err)
			}
			if wrong, found = diagnose(t, dir); (len(wrong) != 0) != d.stays || found.Repairable() || !noted(found, "stdops.db.repair1") {
				t.Errorf("afterwards: %q, %+v", wrong, found.Findings)
			}
			if verified, err := app.Verify(t.Context(), dir, func(task stdops.TaskID, problem string) { t.Errorf("task %d: %s", task, problem) }); err != nil || verified.Tasks == 0 {
				t.Errorf("%+v, %v", verified, err)
			}
			again := start(t, dir)
			stop(t, again)
		})
	}
}
