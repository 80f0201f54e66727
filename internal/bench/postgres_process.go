package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/bench/bare"
)

// kill ends the server as a crash does, and removes its files.
func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	if wait := <-p.ended; err == nil && wait == nil {
		err = errors.New("the server had ended by itself")
	}
	p.cmd = nil
	return errors.Join(err, p.end())
}

// queueLeader is 1 in the process that is the leader of the queue.
const queueLeader = "stdops_queue_leader"

// takeovers kills workers, and measures when their tasks go on and when the queue has a leader again.
func (s *site) takeovers(ctx context.Context) (_ []Comparison, _ []Figure, err error) {
	name := "from the kill of a worker to the next step of its tasks"
	s.tell(name)
	var workers []*process
	defer func() { err = errors.Join(err, endAll(workers)) }()
	first := Figure{Unit: "s", Series: Series{Name: name + ", first"}}
	last := Figure{Unit: "s", Series: Series{Name: name + ", last"}, Goal: Goal{AtMost: 15}}
	leader := Figure{Unit: "s", Series: Series{Name: "from the kill of the leader of the queue to the next one"}, Goal: Goal{AtMost: 15}}
	for kills := range s.Kills {
		more, err := s.startProcesses(ctx, 2-len(workers), "--roles", "worker")
		if workers = append(workers, more...); err != nil {
			return nil, nil, err
		}
		tasks, err := s.create(ctx, tasksOfKilled, slowSteps())
		if err != nil {
			return nil, nil, err
		}
		for _, id := range tasks {
			if err := s.front.post(ctx, fmt.Sprintf("/apigw/start_task/%d/%d/", id, business), &stdops.Object{}, nil); err != nil {
				return nil, nil, err
			}
		}
		t, err := s.killOne(ctx, &workers, tasks, kills%2 == 1)
		if err != nil {
			return nil, nil, err
		}
		if t.tasks > 0 {
			first.Rounds, last.Rounds = append(first.Rounds, t.first.Seconds()), append(last.Rounds, t.last.Seconds())
		}
		if t.leader > 0 {
			leader.Rounds = append(leader.Rounds, t.leader.Seconds())
		}
		for _, id := range tasks {
			if err := s.front.post(ctx, fmt.Sprintf("/apigw/operate_task/%d/%d/", id, business), stdops.NewObject("action", "revoke"), nil); err != nil {
				return nil, nil, err
			}
		}
	}
	var figures []Figure
	for _, f := range []Figure{first, last, leader} {
		if len(f.Rounds) > 0 {
			f.conclude()
			figures = append(figures, f)
		}
	}
	return nil, figures, nil
}

// tasksOfKilled is how many tasks run while a worker is killed.
const tasksOfKilled = 40

// slowSteps makes a flow whose steps are a second apart, for some minutes.
func slowSteps() *stdops.Object {
	d := newDrawing()
	last := d.line("start", 120)
	for _, name := range d.activities.Keys() {
		d.activities.Set(name, component(sleeping, "bk_timing", "1"))
	}
	return d.tree("end", last)
}

// takeover is what followed a kill.
type takeover struct {
	tasks       int // that the process drove
	first, last time.Duration
	leader      time.Duration // until there was another; 0: it was not the leader
}

// killOne kills the worker that drives most tasks, or else the leader of the queue.
func (s *site) killOne(ctx context.Context, workers *[]*process, tasks batch, lead bool) (t takeover, err error) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	leader, before, err := s.driven(ctx, tasks)
	if err != nil {
		return t, err
	}
	owned := map[int]int{}
	for _, o := range before {
		owned[o.PID]++
	}
	victim, leads := 0, false
	for i, p := range *workers {
		is, err := p.gauge(ctx, queueLeader)
		if err != nil {
			return t, err
		}
		if better := owned[p.cmd.Process.Pid] > owned[(*workers)[victim].cmd.Process.Pid]; i == 0 || !lead && better || lead && is == 1 {
			victim, leads = i, is == 1
		}
	}
	p := (*workers)[victim]
	pid := p.cmd.Process.Pid
	*workers = append((*workers)[:victim:victim], (*workers)[victim+1:]...)
	if err := p.kill(); err != nil {
		return t, err
	}
	began := time.Now()
	if before, err = s.bare.Owners(ctx, tasks); err != nil { // no step of the dead comes later
		return t, err
	}
	for id, o := range before {
		if o.PID != pid {
			delete(before, id)
		}
	}
	for t.tasks = len(before); len(before) > 0 || leads && t.leader == 0; {
		now, err := s.bare.Owners(ctx, tasks)
		if err != nil {
			return t, err
		}
		for id, o := range before {
			if now[id].Revision > o.Revision && now[id].PID != pid { // the last commit of the dead may come late
				delete(before, id)
				if t.last = time.Since(began); t.first == 0 {
					t.first = t.last
				}
			}
		}
		if leads && t.leader == 0 {
			next, err := s.bare.Leader(ctx)
			if err != nil {
				return t, err
			}
			if next != "" && next != leader {
				t.leader = time.Since(began)
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return t, fmt.Errorf("wait for a takeover: %w", ctx.Err())
		}
	}
	return t, nil
}

// driven waits until all tasks are driven and the queue has a leader.
func (s *site) driven(ctx context.Context, tasks batch) (leader string, owners map[stdops.TaskID]bare.Owner, err error) {
	for {
		if owners, err = s.bare.Owners(ctx, tasks); err != nil {
			return "", nil, err
		}
		if leader, err = s.bare.Leader(ctx); err != nil {
			return "", nil, err
		}
		free := 0
		for _, o := range owners {
			if o.PID == 0 {
				free++
			}
		}
		if free == 0 && leader != "" {
			return leader, owners, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return "", nil, fmt.Errorf("%d tasks are driven by nobody, the leader is %q: %w", free, leader, ctx.Err())
		}
	}
}

// farAhead is when the tasks that wait go on: later than any bench lasts.
const farAhead = 30 * 24 * time.Hour

// idle measures what tasks cost that wait for a time far ahead, and what a worker costs without any.
func (s *site) idle(ctx context.Context) (_ []Comparison, _ []Figure, err error) {
	name := fmt.Sprintf("%d tasks that wait", s.Waiting)
	if runtime.GOOS != "linux" {
		return nil, nil, nil // the time of another process cannot be read
	}
	s.tell(name)
	if err := s.front.stop(); err != nil { // one worker and the database are all there is
		return nil, nil, err
	}
	without, err := s.cpu(ctx, "no tasks", Goal{})
	if err != nil {
		return nil, nil, err
	}
	if err := s.front.start(ctx); err != nil {
		return nil, nil, err
	}
	if err := errors.Join(s.fillWaiting(ctx), s.front.stop()); err != nil {
		return nil, nil, err
	}
	with, err := s.cpu(ctx, name, Goal{AtMost: 1})
	return nil, append(with, without...), err
}

// fillWaiting lets a worker bring one task to where it waits, and copies it.
func (s *site) fillWaiting(ctx context.Context) (err error) {
	all, err := s.startProcesses(ctx, 1, "--roles", "worker")
	defer func() { err = errors.Join(err, endAll(all)) }()
	if err != nil {
		return err
	}
	seconds := strconv.Itoa(int(farAhead.Seconds()))
	id, err := s.front.createAndStart(ctx, longRunning(component(sleeping, "bk_timing", seconds)))
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	if err := s.bare.AwaitRelease(limited, id); err != nil {
		return err
	}
	_, err = s.bare.Fill(ctx, batch{id}, s.Waiting-1, farAhead.Microseconds(), "task_input", "node_state", "node_data", "variable", "transition")
	if err != nil {
		return err
	}
	return s.bare.Vacuum(ctx, false)
}

// calmTime is how long a worker may take until it does nothing but wait.
const calmTime = 10 * time.Second

// cpu reads how much of a processor one worker takes, and the server of the database when it runs on this machine.
func (s *site) cpu(ctx context.Context, name string, goal Goal) (figures []Figure, err error) {
	all, err := s.startProcesses(ctx, 1, "--roles", "worker")
	defer func() { err = errors.Join(err, endAll(all)) }()
	if err != nil {
		return nil, err
	}
	time.Sleep(min(calmTime, s.Idle))
	postmaster := s.postmaster(ctx)
	read := func() (own, database time.Duration) {
		own, _, _ = statOf(all[0].cmd.Process.Pid)
		if postmaster > 0 {
			database = familyTime(postmaster)
		}
		return own, database
	}
	ownBefore, databaseBefore := read()
	began := time.Now()
	select {
	case <-time.After(s.Idle):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	own, database := read()
	took := time.Since(began)
	add := func(of string, d time.Duration) {
		figures = append(figures, Figure{Unit: "% of a core", Series: single(name+": "+of, 100*d.Seconds()/took.Seconds()), Goal: goal})
	}
	add("a worker", own-ownBefore)
	if postmaster > 0 {
		add("the database", database-databaseBefore)
	}
	return figures, nil
}

// postmaster is the process of which all of the database's are children, 0 when they are not on this machine.
func (s *site) postmaster(ctx context.Context) int {
	pid, err := s.bare.Backend(ctx)
	if err != nil {
		return 0
	}
	if name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm")); err != nil || !strings.HasPrefix(string(name), "postgres") {
		return 0
	}
	_, parent, _ := statOf(pid)
	return parent
}

// familyTime is the time on processors of a process and its children, those that have ended included.
func familyTime(pid int) time.Duration {
	sum, _, ended := statOf(pid)
	sum += ended
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if own, parent, _ := statOf(child); parent == pid {
			sum += own
		}
	}
	return sum
}

// ticks is how many of its units of time Linux counts in a second.
const ticks = 100

// statOf reads how long a process was on a processor, whose child it is, and how long its children were that have ended.
func statOf(pid int) (own time.Duration, parent int, ended time.Duration) {
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	_, rest, _ := strings.Cut(string(text), ") ") // its name may hold anything, but no program here is called like that
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return 0, 0, 0
	}
	parent, _ = strconv.Atoi(fields[1])
	sum := func(fields []string) (d time.Duration) {
		for _, f := range fields {
			n, _ := strconv.ParseInt(f, 10, 64)
			d += time.Duration(n) * time.Second / ticks
		}
		return d
	}
	return sum(fields[11:13]), parent, sum(fields[13:15])
}
