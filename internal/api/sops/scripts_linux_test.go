package sops_test

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A server of root runs the lines of bad input about scripts as another user, in TestBadInputs. Here a server of a plain user
// runs them as itself. Without root, TestBadInputs is that server.
func TestBadScriptsOfAPlainUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("the tests run as a plain user already")
	}
	plain, err := user.Lookup("lp") // whom no other test uses: a storm of forks fills what a user may have
	must(t, err)
	uid, err := strconv.ParseUint(plain.Uid, 10, 32)
	must(t, err)
	gid, err := strconv.ParseUint(plain.Gid, 10, 32)
	must(t, err)
	dir := t.TempDir()
	for _, open := range []string{filepath.Dir(dir), dir} { // below it are the directories of the tests
		must(t, os.Chmod(open, 0o777))
	}
	must(t, os.Mkdir(filepath.Join(dir, "testdata"), 0o755))
	syscall.ForkLock.RLock() // a process that begins meanwhile would hold the file open for writing: it could not be run
	for from, to := range map[string]string{os.Args[0]: "sops.test", "testdata/badinputs.jsonl": "testdata/badinputs.jsonl"} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), text, 0o755)
		}
		if err != nil {
			t.Error(err)
		}
	}
	syscall.ForkLock.RUnlock()
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "sops.test"), "-test.v", "-test.run", "^TestBadInputs$/^(script-.*|expr-second-order)$")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME=/", "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	lines := 0
	for _, line := range badInputs(t) {
		if !strings.HasPrefix(line.Name, "script-") && line.Name != "expr-second-order" {
			continue
		}
		if lines++; !strings.Contains(string(out), "--- PASS: TestBadInputs/"+line.Name+" ") {
			t.Errorf("%s has not passed:\n%s", line.Name, out)
		}
	}
	if lines < 7 {
		t.Errorf("only %d lines", lines)
	}
}
