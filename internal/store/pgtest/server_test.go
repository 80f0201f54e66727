package pgtest

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func execute(t *testing.T, url, statement string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return err
	}
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), statement)
	return err
}

func TestServer_stops_and_starts(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	url := s.Database(t, "one", func(ctx context.Context, url string) error { return execute(t, url, "CREATE TABLE t (n int)") })
	for name, stop := range map[string]func() error{
		"fast":      func() error { return s.Stop(Fast) },
		"immediate": func() error { return s.Stop(Immediate) },
		"kill":      s.Kill,
	} {
		if err := execute(t, url, "INSERT INTO t VALUES (1)"); err != nil {
			t.Fatal(err)
		}
		if err := stop(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := execute(t, url, "SELECT 1"); err == nil {
			t.Errorf("%s: the server answers", name)
		}
		if err := s.Start(); err != nil {
			t.Fatalf("after %s: %v", name, err)
		}
	}
	if err := execute(t, url, "SELECT 1/(count(*) / 3) FROM t"); err != nil {
		t.Errorf("what was acknowledged: %v", err)
	}
}

func TestDatabase_gives_each_test_its_own(t *testing.T) {
	t.Parallel()
	s, calls := Shared(t), 0
	migrate := func(ctx context.Context, url string) error { calls++; return execute(t, url, "CREATE TABLE t (n int)") }
	for range 2 {
		if err := execute(t, s.Database(t, "own", migrate), "INSERT INTO t SELECT 1/(1-count(*)) FROM t"); err != nil {
			t.Error(err)
		}
	}
	if calls != 1 {
		t.Errorf("migrated %d times", calls)
	}
	if err := execute(t, s.Database(t, "empty", nil), "SELECT * FROM t"); err == nil {
		t.Error("an empty database has a table")
	}
}

// A server does not outlive the process that started it, and leaves no directory behind.
func TestServer_ends_with_its_process(t *testing.T) {
	t.Parallel()
	if os.Getenv("STDOPS_PGTEST_CHILD") != "" {
		s := Shared(t)
		_, _ = os.Stdout.WriteString("dir " + s.dir + " " + strconv.Itoa(s.running.Process.Pid) + "\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	_, err := programs()
	Need(t, err)
	cmd := exec.Command(os.Args[0], "-test.run=^TestServer_ends_with_its_process$")
	cmd.Env = append(os.Environ(), "STDOPS_PGTEST_CHILD=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 200)
	n, err := out.Read(line)
	fields := strings.Fields(string(line[:n]))
	if err != nil || len(fields) != 3 || fields[0] != "dir" {
		t.Fatalf("the child said %q, %v", line[:n], err)
	}
	dir, pid := fields[1], fields[2]
	number, _ := strconv.Atoi(pid)
	if !alive(number) {
		t.Fatalf("no process %s", pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) && !alive(number) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s or process %s is left", dir, pid)
		}
	}
}
