package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// lockedText is a log.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// attempt is one execute of the plugin.
type attempt struct {
	call *plugin.Call
	log  *lockedText
	err  error
}

// attempts numbers the attempts of this process, so that each has a key of its own.
var attempts atomic.Int64

func newAttempt(t *testing.T, inputs ...any) *attempt {
	t.Helper()
	a := &attempt{log: &lockedText{}}
	a.call = &plugin.Call{
		Key: fmt.Sprintf("7.1.%s-%d-%d.0", t.Name(), os.Getpid(), attempts.Add(1)), Inputs: stdops.NewObject(inputs...), Outputs: &stdops.Object{}, Zone: time.UTC, Log: a.log,
		Variables: &stdops.Object{},
	}
	return a
}

func (a *attempt) as(ctx context.Context, as *As) *attempt {
	_, a.err = New(as).Execute(ctx, a.call)
	return a
}

func (a *attempt) exit() any         { v, _ := a.call.Outputs.Get("exit_code"); return v }
func (a *attempt) stdout() string    { return a.call.Outputs.Text("stdout") }
func (a *attempt) stderr() string    { return a.call.Outputs.Text("stderr") }
func (a *attempt) errorText() string { return fmt.Sprint(a.err) }

// everybody runs a test as the user of the tests, and as nobody where that is possible: only root may.
func everybody(t *testing.T, do func(t *testing.T, as *As)) {
	t.Helper()
	needLinux(t)
	t.Run(sameUser, func(t *testing.T) {
		t.Parallel()
		as, err := ParseAs(sameUser)
		if err != nil {
			t.Fatal(err)
		}
		do(t, as)
	})
	t.Run("as another user", func(t *testing.T) {
		t.Parallel()
		do(t, nobody(t))
	})
}

func needLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("scripts run on Linux only")
	}
}

func nobody(t *testing.T) *As { return otherUser(t, "nobody") }

// otherUser is a user that scripts run as when a test runs as root. Without root there is none; in CI that is a failure.
func otherUser(t *testing.T, name string) *As {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" && os.Getenv(plainVariable) == "" {
			t.Fatal("CI has to run as root: only root may run scripts as another user")
		}
		t.Skip("only root may run scripts as another user")
	}
	as, err := ParseAs(userPrefix + name)
	if err != nil {
		t.Fatal(err)
	}
	return as
}

// plainVariable marks the run of the tests that TestAsAPlainUser starts.
const plainVariable = "STDOPS_SCRIPT_TEST_PLAIN"

// The tests run a second time as a user who may nothing: what ends processes must not rest on what only root may.
func TestAsAPlainUser(t *testing.T) {
	t.Parallel()
	out, err := separately(t, nobody(t), &syscall.SysProcAttr{})
	if err != nil || !strings.Contains(out, "--- PASS: TestScriptsLeaveNoProcess/same-user") {
		t.Errorf("%v\n%s", err, out)
	}
}

// separately runs tests in a process of their own, as a user. What is in attr goes along.
func separately(t *testing.T, as *As, attr *syscall.SysProcAttr, args ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for _, open := range []string{filepath.Dir(dir), dir} { // below it are the directories of the tests
		if err := os.Chmod(open, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "script.test")
	syscall.ForkLock.RLock() // a process that begins meanwhile would hold the file open for writing: it could not be run
	err = os.WriteFile(copied, binary, 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), copied, append(args, "-test.v", "-orphans", strconv.Itoa(*orphans))...)
	cmd.Dir, cmd.Env = "/", append(os.Environ(), plainVariable+"=1", "HOME=/", "TMPDIR="+dir)
	attr.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid}
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestScript(t *testing.T) {
	t.Parallel()
	everybody(t, func(t *testing.T, as *As) {
		for _, c := range []struct {
			name           string
			inputs         []any
			exit           any
			stdout, stderr string
			fails          string
		}{
			{name: "output", inputs: []any{"script", "echo out; echo err >&2"}, exit: int64(0), stdout: "out\n", stderr: "err\n"},
			{name: "a failure", inputs: []any{"script", "echo first >&2; echo 'it is broken' >&2; exit 3"}, exit: int64(3), stderr: "first\nit is broken\n", fails: "exit code 3: it is broken"},
			{name: "a failure without words", inputs: []any{"script", "exit 1"}, exit: int64(1), fails: "exit code 1"},
			{name: "a signal", inputs: []any{"script", "kill -USR1 $$"}, exit: int64(138), fails: "ended by SIGUSR1"},
			{name: "arguments", inputs: []any{"script", `printf '%s|' "$@"`, "args", []any{"a b", int64(2), true, "-x"}}, exit: int64(0), stdout: "a b|2|true|-x|"},
			{name: "arguments as lines", inputs: []any{"script", `printf '%s|' "$@"`, "args", "a b\r\n\nc"}, exit: int64(0), stdout: "a b|c|"},
			{name: "environment", inputs: []any{"script", `echo "$A $B $PATH"`, "env", stdops.NewObject("A", "x y", "B", int64(1), "PATH", "/p")}, exit: int64(0), stdout: "x y 1 /p\n"},
			{name: "environment as lines", inputs: []any{"script", `echo "$A"`, "env", "A=x=y\n"}, exit: int64(0), stdout: "x=y\n"},
			{name: "directory", inputs: []any{"script", "pwd", "cwd", "/usr"}, exit: int64(0), stdout: "/usr\n"},
			{name: "another interpreter", inputs: []any{"script", "BEGIN { print \"awk\" }", "interpreter", "awk -f"}, exit: int64(0), stdout: "awk\n"},
			{name: "a script that is no text", inputs: []any{"script", "printf '\\377\\376\\000ok'"}, exit: int64(0), stdout: "\uFFFD\uFFFDok"},
			{name: "input", inputs: []any{"script", "cat; echo end"}, exit: int64(0), stdout: "end\n"},
			{name: "a mask for files", inputs: []any{"script", "umask"}, exit: int64(0), stdout: "0077\n"},
			{name: "no core files", inputs: []any{"script", "ulimit -c"}, exit: int64(0), stdout: "0\n"},
			{name: "no new privileges", inputs: []any{"script", "grep NoNewPrivs /proc/self/status"}, exit: int64(0), stdout: "NoNewPrivs:\t1\n"},
			{name: "no files but three", inputs: []any{"script", "for f in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$f ] && readlink /proc/$$/fd/$f; done; true"}, exit: int64(0)},
			{name: "a missing interpreter", inputs: []any{"script", "x", "interpreter", "/no/such"}, fails: "start /no/such"},
			{name: "an unknown interpreter", inputs: []any{"script", "x", "interpreter", "nosuch"}, fails: `interpreter "nosuch" is not in /usr/local/sbin`},
			{name: "a missing directory", inputs: []any{"script", "x", "cwd", "/no/such"}, fails: "in /no/such: no such file"},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				a := newAttempt(t, c.inputs...).as(t.Context(), as)
				if c.name == "no files but three" {
					// The shell may have the script open, and what it duplicates to read it.
					if strings.Contains(a.stdout(), "pipe:") || strings.Contains(a.stdout(), "socket:") || a.err != nil {
						t.Errorf("files: %q, %v", a.stdout(), a.err)
					}
					return
				}
				if a.exit() != c.exit || a.stdout() != c.stdout || a.stderr() != c.stderr {
					t.Errorf("exit %v, stdout %q, stderr %q, %v", a.exit(), a.stdout(), a.stderr(), a.err)
				}
				if (a.err != nil) != (c.fails != "") || !strings.Contains(a.errorText(), c.fails) && c.fails != "" {
					t.Errorf("error %v, want %q", a.err, c.fails)
				}
			})
		}
	})
}

func TestScriptRefusesInputs(t *testing.T) {
	t.Parallel()
	for want, inputs := range map[string][]any{
		"script: it is empty":                  {"script", " \n"},
		"timeout: 0 is not":                    {"script", "x", "timeout", int64(0)},
		"timeout: 2592001 is not":              {"script", "x", "timeout", "2592001"},
		"timeout: soon is not":                 {"script", "x", "timeout", "soon"},
		"args: number 2 is neither":            {"script", "x", "args", []any{"a", []any{}}},
		"args: a list is expected":             {"script", "x", "args", &stdops.Object{}},
		"env: \"A B\" is no name":              {"script", "x", "env", "A B=1"},
		"env: \"A\" is no name":                {"script", "x", "env", "A"},
		"env: A is neither":                    {"script", "x", "env", stdops.NewObject("A", []any{})},
		"env: an object is expected":           {"script", "x", "env", []any{}},
		"must not hold zero bytes":             {"script", "x", "args", []any{"a\x00b"}},
		"cwd: \"here\" is no absolute path":    {"script", "x", "cwd", "here"},
		"one of args and env has 200000 bytes": {"script", "x", "args", []any{strings.Repeat("x", 200_000)}},
	} {
		a := newAttempt(t, inputs...).as(t.Context(), own())
		if !strings.Contains(a.errorText(), want) {
			t.Errorf("%v: %v, want %q", inputs, a.err, want)
		}
	}
}

// The environment is made of nothing: neither a script nor whoever looks at the guard finds what the server was given.
func TestScriptHasAnEnvironmentOfItsOwn(t *testing.T) {
	t.Setenv("STDOPS_BOOTSTRAP_APP_SECRET", "hidden-in-the-server")
	t.Setenv("DATABASE_URL", "hidden-in-the-server")
	for _, as := range users(t) {
		a := newAttempt(t, "script", "env; tr '\\0' '\\n' < /proc/$PPID/environ; tr '\\0' ' ' < /proc/$PPID/cmdline; true")
		a.call.Variables = stdops.NewObject("name", "it's; rm -rf /", "list", []any{int64(1), "x"}, "no-name", "y", "big", strings.Repeat("x", maxString))
		a.as(t.Context(), as)
		if a.err != nil || strings.Contains(a.stdout(), "hidden") {
			t.Errorf("%v\n%s", a.err, a.stdout())
		}
		for _, want := range []string{
			"STDOPS_IDEMPOTENCY_KEY=" + a.call.Key + "\n", "STDOPS_VAR_name=it's; rm -rf /\n", "STDOPS_VAR_list=[1,\"x\"]\n",
			"PATH=" + searchPath + "\n", "USER=" + as.Name + "\n", "HOME=" + as.Home + "\n", "stdops exec-shim ",
		} {
			if !strings.Contains(a.stdout(), want) {
				t.Errorf("as %s: no %q in\n%s", as.Name, want, a.stdout())
			}
		}
		if log := a.log.String(); !strings.Contains(log, "variable no-name is not") || !strings.Contains(log, "variable big is not") {
			t.Errorf("log: %s", log)
		}
	}
}

// What the input env replaces is not there a second time: which of two a program takes is anybody's guess.
func TestScriptFindsEachVariableOnce(t *testing.T) {
	t.Parallel()
	needLinux(t)
	a := newAttempt(t, "script", "tr '\\0' '\\n' < /proc/$$/environ | grep -e ^TMPDIR= -e ^LANG=", "env", "TMPDIR=/x\nLANG=C").as(t.Context(), users(t)[0])
	if a.err != nil || a.stdout() != "TMPDIR=/x\nLANG=C\n" {
		t.Errorf("%v\n%s", a.err, a.stdout())
	}
}

// users are those that scripts can run as here.
func users(t *testing.T) []*As {
	t.Helper()
	needLinux(t)
	list := []*As{own()}
	if os.Geteuid() == 0 {
		list = append(list, nobody(t))
	}
	return list
}

// A script of another user can do nothing that the server can.
func TestScriptOfAnotherUser(t *testing.T) {
	t.Parallel()
	as := nobody(t)
	secret := filepath.Join(t.TempDir(), "stdops.db")
	if err := os.WriteFile(secret, []byte("hidden"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := newAttempt(t, "script", `id -u; id -G; cat "$1"; cat /proc/$PPID/environ; kill -9 $PPID; cat /etc/shadow; touch /usr/x; grep Cap /proc/self/status`,
		"args", []any{secret}).as(t.Context(), as)
	found, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	if want := found.Uid + "\n" + found.Gid + "\n"; !strings.HasPrefix(a.stdout(), want) || strings.Contains(a.stdout(), "hidden") {
		t.Errorf("stdout %q, want %q at the begin", a.stdout(), want)
	}
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
		if !strings.Contains(a.stdout(), set+":\t0000000000000000\n") {
			t.Errorf("%s is not empty:\n%s", set, a.stdout())
		}
	}
	if n := strings.Count(strings.ToLower(a.stderr()), "permission denied") + strings.Count(strings.ToLower(a.stderr()), "not permitted"); n < 5 {
		t.Errorf("%d of 5 were refused:\n%s", n, a.stderr())
	}
}

func TestScriptLeavesNoFiles(t *testing.T) {
	t.Parallel()
	everybody(t, func(t *testing.T, as *As) {
		a := newAttempt(t, "script", "echo $TMPDIR; pwd; stat -c '%a %u' .; mkdir -p a/b; echo x > a/b/c; ln -s / a/root; chmod 700 a").as(t.Context(), as)
		var dir, pwd, mode string
		if _, err := fmt.Sscanf(a.stdout(), "%s\n%s\n%s", &dir, &pwd, &mode); err != nil || dir != pwd || mode != "700" || !strings.HasPrefix(filepath.Base(dir), "stdops-script-") {
			t.Fatalf("stdout %q, stderr %q, %v", a.stdout(), a.stderr(), err)
		}
		if _, err := os.Lstat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	})
}

func TestScriptTellsTheEndOfLongOutput(t *testing.T) {
	t.Parallel()
	everybody(t, func(t *testing.T, as *As) {
		a := newAttempt(t, "script", "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; printf '\\001%.0s' 1 2 3 >&2").as(t.Context(), as)
		if len(a.stdout()) != maxTail || !strings.HasSuffix(a.stdout(), "\nline 19999\n") || a.stderr() != "\x01\x01\x01" {
			t.Errorf("%d bytes end with %q; %q", len(a.stdout()), a.stdout()[len(a.stdout())-20:], a.stderr())
		}
		log := a.log.String()
		if !strings.Contains(log, "line 0\n") || strings.Count(log, "line ") != 20000 || !strings.Contains(log, ": exit code 0 after ") {
			t.Errorf("log of %d bytes", len(log))
		}
	})
}

func TestStreamTail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		writes []string
		want   string
	}{
		"little":             {[]string{"a", "b"}, "ab"},
		"nothing":            {nil, ""},
		"more than it keeps": {[]string{strings.Repeat("a", maxTail-1), "bcd"}, strings.Repeat("a", maxTail-3) + "bcd"},
		"much at once":       {[]string{"x", strings.Repeat("a", maxTail+5) + "b"}, strings.Repeat("a", maxTail-1) + "b"},
		"around and around":  {[]string{strings.Repeat("a", maxTail-1), strings.Repeat("b", maxTail-1), "cd"}, strings.Repeat("b", maxTail-2) + "cd"},
		"half a character":   {[]string{"é" + strings.Repeat("a", maxTail-1)}, strings.Repeat("a", maxTail-1)},
		"what JSON writes with six bytes": {
			[]string{strings.Repeat("\x01", maxTail)}, strings.Repeat("\x01", maxTail-maxTail/4-(maxTail-maxTail/4)/4),
		},
	} {
		s := newStream(&lockedText{})
		for _, w := range c.writes {
			if n, err := s.Write([]byte(w)); n != len(w) || err != nil {
				t.Errorf("%s: wrote %d, %v", name, n, err)
			}
		}
		if got := s.tail(); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, len(got), len(c.want))
		}
		if text, err := stdops.EncodeValue(s.tail()); err != nil || len(text) > plugin.MaxOutput {
			t.Errorf("%s: %d bytes of JSON, %v", name, len(text), err)
		}
	}
}

func TestExecuteRule(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rerun any
		want  plugin.CrashRule
	}{{true, plugin.Repeat}, {"true", plugin.Repeat}, {false, plugin.Unknown}, {nil, plugin.Unknown}, {"yes", plugin.Unknown}, {int64(1), plugin.Unknown}} {
		if got := (shell{}).ExecuteRule(stdops.NewObject("rerun", c.rerun)); got != c.want {
			t.Errorf("rerun %v: rule %d", c.rerun, got)
		}
	}
}

func TestParseAs(t *testing.T) {
	t.Parallel()
	needLinux(t)
	for text, want := range map[string]string{
		"":              "neither",
		"yes":           "neither",
		"user:":         "neither",
		"user:root":     "is root",
		"user:nosuch-1": "there is no user",
	} {
		if os.Geteuid() != 0 && strings.HasPrefix(text, "user:") && text != "user:" {
			want = "needs a server that runs as root"
		}
		if _, err := ParseAs(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	as, err := ParseAs(sameUser)
	if err != nil || !as.Same || as.Root() != (os.Geteuid() == 0) {
		t.Errorf("%+v, %v", as, err)
	}
}

// Whatever ends a call, the script ends, and the reason is told.
func TestScriptIsEnded(t *testing.T) {
	t.Parallel()
	everybody(t, func(t *testing.T, as *As) {
		t.Run("after its time limit", func(t *testing.T) {
			t.Parallel()
			a := newAttempt(t, "script", "trap 'echo bye; exit 0' TERM; sleep 9999 & wait", "timeout", int64(1)).as(t.Context(), as)
			if a.errorText() != "the script was ended after its time limit of 1 seconds" || a.stdout() != "bye\n" {
				t.Errorf("%v, stdout %q", a.err, a.stdout())
			}
		})
		t.Run("when its call is ended", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			a := newAttempt(t, "script", "echo on; sleep 9999")
			done := make(chan *attempt)
			go func() { done <- a.as(ctx, as) }()
			awaitLog(t, a, "on\n")
			cancel(plugin.ErrRevoked)
			if <-done; !errors.Is(a.err, plugin.ErrRevoked) || a.exit() != int64(143) {
				t.Errorf("%v, exit %v", a.err, a.exit())
			}
		})
		t.Run("though it does not want to", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			a := newAttempt(t, "script", "trap '' TERM; echo on; while :; do sleep 1; done")
			done := make(chan *attempt)
			go func() { done <- a.as(ctx, as) }()
			awaitLog(t, a, "on\n")
			cancel(plugin.ErrStopping) // with which it has little time
			if <-done; a.exit() != int64(137) {
				t.Errorf("%v, exit %v", a.err, a.exit())
			}
		})
	})
}

func awaitLog(t *testing.T, a *attempt, text string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(a.log.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("the log never shows %q:\n%s", text, a.log)
			return
		}
	}
}
