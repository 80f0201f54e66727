package engine

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/stdops/stdops"
)

// use makes tasks and sends commands, until nothing goes wrong any more.
func (c *cluster) use() {
	for {
		select {
		case <-c.over:
			return
		case <-time.After(time.Duration(100+c.store.draw(1500)) * time.Millisecond):
		}
		c.store.mu.Lock()
		calm := c.store.calm
		c.store.mu.Unlock()
		switch n := c.store.draw(8); {
		case calm:
			return
		case n == 0:
			c.create(stdops.AttemptRef{}, c.store.draw(len(c.graphs)-1), c.any())
		default:
			t := c.pick()
			if t == nil {
				continue
			}
			for range c.store.draw(4) { // others, at the same time
				c.users.Go(func() { c.send(t, c.store.draw(2) == 0) })
			}
			c.send(t, c.store.draw(2) == 0)
		}
	}
}

// any gives one of the processes that run.
func (c *cluster) any() *clusterProcess {
	for {
		i := c.store.draw(len(c.processes))
		c.mu.Lock()
		p := c.processes[i]
		c.mu.Unlock()
		if p != nil {
			return p
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// pick gives a task that has not ended.
func (c *cluster) pick() *simTask {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	var open []*simTask
	for id := range stdops.TaskID(len(c.store.tasks.tasks)) {
		if t := c.store.tasks.tasks[id+1]; !t.task.Root.State.Ended() {
			open = append(open, t)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return open[c.store.rand.IntN(len(open))]
}

// create makes a task, at times one that is started with it.
func (c *cluster) create(parent stdops.AttemptRef, tree int, p *clusterProcess) stdops.TaskID {
	task := stdops.Task{
		Project: 1, Name: "a task", TreeHash: strconv.Itoa(tree), FlowType: stdops.FlowCommon, Created: time.Now().UTC(), Parent: parent,
		Root: stdops.RootState{State: stdops.StateCreated},
	}
	started := parent.Task != 0 || c.store.draw(2) == 0
	c.store.mu.Lock()
	task.ID = stdops.TaskID(len(c.store.tasks.tasks) + 1)
	t := c.store.tasks.create(task, c.graphs[tree], []byte(`{"v":"k"}`))
	c.store.shared[task.ID] = &sharing{}
	c.store.mu.Unlock()
	if !started {
		return task.ID
	}
	change, err := p.engine.Begin(context.Background(), task, t.graph, stdops.NewObject("v", "k"), "")
	if err != nil {
		c.wrong("task %d cannot be started: %v", task.ID, err)
		return task.ID
	}
	c.store.mu.Lock()
	p.apply(change) // else somebody has started it meanwhile
	c.store.mu.Unlock()
	p.engine.Adopt(change)
	return task.ID
}

// send draws a command, and sends it.
func (c *cluster) send(t *simTask, helps bool) {
	c.store.mu.Lock()
	user := &simulation{rand: c.store.rand, store: c.store.tasks}
	var cmd Command
	ok := !helps
	if helps {
		cmd, ok = user.helpful(t)
	} else {
		cmd = user.random(t)
	}
	c.store.mu.Unlock()
	if ok {
		c.command(t, cmd)
	}
}

// command sends a command to any process, until it has an answer. Without a key it is sent once, and nobody may know what became of
// it.
func (c *cluster) command(t *simTask, what Command) {
	cmd := &clusterCommand{Command: what, ref: t.ref()}
	cmd.Actor = "user" + strconv.FormatInt(c.serial.Add(1), 10)
	if c.store.draw(2) == 0 {
		cmd.Key = &stdops.RequestKey{Project: 1, Owner: "user", Key: cmd.Actor, Expires: time.Now().Add(1000 * time.Hour)}
	}
	c.mu.Lock()
	c.sent = append(c.sent, cmd)
	c.mu.Unlock()
	for doubt := false; ; {
		err := c.ask(cmd)
		switch {
		case err == nil, errors.Is(err, stdops.ErrRepeated): // nobody else has its key
			cmd.done = true
			return
		case stdops.ErrorCode(err) == stdops.CodeUnavailable:
			if cmd.Key == nil {
				return
			}
			doubt = true
			time.Sleep(300 * time.Millisecond)
		default:
			cmd.refused = !doubt
			return
		}
	}
}

func (c *cluster) ask(cmd *clusterCommand) error {
	p := c.any()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p.asked.Add(1)
	defer p.asked.Add(-1)
	before := c.stored(cmd.ref)
	err := p.engine.Do(ctx, cmd.ref, cmd.Command)
	c.checkRefusal(p, cmd, before, err)
	if ctx.Err() != nil {
		c.wrong("%s of task %d was not answered by %s", cmd.Kind, cmd.ref.Task, p.name)
	}
	if errors.Is(err, errElsewhere) {
		c.wrong("%s of task %d was not carried out: %v", cmd.Kind, cmd.ref.Task, err)
	}
	return err
}

// stored gives a task as it is stored.
func (c *cluster) stored(ref stdops.TaskRef) *stdops.Snapshot {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	return c.store.tasks.tasks[ref.Task].snapshot()
}

// checkRefusal makes sure that a refused command could not be carried out on the task as it was stored, if nobody has changed it
// meanwhile: what another process has acknowledged counts, whatever the memory of this one holds.
func (c *cluster) checkRefusal(p *clusterProcess, cmd *clusterCommand, before *stdops.Snapshot, refusal error) {
	var known *stdops.Error
	if !errors.As(refusal, &known) || known.Code == stdops.CodeUnavailable || errors.Is(refusal, stdops.ErrRepeated) {
		return
	}
	if c.stored(cmd.ref).Task.Root.Revision != before.Task.Root.Revision {
		return
	}
	if change, err := p.engine.decideOutside(context.Background(), before, cmd.Command); err == nil && change != nil {
		c.wrong("%s of task %d was refused by %s, which nothing stored speaks against: %v", cmd.Kind, cmd.ref.Task, p.name, refusal)
	}
}
