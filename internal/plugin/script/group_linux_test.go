package script

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// needGroups skips where no control groups can be made: that is no gap in what is installed, so CI does without them too.
func needGroups(t *testing.T) {
	t.Helper()
	needLinux(t)
	probe := &job{Group: newGroup(newName())}
	group := probe.makeGroup()
	if group == nil {
		t.Skip("no control group (v2) of this host is delegated to the user of the tests")
	}
	_ = group.Close()
	probe.removeGroup()
}

// groupAt gives the directory of the control group of a script, by what the kernel says of one of its processes.
func groupAt(t *testing.T, cgroup string) (dir string) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	own := groupOf(cgroup)
	if !strings.HasPrefix(filepath.Base(own), "stdops-script-") {
		t.Errorf("the script runs in the control group %q\n%s", own, cgroup)
	}
	return filepath.Join(mountOfGroups(string(mounts)), own)
}

func gone(dir string) bool {
	_, err := os.Stat(dir)
	return errors.Is(err, fs.ErrNotExist)
}

// A script has a control group of its own, from its first moment to its end.
func TestScriptHasAControlGroup(t *testing.T) {
	t.Parallel()
	needGroups(t)
	everybody(t, func(t *testing.T, as *As) {
		a := newAttempt(t, "script", "cat /proc/self/cgroup; setsid sleep 9999 &").as(t.Context(), as)
		if a.err != nil {
			t.Error(a.err)
		}
		if !gone(groupAt(t, a.stdout())) {
			t.Error("the control group is still there")
		}
	})
}

// What a script left in the background does not outlive a guard that it has killed.
func TestControlGroupEndsWithoutItsGuard(t *testing.T) {
	t.Parallel()
	needGroups(t)
	for name, background := range runaways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAttempt(t, "script", "cat /proc/self/cgroup;"+background+"; kill -KILL $PPID; exec sleep 9999").as(t.Context(), own())
			if !strings.Contains(a.errorText(), "what became of the script is not known") {
				t.Error(a.err)
			}
			if left := processesOf(t, a.call.Key); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if !gone(groupAt(t, a.stdout())) {
				t.Error("the control group is still there")
			}
		})
	}
}

// A server that is killed leaves no control group, whose processes are gone.
func TestKilledServerLeavesNoControlGroup(t *testing.T) {
	t.Parallel()
	needGroups(t)
	everybody(t, func(t *testing.T, as *As) {
		key := fmt.Sprintf("%s-%d", t.Name(), os.Getpid())
		server := startServer(t, as, key)
		pid, _, _ := strings.Cut(processesOf(t, key)[0], " ")
		text, err := os.ReadFile("/proc/" + pid + "/cgroup")
		if err != nil {
			t.Error(err)
		}
		group := groupAt(t, string(text))
		if err := server.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = server.Wait() // it was killed
		for deadline := time.Now().Add(30 * time.Second); !gone(group); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("left behind: %s", group)
			}
		}
	})
}

// newTestGroup makes a control group for tests that run in a process of their own.
func newTestGroup(t *testing.T) (dir string, open *os.File) {
	t.Helper()
	needGroups(t)
	dir = newGroup("stdops-test-" + newName())
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	open, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(open.Close(), syscall.Rmdir(dir)); err != nil {
			t.Error(err)
		}
	})
	return dir, open
}

// testsIn runs tests in a control group, and looks whether those have passed, or were skipped, that should be.
func testsIn(t *testing.T, group *os.File, as *As, run string, results ...string) {
	t.Helper()
	out, err := separately(t, as, &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())}, "-test.run", run)
	for _, result := range results {
		if !strings.Contains(out, "--- "+result) {
			t.Errorf("no %q: %v\n%s", result, err, out)
		}
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The same for a user who may nothing but divide a control group that was handed over.
func TestControlGroupOfAPlainUser(t *testing.T) {
	t.Parallel()
	as := nobody(t)
	dir, group := newTestGroup(t)
	for _, file := range []string{"", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"} {
		if err := os.Chown(filepath.Join(dir, file), int(as.uid), int(as.gid)); err != nil {
			t.Fatal(err)
		}
	}
	testsIn(t, group, as, "Process$|Group", "PASS: TestScriptHasAControlGroup/same-user", "PASS: TestControlGroupEndsWithoutItsGuard",
		"PASS: TestScriptsLeaveNoProcess/same-user")
}

// Where the control group of the server cannot be divided, its guards end scripts without.
func TestNoControlGroup(t *testing.T) {
	t.Parallel()
	nobody(t) // tells what is missing without root
	dir, group := newTestGroup(t)
	if err := os.WriteFile(filepath.Join(dir, "cgroup.max.descendants"), []byte("0"), 0); err != nil {
		t.Fatal(err)
	}
	testsIn(t, group, own(), "Process$|AControlGroup$", "SKIP: TestScriptHasAControlGroup", "PASS: TestScriptsLeaveNoProcess/as_another_user",
		"PASS: TestScriptsLeaveNoProcess/same-user", "PASS: TestKilledServerLeavesNoProcess/as_another_user")
}

// Where a control group cannot be had, or a sandbox refuses to begin in one, a script runs without.
func TestScriptRunsWithoutAControlGroup(t *testing.T) {
	t.Parallel()
	needLinux(t)
	for name, group := range map[string]string{
		"none":                 "",
		"in no directory":      filepath.Join(t.TempDir(), "missing", "group"),
		"that is no group":     filepath.Join(t.TempDir(), "directory"),
		"that exists already":  t.TempDir(),
		"that is not writable": "/proc/group",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := (shell{own()}).job(newAttempt(t).call, &order{script: "echo ok", interpreter: []string{defaultInterpreter}})
			j.Group = group
			stdout, stderr := newStream(&lockedText{}), newStream(&lockedText{})
			r, err := execute(t.Context(), j, stdout, stderr)
			if err != nil || r.Exit != 0 || stdout.tail() != "ok\n" {
				t.Errorf("%+v, %v, stdout %q, stderr %q", r, err, stdout.tail(), stderr.tail())
			}
		})
	}
}

func TestGroupOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "",
		"1:cpu:/a\n0::/system.slice/stdops.service\n": "/system.slice/stdops.service",
		"0::/\n":         "/",
		"0::/../other\n": "", // of a process outside of what its namespace shows
	} {
		if got := groupOf(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"24 19 0:22 / /sys/fs/cgroup rw,nosuid shared:5 - cgroup2 cgroup2 rw\n":                                              "/sys/fs/cgroup",
		"24 19 0:22 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n25 19 0:23 / /sys/fs/cgroup/unified rw - cgroup2 c rw": "/sys/fs/cgroup/unified",
		"24 19 0:22 /part /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n":                                                          "",
		"": "",
	} {
		if got := mountOfGroups(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
