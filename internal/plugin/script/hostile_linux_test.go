package script

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stdops/stdops/internal/plugin"
)

// Outputs can be opened by name too, as many scripts do.
func TestScriptOpensItsOutputs(t *testing.T) {
	t.Parallel()
	everybody(t, func(t *testing.T, as *As) {
		a := newAttempt(t, "script", "echo out >/dev/stdout; echo err >/dev/stderr").as(t.Context(), as)
		if a.err != nil || a.stdout() != "out\n" || a.stderr() != "err\n" {
			t.Errorf("%v, stdout %q, stderr %q", a.err, a.stdout(), a.stderr())
		}
	})
}

// A directory that its owner may not write to is removed like any other: caches of build tools are made of such.
func TestScriptLeavesNoClosedDirectories(t *testing.T) {
	t.Parallel()
	everybody(t, func(t *testing.T, as *As) {
		a := newAttempt(t, "script", "pwd; mkdir -p a/b c; echo x > a/b/f; chmod 500 a/b; chmod 0 a; ln -s /usr c/l; chmod 400 c; chmod 500 .").as(t.Context(), as)
		if _, err := os.Lstat(strings.TrimSpace(a.stdout())); a.err != nil || !os.IsNotExist(err) {
			t.Errorf("%v, %v\n%s", a.err, err, a.log)
		}
	})
}

// What a script leaves is removed also when its guard has ended before it.
func TestScriptLeavesNoFilesWithoutItsGuard(t *testing.T) {
	t.Parallel()
	needLinux(t)
	a := newAttempt(t, "script", "pwd; kill -KILL $PPID; exec sleep 9999").as(t.Context(), own())
	dir := strings.TrimSpace(a.stdout())
	if _, err := os.Lstat(dir); dir == "" || !os.IsNotExist(err) {
		t.Errorf("%q: %v, %v", dir, a.err, err)
	}
}

// A call does not wait for a word of a guard that has gone, whoever holds the way by which it would come: a script of the same
// user can, and so does this test.
func TestScriptHoldsNoCallUp(t *testing.T) {
	t.Parallel()
	needLinux(t)
	held := filepath.Join(t.TempDir(), "held")
	a := newAttempt(t, "script", "echo guard $PPID.; while [ ! -e \"$1\" ]; do sleep 0.01; done; kill -KILL $PPID; exec sleep 9999", "args", []any{held})
	done := make(chan *attempt)
	go func() { done <- a.as(t.Context(), own()) }()
	awaitLog(t, a, ".\n")
	_, pid, _ := strings.Cut(a.log.String(), "guard ")
	pid, _, _ = strings.Cut(pid, ".")
	way, err := os.OpenFile("/proc/"+pid+"/fd/4", os.O_WRONLY, 0)
	if err != nil {
		t.Error(err)
	}
	defer way.Close()
	if err := os.WriteFile(held, nil, 0o600); err != nil {
		t.Error(err)
	}
	if <-done; !strings.Contains(a.errorText(), "what became of the script is not known") {
		t.Errorf("%v\n%s", a.err, a.log)
	}
}

// A guard that ends before it has read its job holds nobody up, however long the job is.
func TestGuardThatReadsNoJob(t *testing.T) {
	t.Parallel()
	needLinux(t)
	guard := exec.CommandContext(t.Context(), "/bin/sh", "-c", "exit 7")
	r, err := start(guard, []byte(strings.Repeat("x", 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	if err := guard.Wait(); err == nil {
		t.Error("the guard has not failed")
	}
	if out := r.end(); out.Told {
		t.Errorf("%+v", out)
	}
}

// What is not known of a script that was ended is told with why it was.
func TestScriptIsEndedWithoutItsGuard(t *testing.T) {
	t.Parallel()
	needLinux(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	a := newAttempt(t, "script", "trap 'kill -KILL $PPID' TERM; sleep 9999 & echo on; wait")
	done := make(chan *attempt)
	go func() { done <- a.as(ctx, own()) }()
	awaitLog(t, a, "on\n")
	cancel(plugin.ErrRevoked)
	<-done
	if text := a.errorText(); !strings.Contains(text, plugin.ErrRevoked.Error()) || !strings.Contains(text, "what became of the script is not known") {
		t.Error(text)
	}
}

// When memory runs out the kernel ends a script before its guard, which has to end the rest.
func TestScriptIsEndedBeforeItsGuard(t *testing.T) {
	t.Parallel()
	needLinux(t)
	before, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		t.Fatal(err)
	}
	everybody(t, func(t *testing.T, as *As) {
		a := newAttempt(t, "script", "cat /proc/$$/oom_score_adj; while [ \"$(cat /proc/$PPID/oom_score_adj)\" != \"$1\" ]; do sleep 0.01; done",
			"args", strings.TrimSpace(string(before)), "timeout", int64(30)).as(t.Context(), as)
		if a.err != nil || a.stdout() != "500\n" {
			t.Errorf("%v, stdout %q, stderr %q", a.err, a.stdout(), a.stderr())
		}
	})
}
