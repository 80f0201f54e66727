package script

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

var orphans = flag.Int("orphans", 3, "how often TestScriptsLeaveNoProcess runs each script")

// processesOf lists the processes of an attempt, however far they went: each has the key of its call in its environment.
func processesOf(t *testing.T, key string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains("\x00"+string(text), "\x00"+keyVariable+"="+key+"\x00") {
			continue // it has ended, or belongs to others
		}
		name, _ := os.ReadFile(filepath.Dir(file) + "/cmdline")
		found = append(found, fmt.Sprintf("%s %q", filepath.Base(filepath.Dir(file)), name))
	}
	return found
}

// runaways are scripts whose processes go where a signal to their group does not reach them.
var runaways = map[string]string{
	"in its group":              "sleep 9999 & echo ok",
	"in a session of its own":   "setsid sleep 9999 & echo ok",
	"orphan of an orphan":       "(setsid sh -c 'setsid sleep 9999 & sleep 9999 &' &); echo ok",
	"deaf to TERM and HUP":      "setsid sh -c 'trap \"\" TERM HUP INT; while :; do sleep 9999; done' & echo ok",
	"stopped":                   "setsid sh -c 'kill -STOP $$; sleep 9999' & sleep 0.05; echo ok",
	"with its output elsewhere": "setsid sleep 9999 >/dev/null 2>&1 </dev/null & echo ok",
	"that forks on and on":      "setsid sh -c 'while :; do sleep 9999 & sleep 0.02; done' & sleep 0.1; echo ok",
}

// When a call has returned, nothing of its script is there any more, and nothing has held it up.
func TestScriptsLeaveNoProcess(t *testing.T) {
	t.Parallel()
	everybody(t, func(t *testing.T, as *As) {
		for name, text := range runaways {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for range *orphans {
					a := newAttempt(t, "script", text).as(t.Context(), as)
					if a.err != nil || a.stdout() != "ok\n" {
						t.Errorf("%v, stdout %q, stderr %q", a.err, a.stdout(), a.stderr())
					}
					if left := processesOf(t, a.call.Key); len(left) > 0 {
						t.Fatalf("left behind: %v", left)
					}
				}
			})
		}
	})
}

// The same, when the script is ended while it runs.
func TestEndedScriptsLeaveNoProcess(t *testing.T) {
	t.Parallel()
	everybody(t, func(t *testing.T, as *As) {
		for name, text := range runaways {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				a := newAttempt(t, "script", text+"; sleep 9999")
				done := make(chan *attempt)
				go func() { done <- a.as(ctx, as) }()
				awaitLog(t, a, "ok\n")
				cancel()
				<-done
				if left := processesOf(t, a.call.Key); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			})
		}
	})
}

const (
	serverVariable = "STDOPS_SCRIPT_TEST_SERVER" // makes the test binary run one script like a server, as the user that it names
	serverKey      = "STDOPS_SCRIPT_TEST_KEY"
)

// serveScript is the process that is killed.
func serveScript() {
	as, err := ParseAs(os.Getenv(serverVariable))
	if err != nil {
		panic(err)
	}
	var all []string
	for _, text := range runaways {
		all = append(all, text)
	}
	_, err = New(as).Execute(context.Background(), &plugin.Call{
		Key: os.Getenv(serverKey), Log: os.Stdout, Outputs: &stdops.Object{}, Variables: &stdops.Object{},
		Inputs: stdops.NewObject("script", strings.Join(all, "\n")+"\necho all are on\nsleep 9999"),
	})
	panic(err)
}

// startServer starts a process that runs the runaways, and returns when they run.
func startServer(t *testing.T, as *As, key string) *exec.Cmd {
	t.Helper()
	setting := sameUser
	if !as.Same {
		setting = userPrefix + as.Name
	}
	server := exec.CommandContext(t.Context(), os.Args[0])
	server.Env = append(os.Environ(), serverVariable+"="+setting, serverKey+"="+key)
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "all are on"; {
	}
	return server
}

// A server that is killed takes its scripts with it.
func TestKilledServerLeavesNoProcess(t *testing.T) {
	t.Parallel()
	everybody(t, func(t *testing.T, as *As) {
		key := fmt.Sprintf("%s-%d", t.Name(), os.Getpid())
		server := startServer(t, as, key)
		if len(processesOf(t, key)) < len(runaways) {
			t.Errorf("the script is not on its way: %v", processesOf(t, key))
		}
		if err := server.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = server.Wait() // it was killed
		for deadline := time.Now().Add(30 * time.Second); len(processesOf(t, key)) > 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("left behind: %v", processesOf(t, key))
			}
		}
	})
}

// A storm of forks meets its limit, and is over with its script. The limit does not bind root, so this runs as another user,
// one that no other test uses: the limit counts all processes of a user.
func TestForkStorm(t *testing.T) {
	t.Parallel()
	as := otherUser(t, "daemon")
	const sessions = `if [ "$1" = go ]; then trap "" TERM; while [ -e "$0" ]; do setsid sh "$0" go & done; fi
		setsid sh "$0" go </dev/null >/dev/null 2>&1 &
		sleep 1; echo fork >&2; exit 1`
	for name, text := range map[string]string{
		"that is waited for":       "i=0; while [ $i -lt 3000 ]; do sleep 9999 & i=$((i+1)); done",
		"in the background":        "f(){ f|f& };f; sleep 1; exit 1",
		"in sessions of their own": sessions, // ends with its script, also when the guard has given it up
	} {
		t.Run(name, func(t *testing.T) {
			a := newAttempt(t, "script", text, "timeout", int64(60)).as(t.Context(), as)
			if a.err == nil || !strings.Contains(strings.ToLower(a.stderr()), "fork") {
				t.Errorf("%v, stderr %.200q", a.err, a.stderr())
			}
			if left := processesOf(t, a.call.Key); len(left) > 0 {
				t.Errorf("%d processes left behind", len(left))
			}
			if a := newAttempt(t, "script", "ls / | wc -l").as(t.Context(), as); a.err != nil {
				t.Errorf("the next script: %v", a.err)
			}
		})
	}
}
