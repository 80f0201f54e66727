// Package pgtest runs a PostgreSQL of its own for tests: in a temporary directory, reachable through a unix socket in it,
// and ended and removed when the test process ends, however that happens. It never touches a server of the system, and
// it can be stopped, killed and started again.
//
// The programs of PostgreSQL are those of the newest version below /usr/lib/postgresql, or in PATH. Without them tests
// are skipped; in CI they fail.
package pgtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options change a server.
type Options struct {
	// Durable makes the server sync what it writes, as one in production does. What only looks at answers is faster without.
	Durable bool
	// Settings are further ones, such as "max_connections=500".
	Settings []string
}

// Server is a PostgreSQL that belongs to this process.
type Server struct {
	programs string // directory of the programs
	dir      string // holds data, socket and log
	settings []string
	guard    io.Closer // the server ends when it is closed, or this process ends
	owner    *syscall.Credential

	mu        sync.Mutex
	running   *exec.Cmd
	databases int
	templates map[string]string // names of migrated databases, by what migrated them
}

// shared is the server of this process that most tests use.
var shared = sync.OnceValues(func() (*Server, error) { return New(Options{}) })

// Shared gives the one server of this process, which is started for the first test that needs it. Such tests must not
// stop it.
func Shared(t testing.TB) *Server {
	t.Helper()
	s, err := shared()
	Need(t, err)
	return s
}

// Start gives a server for one test, which may stop it.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	Need(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ErrMissing says that there is no PostgreSQL on this machine.
var ErrMissing = errors.New("no PostgreSQL is installed: apt-get install -y postgresql")

// Need ends a test whose server could not be started: it is skipped when there is no PostgreSQL, other than in CI.
func Need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv("CI") != "true":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

// New makes and starts a server. It should be closed; when this process ends before, it ends all the same.
func New(o Options) (s *Server, err error) {
	s = &Server{settings: o.settings(), templates: map[string]string{}}
	if s.programs, err = programs(); err != nil {
		return nil, err
	}
	if s.owner, err = owner(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "stdops-pg"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.owner != nil {
		if err := os.Chown(s.dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return nil, err
		}
	}
	if err := s.watch(); err != nil {
		return nil, err
	}
	made, err := s.command("initdb", "-D", s.data(), "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, made)
	}
	return s, s.Start()
}

// superuser is the role that owns everything on the server.
const superuser = "stdops"

func (o *Options) settings() []string {
	all := []string{
		"listen_addresses=", "max_connections=400", "shared_buffers=64MB", "logging_collector=off", "log_min_messages=warning",
		"autovacuum_naptime=10s", "max_wal_size=1GB",
	}
	if !o.Durable {
		all = append(all, "fsync=off", "full_page_writes=off")
	}
	return append(all, o.Settings...)
}

// programs finds the directory of the newest PostgreSQL.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		version := func(file string) int {
			n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(file))))
			return n
		}
		newest := slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) })
		return filepath.Dir(newest), nil
	}
	file, err := exec.LookPath("initdb")
	if err != nil {
		return "", ErrMissing
	}
	return filepath.Dir(file), nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command makes a command that runs as the owner of the data, apart from the terminal of this process.
func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.programs, program), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: s.owner}
	return cmd
}

// watch starts a process that ends the server and removes its directory when it reads the end of its input: that comes
// when the guard is closed, and when this process ends.
func (s *Server) watch() error {
	const script = `
		read -r nothing
		cd /
		if pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null); then
			kill -QUIT "$pid" 2>/dev/null
			tries=0 # the server removes the file as the last thing
			while [ -e "$0/data/postmaster.pid" ] && [ $tries -lt 200 ]; do sleep 0.02; tries=$((tries + 1)); done
			[ ! -e "$0/data/postmaster.pid" ] || kill -KILL "$pid" 2>/dev/null
		fi
		rm -rf "$0"`
	cmd := exec.Command("/bin/sh", "-c", script, s.dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: s.owner}
	end, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the guard of the server: %w", err)
	}
	s.guard = closer(func() error { return errors.Join(end.Close(), cmd.Wait()) })
	return nil
}

type closer func() error

func (c closer) Close() error { return c() }

// Close ends the server for good and removes what it has written.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.running != nil {
		err = s.signal(syscall.SIGQUIT)
	}
	if s.guard == nil {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	return errors.Join(err, s.guard.Close())
}

// Start starts the server and waits until it answers. One that was killed recovers first.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return errors.New("the server runs already")
	}
	// Only this process starts it, and it waits for its end: what a killed one left behind names nobody.
	if err := os.Remove(filepath.Join(s.data(), "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	args := []string{"-D", s.data(), "-k", s.dir}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	s.running = cmd
	return s.await()
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// patience is how long a server may take until it answers.
const patience = time.Minute

func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		if ctx.Err() != nil || !alive(s.running.Process.Pid) {
			said, _ := os.ReadFile(s.logFile())
			return fmt.Errorf("the server does not answer: %w\n%s", err, said)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Mode is how a server is stopped.
type Mode syscall.Signal

// The modes: Fast ends all sessions and writes everything back, Immediate ends as a crash does, so that the next start
// recovers.
const (
	Fast      = Mode(syscall.SIGINT)
	Immediate = Mode(syscall.SIGQUIT)
)

// Stop stops the server and waits for its end.
func (s *Server) Stop(m Mode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signal(syscall.Signal(m))
}

// Kill kills all processes of the server at once, as the loss of its machine would but for what is in the memory of the
// operating system.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return errors.New("the server does not run")
	}
	children := childrenOf(s.running.Process.Pid)
	err := s.signal(syscall.SIGKILL)
	for _, pid := range children {
		if kill := syscall.Kill(pid, syscall.SIGKILL); kill != nil && !errors.Is(kill, syscall.ESRCH) {
			err = errors.Join(err, kill)
		}
	}
	for _, pid := range children {
		for alive(pid) {
			time.Sleep(time.Millisecond)
		}
	}
	return err
}

// signal sends the server a signal that ends it, and waits for that.
func (s *Server) signal(sig syscall.Signal) error {
	if s.running == nil {
		return errors.New("the server does not run")
	}
	cmd := s.running
	s.running = nil
	if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) { // by the signal, or with a status that says so
		return nil
	}
	return err
}

// Signal sends all processes of the server a signal that does not end it, such as SIGSTOP.
func (s *Server) Signal(sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return errors.New("the server does not run")
	}
	pid := s.running.Process.Pid
	err := syscall.Kill(pid, sig)
	for _, child := range childrenOf(pid) {
		if kill := syscall.Kill(child, sig); kill != nil && !errors.Is(kill, syscall.ESRCH) {
			err = errors.Join(err, kill)
		}
	}
	return err
}

// childrenOf lists the processes that a process has started. Where there is no /proc it finds none: those of a server
// that was killed end by themselves.
func childrenOf(pid int) []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var children []int
	for _, file := range stats {
		if state, parent := stat(file); state != 'Z' && parent == pid {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			children = append(children, child)
		}
	}
	return children
}

// alive reports whether a process runs; one that has ended and was not waited for does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	state, _ := stat(fmt.Sprintf("/proc/%d/stat", pid))
	return state != 'Z' && state != 'X'
}

// stat reads state and parent of a process; they stand behind its name, which may hold anything.
func stat(file string) (state byte, parent int) {
	text, _ := os.ReadFile(file)
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return 0, 0
	}
	parent, _ = strconv.Atoi(fields[1])
	return fields[0][0], parent
}

// URL is the address of a database of the server.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database, RawQuery: url.Values{"host": {s.dir}}.Encode()}
	return u.String()
}

// Socket is the path of the unix socket on which the server listens.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL.5432") }
