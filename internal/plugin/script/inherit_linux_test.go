package script

import (
	"errors"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Keys of whoever started the server are not for scripts of another user.
func TestScriptHasNoKeysOfTheServer(t *testing.T) {
	t.Parallel()
	needLinux(t)
	as := nobody(t)
	runtime.LockOSThread() // and never unlocked: the thread, which has a session keyring of its own now, ends with the test
	if _, err := unix.KeyctlJoinSessionKeyring("stdops-test-keys"); errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EPERM) {
		t.Skip("this kernel, or the sandbox around the test, has no keyrings")
	} else if err != nil {
		t.Fatal(err)
	}
	a := newAttempt(t, "script", "cat /proc/keys").as(t.Context(), as)
	if a.err != nil || strings.Contains(a.stdout(), "stdops-test-keys") {
		t.Errorf("%v\n%s", a.err, a.stdout())
	}
}

// A guard that is killed, when memory runs out for instance, takes the script with it.
func TestScriptEndsWithItsGuard(t *testing.T) {
	needLinux(t)
	t.Setenv("TMPDIR", t.TempDir()) // nobody is left to remove the private directory
	as, err := ParseAs(sameUser)
	if err != nil {
		t.Fatal(err)
	}
	a := newAttempt(t, "script", "kill -KILL $PPID; exec sleep 9999").as(t.Context(), as)
	if !strings.Contains(a.errorText(), "what became of the script is not known") {
		t.Error(a.errorText())
	}
	for deadline := time.Now().Add(30 * time.Second); len(processesOf(t, a.call.Key)) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("left behind: %v", processesOf(t, a.call.Key))
		}
	}
}
