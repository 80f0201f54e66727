package script

import (
	"errors"
	"runtime"
	"strings"
	"syscall"
	"testing"

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
