package main

import (
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/stdops/stdops/internal/app"
)

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"stdops": main})
}

// leakChecked fails tests that leave a goroutine behind.
type leakChecked struct{ *testing.M }

// Run runs the tests.
func (m leakChecked) Run() int {
	code := m.M.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestScripts drives the program as its users do. Scripts find a server of their own in $STDOPS_DATA_DIR, which answers at
// http://$ADDR as well; what they can use beside the commands of testscript is in commands.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", Cmds: commands, Setup: setupScript, RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

func setupScript(env *testscript.Env) error {
	dir := filepath.Join(env.WorkDir, "data")
	server, err := startServer(context.Background(), app.Options{Listen: "127.0.0.1:0", DataDir: dir, TestPlugins: true, LocalScripts: demoScripts()})
	if err != nil {
		return err
	}
	env.Defer(func() {
		if err := server.Stop(context.Background()); err != nil {
			env.T().Fatal(err)
		}
	})
	env.Setenv("STDOPS_DATA_DIR", dir)
	env.Setenv("ADDR", server.Addr())
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
	for _, name := range []string{"deploy.json", "backup.json", "release-with-approval.json", "maintenance-window.json", "rolling-restart.json", "check-the-disk.json", "rollout.dat"} {
		text, err := os.ReadFile("../../examples/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(env.WorkDir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

var commands = map[string]func(*testscript.TestScript, bool, []string){
	"code": exitsWith, "save": save, "until": until, "mode": hasMode, "sql": execSQL, "olddata": oldData,
}

// exitsWith runs a command that must end with a code: code 3 stdops task status 999.
func exitsWith(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var ended *exec.ExitError
	got := 0
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// save keeps the first group of a pattern in the output as a variable: save ID '^(\d+)'.
func save(ts *testscript.TestScript, _ bool, args []string) {
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("the output has no %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// until runs a command until its output has a pattern: until 'RUNNING at' stdops task status.
func until(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[0])
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err := ts.Exec(args[1], args[2:]...); err == nil && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s never showed %s", strings.Join(args[1:], " "), args[0])
		}
	}
}

// hasMode checks the permissions of a file: mode 600 FILE.
func hasMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// execSQL changes a database behind the back of all servers: sql own/stdops.db 'DELETE FROM fork'.
func execSQL(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite3", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = db.ExecContext(context.Background(), args[1])
	ts.Check(errors.Join(err, db.Close()))
}

// oldData makes the data directory of a server of an early version: olddata DIR.
func oldData(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.Mkdir(ts.MkAbs(args[0]), 0o700))
	for _, name := range []string{"stdops.db", "key"} {
		packed, err := os.Open(filepath.Join("../../internal/app/testdata/record/schema1", name+".gz"))
		ts.Check(err)
		defer packed.Close()
		r, err := gzip.NewReader(packed)
		ts.Check(err)
		text, err := io.ReadAll(r)
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), name), text, 0o600))
	}
}
