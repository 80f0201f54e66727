package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// settle helps every task to its end.
func (c *cluster) settle() {
	since := make(map[*simTask]seen)
	for round := range 200 {
		live, stuck := c.look(since)
		if len(stuck) > 0 {
			c.wrong("%s", strings.Join(stuck, "\n"))
			return
		}
		if len(live) == 0 {
			return
		}
		for _, t := range live {
			if round < 100 {
				c.send(t, true)
			} else { // its flow has no end, such as one whose limit of time is too short
				c.command(t, Command{Kind: Revoke})
			}
		}
		time.Sleep(20 * time.Second)
	}
	live, _ := c.look(since)
	for _, t := range live {
		c.wrong("task %d does not end: %+v, %s", t.task.ID, t.task.Root, c.memory(t.ref()))
	}
}

// seen is at which revision a task stands, and since when.
type seen struct {
	revision int64
	since    time.Time
}

// look gives the tasks that have not ended, and tells of those that should have gone on by themselves.
func (c *cluster) look(last map[*simTask]seen) (live []*simTask, stuck []string) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	for _, t := range c.store.tasks.tasks {
		root := &t.task.Root
		if !root.Live && root.State.Ended() {
			continue
		}
		live = append(live, t)
		if s := last[t]; s.revision != root.Revision || s.since.IsZero() {
			last[t] = seen{root.Revision, time.Now()}
		}
		why := c.underWay(t)
		if waits := time.Since(last[t].since); why != "" && waits > 2*time.Minute {
			stuck = append(stuck, fmt.Sprintf("task %d (%s, revision %d, epoch %d) is stuck for %s:%s %+v, %s", t.task.ID, root.State,
				root.Revision, root.Epoch, waits, why, *c.store.shared[t.task.ID], c.memory(t.ref())))
		}
	}
	return live, stuck
}

// underWay tells what should go on by itself. The lock of the store is held.
func (c *cluster) underWay(t *simTask) (why string) {
	if !t.task.Root.Live {
		return ""
	}
	for _, n := range t.nodes {
		if n == nil {
			continue
		}
		for _, at := range []time.Time{n.Due, n.Deadline} {
			if !at.IsZero() && time.Since(at) > 15*time.Second { // a dead process is found within this
				why += fmt.Sprintf(" node %d is due since %s;", n.Node, moment(at))
			}
		}
		if callOut(n) || n.State == stdops.StateRunning && n.Phase == stdops.PhaseQueued && !t.task.Root.State.Ended() {
			why += fmt.Sprintf(" node %d is %s %s;", n.Node, n.State, n.Phase)
		}
	}
	for _, f := range t.forks {
		if f.Moving {
			why += fmt.Sprintf(" thread %d moves;", f.Token)
		}
	}
	return why
}

// memory tells what the processes have in memory of a task.
func (c *cluster) memory(ref stdops.TaskRef) (text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.processes {
		e := p.engine
		e.mu.Lock()
		if d := e.drivers[ref]; d != nil {
			text += fmt.Sprintf("%s (worker %d) drives epoch %d: busy %t, mailbox %d, read %t, parked %t; ", p.name, p.worker, d.epoch, d.busy,
				len(d.mailbox), d.st != nil, d.parked)
		}
		e.mu.Unlock()
	}
	return text
}

// checkEngines makes sure that nothing of what has ended is kept.
func (c *cluster) checkEngines() {
	if len(c.problems) > 0 {
		return
	}
	time.Sleep(2 * time.Minute)
	for _, p := range c.processes {
		e := p.engine
		e.mu.Lock()
		if n := len(e.drivers) + e.seats.resting.Len() + len(e.owners.leaving) + len(e.owners.wanted); n > 0 {
			c.wrong("%s has %d drivers, %d of them at rest, %d leave, %d tasks are wanted", p.name, len(e.drivers), e.seats.resting.Len(),
				len(e.owners.leaving), len(e.owners.wanted))
		}
		e.mu.Unlock()
		e.slots.mu.Lock()
		for i := range e.slots.classes {
			if s := &e.slots.classes[i]; s.used != 0 || s.waiting != 0 || len(s.tasks) != 0 {
				c.wrong("%s has %d slots for %s taken, %d calls wait, of %d tasks", p.name, s.used, plugin.Class(i), s.waiting, len(s.tasks))
			}
		}
		e.slots.mu.Unlock()
		e.pool.mu.Lock()
		if n := len(e.pool.calls); n > 0 {
			c.wrong("%s has calls of %d tasks out", p.name, n)
		}
		e.pool.mu.Unlock()
	}
}

// checkRecords audits every task, and holds the commands against the logs.
func (c *cluster) checkRecords(applied map[string]int) {
	actors := make(map[string]int)
	for _, t := range c.store.tasks.tasks {
		for _, tr := range t.log {
			if tr.Moved() || tr.To == stdops.StateRunning { // a retry with new inputs says so beside
				actors[tr.Actor]++
			}
		}
		for _, wrong := range Audit(t.record(), t.graph, time.Now()) {
			c.wrong("task %d: %s", t.task.ID, wrong)
		}
	}
	for _, cmd := range c.sent {
		n, moves := 0, actors[cmd.Actor]
		switch silent := cmd.Kind == SetConstants; { // those that change nothing leave no trace
		case cmd.Key == nil && silent:
			continue
		case cmd.Key == nil:
			n = moves
		default:
			if n = applied[cmd.Key.Key]; silent {
				moves = n
			}
		}
		if cmd.done && (n != 1 || moves != 1) || cmd.refused && (n != 0 || moves != 0) || n > 1 || moves > 1 {
			c.wrong("%s of task %d by %s was acknowledged: %t, refused: %t; its key is stored %d times, its change %d times",
				cmd.Kind, cmd.ref.Task, cmd.Actor, cmd.done, cmd.refused, n, moves)
		}
	}
	for attempt, name := range c.running {
		c.wrong("node %d of task %d is still called by %s", attempt.Node, attempt.Task, name)
	}
}
