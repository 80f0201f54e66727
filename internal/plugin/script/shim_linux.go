package script

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// guard is the parent of a script.
type guard struct {
	job    job
	orders <-chan time.Duration // grace of each order to stop; closed when the server is gone
	died   chan os.Signal       // a child has ended
	leader int                  // pid of the script, and of its group and session
	made   bool                 // the private directory
	oom    []byte               // how readily the kernel ended this process before it was prepared
}

// Shim runs this process as the guard of one script and gives its exit code. The job, and the result, travel by files 3
// and 4, so neither is seen in lists of processes.
func Shim() int {
	runtime.LockOSThread() // some of what a child inherits belongs to the thread that starts it
	// Before anything else: what the server has inherited from others must not reach a script.
	if err := unix.CloseRange(controlFile, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return refuse("close files: %v", err)
	}
	// Those who end all processes of a service mean the server, which then ends its scripts in its own time. (To ignore the
	// signals would make the script ignore them too.)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	control, results := os.NewFile(controlFile, "control"), os.NewFile(resultFile, "result")
	in := bufio.NewReader(control)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return refuse("this command is run by stdops serve only")
	}
	g := &guard{died: make(chan os.Signal, 1), orders: readOrders(in)}
	if err := json.Unmarshal(line, &g.job); err != nil {
		return refuse("read job: %v", err)
	}
	signal.Notify(g.died, syscall.SIGCHLD)
	r := g.run()
	r.Told = true
	if err := json.NewEncoder(results).Encode(r); err != nil && !errors.Is(err, syscall.EPIPE) {
		return refuse("tell result: %v", err)
	}
	return 0
}

func refuse(format string, args ...any) int {
	fmt.Fprintf(os.Stderr, "stdops "+ShimCommand+": "+format+"\n", args...)
	return 2
}

func readOrders(in *bufio.Reader) <-chan time.Duration {
	orders := make(chan time.Duration)
	go func() {
		defer close(orders)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if text, ok := strings.CutPrefix(strings.TrimSpace(line), stopOrder); ok {
				grace, err := time.ParseDuration(text)
				if err != nil {
					return
				}
				orders <- grace
			}
		}
	}()
	return orders
}

// run runs the script to its end and leaves nothing of it.
func (g *guard) run() (r result) {
	defer func() {
		if g.job.Group != "" {
			_ = syscall.Rmdir(g.job.Group)
		}
		if g.made {
			r.Left = g.job.removeDir()
		}
	}()
	if err := g.prepare(); err != nil {
		return result{Error: err.Error()}
	}
	if err := g.start(); err != nil {
		return result{Error: err.Error()}
	}
	g.goAhead()
	g.await()
	return g.end()
}

// oomFile says how readily the kernel ends a process when memory runs out.
const oomFile = "/proc/self/oom_score_adj"

// goAhead has the guard served before others, and ended after the script: a storm of forks leaves little time, or memory, to
// anybody. Before the script has begun it would inherit this. Where it is not allowed it goes without.
func (g *guard) goAhead() {
	_ = os.WriteFile(oomFile, g.oom, 0)
	_ = syscall.Setpriority(syscall.PRIO_PGRP, 0, -20)         // all threads
	_ = os.WriteFile("/proc/self/autogroup", []byte("-20"), 0) // what counts between sessions
}

// prepare makes of this process what its children are to inherit.
func (g *guard) prepare() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	// The kernel is to end a script before it ends the server. Not to be told so is no reason to fail.
	g.oom, _ = os.ReadFile(oomFile)
	_ = os.WriteFile(oomFile, []byte("500"), 0)
	if err := g.makeDir(); err != nil {
		return fmt.Errorf("make private directory: %w", err)
	}
	syscall.Umask(0o077)
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil && !errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("give up capabilities: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("refuse new privileges: %w", err)
	}
	return leaveKeys()
}

// leaveKeys changes to an empty session keyring. Who has one may use the keys in it as another user too.
func leaveKeys() error {
	_, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
	if err != nil && !errors.Is(err, syscall.ENOSYS) && !errors.Is(err, syscall.EPERM) { // no keyrings: not in this kernel, or in a container
		return fmt.Errorf("leave session keyring: %w", err)
	}
	return nil
}

// limited calls do under the limits that the script is to have. Root is not bound by that of processes, so a guard of
// another user's script keeps it; one that shares its user with the script takes it back, since it must still get the
// threads that it needs to end a storm of forks.
func (g *guard) limited(do func() error) error {
	present, err := tasksOf(g.job.UID)
	if err != nil {
		return fmt.Errorf("count processes: %w", err)
	}
	for resource, most := range map[int]uint64{unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: maxFiles} {
		if _, err := lower(resource, most, true); err != nil {
			return err
		}
	}
	before, err := lower(unix.RLIMIT_NPROC, uint64(present)+maxProcesses, g.job.Switch)
	if err != nil {
		return err
	}
	if g.job.Switch {
		return do()
	}
	defer func() { _ = syscall.Setrlimit(unix.RLIMIT_NPROC, &before) }() // up to its own upper limit, which any process may do
	return do()
}

// lower sets a limit, for good or so that it can be raised again, and gives what it was before.
func lower(resource int, most uint64, forGood bool) (before syscall.Rlimit, err error) {
	if err := syscall.Getrlimit(resource, &before); err != nil {
		return before, fmt.Errorf("read limit %d: %w", resource, err)
	}
	after := syscall.Rlimit{Cur: min(before.Max, most), Max: before.Max}
	if forGood {
		after.Max = after.Cur
	}
	if err := syscall.Setrlimit(resource, &after); err != nil {
		return before, fmt.Errorf("set limit %d: %w", resource, err)
	}
	return before, nil
}

// makeDir makes a directory that only the script's user can look into, with the script in it.
func (g *guard) makeDir() (err error) {
	if err := os.Mkdir(g.job.Private, 0o700); err != nil {
		return err
	}
	g.made = true
	file := g.scriptFile()
	if err := os.WriteFile(file, []byte(g.job.Script), 0o600); err != nil {
		return err
	}
	if !g.job.Switch {
		return nil
	}
	for _, name := range []string{file, g.job.Private} {
		if err := os.Lchown(name, int(g.job.UID), int(g.job.GID)); err != nil {
			return err
		}
	}
	return nil
}

func (g *guard) scriptFile() string { return g.job.Private + "/script" }

func (g *guard) start() (err error) {
	program, err := g.find(g.job.Interpreter[0])
	if err != nil {
		return err
	}
	argv := append(append(append([]string{}, g.job.Interpreter...), g.scriptFile()), g.job.Args...)
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	attr := &syscall.ProcAttr{
		Dir: g.job.Dir, Env: merged([]string{"TMPDIR=" + g.job.Private}, g.job.Env),
		Files: []uintptr{null.Fd(), 1, 2},
		Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}, // were this process to be killed
	}
	if attr.Dir == "" {
		attr.Dir = g.job.Private
	}
	if g.job.Switch {
		attr.Sys.Credential = &syscall.Credential{Uid: g.job.UID, Gid: g.job.GID} // no other groups
		for _, output := range []int{1, 2} {                                      // which scripts open again, as /dev/stderr
			if err := syscall.Fchown(output, int(g.job.UID), int(g.job.GID)); err != nil {
				return fmt.Errorf("hand over outputs: %w", err)
			}
		}
	}
	return g.limited(func() (err error) {
		if g.leader, err = g.fork(program, argv, attr); err != nil {
			return fmt.Errorf("start %s in %s: %w", program, attr.Dir, err)
		}
		return nil
	})
}

// fork starts the script in its control group, or without one where that cannot be had.
func (g *guard) fork(program string, argv []string, attr *syscall.ProcAttr) (leader int, err error) {
	if group := g.job.makeGroup(); group != nil {
		defer group.Close()
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, int(group.Fd())
		if leader, err = syscall.ForkExec(program, argv, attr); err == nil {
			return leader, nil
		}
		attr.Sys.UseCgroupFD = false // a sandbox may refuse it; what else is wrong shows again
	}
	return syscall.ForkExec(program, argv, attr)
}

// find gives the path of an interpreter that is named without one.
func (g *guard) find(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for dir := range strings.SplitSeq(searchPath, ":") {
		if info, err := os.Stat(dir + "/" + name); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return dir + "/" + name, nil
		}
	}
	return "", fmt.Errorf("interpreter %q is not in %s", name, searchPath)
}

// reapPause is the least time between two looks for orphans that have ended.
const reapPause = 200 * time.Millisecond

// await returns when the script has ended or is to be ended. Orphans that end meanwhile are reaped.
func (g *guard) await() {
	var kill, reap <-chan time.Time
	orders := g.orders
	for !g.leaderEnded() {
		select {
		case <-g.died:
			if reap == nil {
				reap = time.After(reapPause)
			}
		case <-reap:
			reap = nil
			g.reapOrphans()
		case grace, more := <-orders:
			if !more {
				return
			}
			_ = syscall.Kill(-g.leader, syscall.SIGTERM)
			_ = syscall.Kill(-g.leader, syscall.SIGCONT) // one that was stopped could not hear it
			if kill == nil {
				kill = time.After(grace)
			}
		case <-kill:
			return
		}
	}
}

// leaderEnded looks without reaping: as long as the leader is not reaped its number, and that of its group, is nobody else's.
func (g *guard) leaderEnded() bool {
	var info unix.Siginfo
	err := ignoringInterrupts(func() error {
		return unix.Waitid(unix.P_PID, g.leader, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	})
	return err != nil || info.Signo != 0
}

func ignoringInterrupts(do func() error) error {
	for {
		if err := do(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// reapOrphans takes up children that have ended, all but the leader.
func (g *guard) reapOrphans() {
	all, err := processes()
	if err != nil {
		return // the next time
	}
	for _, p := range all {
		if p.zombie && p.parent == os.Getpid() && p.pid != g.leader {
			_, _ = syscall.Wait4(p.pid, nil, syscall.WNOHANG, nil)
		}
	}
}

// endTime is how long processes may take to end once they were killed: one that waits for a disk or a network file system
// cannot be ended before that answers.
const endTime = 20 * time.Second

// leastPasses is how often at least they are killed before they are given up: in a storm of forks one pass may take seconds.
const leastPasses = 10

// end kills whatever there is of the script and returns when it is gone: when there is no child any more, there is nothing
// below them either. The first two kills reach all of its control group, and of its process group, however fast they fork.
func (g *guard) end() (r result) {
	if g.job.Group != "" {
		g.job.killGroup()
	}
	_ = syscall.Kill(-g.leader, syscall.SIGKILL)
	deadline, pause := time.Now().Add(endTime), time.Millisecond
	for pass := 0; ; pass++ {
		more, left := g.reap(&r)
		switch {
		case !left:
			return r
		case pass > leastPasses && time.Now().After(deadline):
			r.Error = "processes of the script could not be ended, though they were killed"
			return r
		}
		endBelow(os.Getpid())
		if more {
			continue
		}
		select {
		case <-g.died:
		case <-time.After(pause):
		}
		pause = min(2*pause, 100*time.Millisecond)
	}
}

// reapAtOnce is how many children are taken up before the next kill: a storm of forks leaves some faster than they can be.
const reapAtOnce = 256

// reap takes up children that have ended. It tells whether there may be more of them, and whether there is any child left.
func (g *guard) reap(r *result) (more, left bool) {
	for range reapAtOnce {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil: // no child any more
			return false, false
		case pid == 0:
			return false, true
		case pid == g.leader:
			r.Exit, r.Signal = outcomeOf(status)
		}
	}
	return true, true
}

func outcomeOf(status syscall.WaitStatus) (exit int, by string) {
	if status.Signaled() {
		return 128 + int(status.Signal()), unix.SignalName(status.Signal())
	}
	return status.ExitStatus(), ""
}
