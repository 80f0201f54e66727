package app_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
)

// verify replays what is in the data directory of a server that is down.
func (c *crash) verify() app.Verified {
	c.t.Helper()
	verified, err := app.Verify(c.t.Context(), c.dir, func(task stdops.TaskID, problem string) {
		c.wrong("verify: task %d: %s", task, problem)
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return verified
}

// content reads all files of a data directory.
func content(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

// TestVerify checks what a killed server leaves, and copies of it: nothing is wrong with any, and none is changed.
func TestVerify(t *testing.T) {
	t.Parallel()
	c := newCrash(t)
	c.mustStart()
	if _, err := app.Verify(t.Context(), c.dir, nil); !errors.Is(err, app.ErrInUse) {
		t.Errorf("the data directory of a running server: %v", err)
	}
	c.load(300 * time.Millisecond)
	c.kill()
	for _, without := range []string{"", "stdops.db-shm", "stdops.lock"} {
		dir := t.TempDir()
		for name, text := range content(t, c.dir) {
			if name == without {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before := content(t, dir)
		copied := *c
		copied.victim = &victim{dir: dir}
		if v := copied.verify(); v.Tasks < len(c.tasks) || v.Transitions == 0 {
			t.Errorf("%+v of %d tasks", v, len(c.tasks))
		}
		after := content(t, dir)
		for name := range after {
			if _, there := before[name]; !there || name != "stdops.db-shm" && !bytes.Equal(before[name], after[name]) {
				t.Errorf("without %q: %s was changed or made", without, name)
			}
		}
	}
	c.mustStart()
	c.stop()
	before := content(t, c.dir)
	c.verify()
	if after := content(t, c.dir); len(after) != len(before) || !bytes.Equal(after["stdops.db"], before["stdops.db"]) {
		t.Errorf("%d files became %d", len(before), len(after))
	}
}

// load lets four clients work for a while.
func (c *crash) load(d time.Duration) {
	end := time.Now().Add(d)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for time.Now().Before(end) {
				c.create()
				c.each(1, c.startTask)
				c.each(1, func(id int64) { c.operate(id, "pause") })
				c.watch(c.pick(20))
			}
		})
	}
	clients.Wait()
}

// TestVerifyFindsDamage changes single values in a database behind the server's back.
func TestVerifyFindsDamage(t *testing.T) {
	t.Parallel()
	c := newCrash(t)
	c.mustStart()
	for i := range shapes {
		c.createShape(&shapes[i])
	}
	c.finishAll()
	retried := len(shapes) - 1 // its nodes fail in parallel branches and wait for somebody
	c.createShape(&shapes[retried])
	for _, id := range c.unfinished() {
		c.startTask(id)
	}
	c.stop()
	whole := content(t, c.dir)
	for _, d := range []struct{ change, problem string }{
		{`DELETE FROM transition WHERE (task_id, revision, n) = (SELECT task_id, revision, n FROM transition WHERE from_state <> to_state ORDER BY random() LIMIT 1)`, "task "},
		{`UPDATE node_state SET state = 6 WHERE task_id = (SELECT MAX(task_id) FROM node_state) AND ord = 1`, "its log says"},
		{`UPDATE task SET state = 7 WHERE id = (SELECT id FROM task WHERE state IN (3, 4) LIMIT 1)`, "it is REVOKED"},
		{`UPDATE task SET live = 0 WHERE id = (SELECT id FROM task WHERE live = 1 LIMIT 1)`, "whether something happens"},
		{`DELETE FROM fork WHERE (task_id, token) = (SELECT task_id, token FROM fork WHERE parent <> 0 LIMIT 1)`, "thread"},
		{`DELETE FROM task WHERE id = (SELECT MAX(task_id) FROM node_state)`, "which does not exist"},
		{`UPDATE tree SET hash = hash || 'x'`, "does not exist"},
		{`UPDATE tree SET body = (SELECT body FROM tree ORDER BY hash LIMIT 1)`, "its content was changed"},
		{`UPDATE node_data SET outputs = NULL`, "outputs are not stored"},
		{`UPDATE variable SET value = x'7b'`, "no server could go on"},
		{`DELETE FROM node_attempt`, "attempts kept"},
		{`DELETE FROM task_input WHERE task_id = (SELECT MIN(task_id) FROM task_input)`, "can not be read"},
		{`UPDATE node_state SET loop = 1 << 40 WHERE task_id = (SELECT MAX(task_id) FROM node_state)`, "can not be read"},
	} {
		verifyFinds(t, whole["stdops.db"], d.change, d.problem)
	}
}

// verifyFinds changes a copy of a database behind the server's back, which has to be told of.
func verifyFinds(t *testing.T, database []byte, change, problem string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "stdops.db"), database, 0o600); err != nil {
		t.Fatal(err)
	}
	damage(t, filepath.Join(dir, "stdops.db"), change)
	var found []string
	_, err := app.Verify(t.Context(), dir, func(task stdops.TaskID, problem string) {
		found = append(found, fmt.Sprintf("task %d: %s", task, problem))
	})
	if all := strings.Join(found, "\n"); err != nil || !strings.Contains(all, problem) {
		t.Errorf("%s: %v, found %.300q", change, err, all)
	}
}

func openDatabase(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestVerifyOfABrokenFile: what is wrong is told although the file can not be read to its end.
func TestVerifyOfABrokenFile(t *testing.T) {
	t.Parallel()
	c := newCrash(t)
	c.mustStart()
	c.load(100 * time.Millisecond)
	c.stop()
	file := filepath.Join(c.dir, "stdops.db")
	db := openDatabase(t, file)
	var page, size int64
	if err := db.QueryRowContext(t.Context(), `
		SELECT rootpage, (SELECT page_size FROM pragma_page_size()) FROM sqlite_schema WHERE name = 'node_state'`).Scan(&page, &size); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xff}, int(size)), (page-1)*size); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	told := map[stdops.TaskID]int{}
	_, err = app.Verify(t.Context(), c.dir, func(task stdops.TaskID, _ string) { told[task]++ })
	if told[0] == 0 || len(told) < 2 {
		t.Errorf("%v; told of %v", err, told)
	}
}

func damage(t *testing.T, file, change string) {
	t.Helper()
	db := openDatabase(t, file)
	defer db.Close()
	res, err := db.ExecContext(t.Context(), change)
	if err != nil {
		t.Fatalf("%s: %v", change, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%s: nothing was changed (%v)", change, err)
	}
}
