package store

import (
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// upgradeEnv names the data directory that this test binary, started again, is to upgrade until it is killed.
const upgradeEnv = "STDOPS_TEST_UPGRADE"

// stepsThatHang are three steps of which the second writes something and then never ends.
func stepsThatHang() fs.FS {
	all := steps(3).(fstest.MapFS)
	all["0002_step.sql"] = &fstest.MapFile{Data: []byte(`-- +goose Up
CREATE TABLE step2 (x INTEGER);
INSERT INTO step2 VALUES (1);
WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) INSERT INTO step2 SELECT x FROM n WHERE x < 0;
`)}
	return all
}

// TestUpgrade_that_is_killed goes on where it was: what steps had stored stays, what one had only begun is gone.
func TestUpgrade_that_is_killed(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	if dir := os.Getenv(upgradeEnv); dir != "" {
		t.Error(upgrade(t.Context(), dir, stepsThatHang(), log)) // never comes back
		return
	}
	dir := t.TempDir()
	file := filepath.Join(dir, databaseFile)
	if err := createPrivate(file); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), upgradeEnv+"="+dir)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); schemaOf(t, dir) != 1 || !writing(t, file); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("the second step never begins")
			break
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if got := schemaOf(t, dir); got != 1 {
		t.Errorf("after the kill the schema is %d", got)
	}
	for range 2 {
		if err := upgrade(t.Context(), dir, steps(3), log); err != nil {
			t.Fatal(err)
		}
		if got := schemaOf(t, dir); got != 3 {
			t.Errorf("in the end the schema is %d", got)
		}
	}
	var rows int
	db := openPlain(t, file)
	if err := db.QueryRowContext(t.Context(), `
		SELECT (SELECT COUNT(*) FROM step1) + (SELECT COUNT(*) FROM step2) + (SELECT COUNT(*) FROM step3)`).Scan(&rows); err != nil || rows != 3 {
		t.Errorf("the steps have left %d rows: %v", rows, err)
	}
	if _, err := os.Stat(backupName(file, 1)); err != nil {
		t.Errorf("no copy from before the second part: %v", err)
	}
}

// writing reports whether somebody is in the middle of a transaction.
func writing(t *testing.T, file string) bool {
	t.Helper()
	db, err := sql.Open("sqlite3", address(file, "rw", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), "PRAGMA busy_timeout = 0"); err != nil {
		t.Fatal(err)
	}
	if _, err = db.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err == nil {
		_, err = db.ExecContext(t.Context(), "ROLLBACK")
	}
	if err != nil && !errors.Is(err, sqlite3.BUSY) {
		t.Fatal(err)
	}
	return err != nil
}

// schemaOf gives the version of a database, 0 as long as there is none.
func schemaOf(t *testing.T, dir string) int64 {
	t.Helper()
	c, err := OpenBeside(dir)
	if err != nil {
		return 0
	}
	defer c.Close()
	s, err := c.Schema(t.Context())
	if err != nil {
		return 0
	}
	return s.Data
}
