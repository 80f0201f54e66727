package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// sampleNodes is how many nodes each of the finished tasks has reached.
const sampleNodes = 20

// fullStores compares the worst answers of two servers, of which one holds many more finished tasks than the other. They
// are asked for fifty random tasks with their nodes: for tasks that they were not asked for since they were started, and
// then for any, again and again.
func fullStores(ctx context.Context, o SizeOptions) (list []Comparison, err error) {
	worlds := make([]*world, 0, 2)
	defer func() {
		for _, w := range worlds {
			w.remove()
		}
	}()
	for _, tasks := range []int{o.Many, o.Few} {
		o.tell(fmt.Sprintf("(fill a store with %d tasks)", tasks))
		w, err := fullWorld(ctx, tasks)
		if err != nil {
			return nil, err
		}
		worlds = append(worlds, w)
	}
	series := func(tasks int) Series { return Series{Name: fmt.Sprintf("%d tasks", tasks)} }
	many, few := worlds[0], worlds[1]
	fresh := pair{Comparison: Comparison{
		Name: "50 random finished tasks, not asked for before", Unit: "ms", Goal: Goal{AtMost: 1.5},
		Ours: series(o.Many), Reference: series(o.Few),
	}}
	fresh.ours, fresh.reference = many.freshQuestions(o.Questions), few.freshQuestions(o.Questions)
	again := pair{Comparison: Comparison{
		Name: "50 random finished tasks, again and again", Unit: "ms", Ours: series(o.Many), Reference: series(o.Few),
	}}
	again.ours, again.reference = many.anyQuestions(o.Questions), few.anyQuestions(o.Questions)
	return measureAll(ctx, Options{Rounds: o.Rounds, Progress: o.Progress}, &fresh, &again)
}

// fullWorld is a world without a server whose store holds so many finished tasks, all of as many nodes and of a few
// different trees: copies of tasks that were run.
func fullWorld(ctx context.Context, tasks int) (w *world, err error) {
	w, err = newWorld(ctx, Options{Tasks: mostTasks, Nodes: sampleNodes})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.remove()
		}
	}()
	if err := w.stop(); err != nil {
		return nil, err
	}
	s, err := w.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	samples, err := s.Statuses(ctx, project, store.StatusQuery{IDs: w.tasks, Children: true})
	if err != nil {
		return nil, err
	}
	w.tasks = nil
	for i := range tasks {
		id, err := copyFinished(ctx, s, &samples.Tasks[(2*i+1)%len(samples.Tasks)]) // by descending id: those that have ended
		if err != nil {
			return nil, fmt.Errorf("fill the store: %w", err)
		}
		w.tasks = append(w.tasks, id)
	}
	return w, nil
}

// copyFinished stores a task that stands as another does.
func copyFinished(ctx context.Context, s *store.Store, sample *store.StatusRows) (stdops.TaskID, error) {
	root := sample.Task.Root
	if !root.State.Ended() {
		return 0, fmt.Errorf("task %d has not ended", sample.Task.ID)
	}
	task := sample.Task
	task.Root = stdops.RootState{}
	made, err := s.CreateTask(ctx, store.NewTask{Task: task, Start: func(t stdops.Task) (*stdops.Change, error) {
		return &stdops.Change{Task: t.ID, Project: t.Project, Epoch: s.Epoch(), Root: root, Nodes: sample.Nodes}, nil
	}})
	return made.ID, err
}

// freshQuestions asks so many times for tasks that the server was not asked for, and gives the worst time. When there
// are no more tasks the server is started anew.
func (w *world) freshQuestions(n int) side {
	return func(ctx context.Context, _ time.Duration) (_ float64, err error) {
		defer func() { err = errors.Join(err, w.stop()) }()
		var times []time.Duration
		for len(times) < n {
			took, err := w.askAll(ctx, n-len(times))
			if err != nil {
				return 0, err
			}
			times = append(times, took...)
		}
		return worst(times), nil
	}
}

// askAll starts the server and asks it at most so many times for tasks that it was not asked for. The first question,
// with which it reads the trees, does not count.
func (w *world) askAll(ctx context.Context, most int) (times []time.Duration, err error) {
	c, err := w.restart(ctx)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	order := rand.Perm(len(w.tasks))
	for first := true; len(order) >= mostTasks && len(times) < most; first = false {
		took, err := w.timeQuestion(ctx, c, order[:mostTasks])
		if err != nil {
			return nil, err
		}
		if !first {
			times = append(times, took)
		}
		order = order[mostTasks:]
	}
	return times, nil
}

// warmQuestions is how many questions come before each that is measured, where the server is to know what it can.
const warmQuestions = 5

// anyQuestions asks for any tasks, and gives the worst time of the last n answers.
func (w *world) anyQuestions(n int) side {
	return func(ctx context.Context, _ time.Duration) (_ float64, err error) {
		c, err := w.restart(ctx)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, c.conn.Close(), w.stop()) }()
		var times []time.Duration
		for i := range (warmQuestions + 1) * n {
			took, err := w.timeQuestion(ctx, c, rand.Perm(len(w.tasks))[:mostTasks])
			if err != nil {
				return 0, err
			}
			if i >= warmQuestions*n {
				times = append(times, took)
			}
		}
		return worst(times), nil
	}
}

// restart starts the server anew and gives a connection to it.
func (w *world) restart(ctx context.Context) (*client, error) {
	if err := w.stop(); err != nil {
		return nil, err
	}
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	c, err := (&load{address: w.address}).connect(ctx, time.Hour)
	if err != nil {
		return nil, err
	}
	return c, c.ask(ping)
}

// timeQuestion asks for some of the tasks.
func (w *world) timeQuestion(ctx context.Context, c *client, of []int) (time.Duration, error) {
	var tasks batch
	for _, i := range of {
		tasks = append(tasks, w.tasks[i])
	}
	r, err := w.question(ctx, tasks, true)
	if err != nil {
		return 0, err
	}
	l, err := newLoad(w.address, r)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = c.ask(l.request)
	return time.Since(began), err
}
