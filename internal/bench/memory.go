package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stdops/stdops"
)

// MemoryOptions say how the memory of a server is measured.
type MemoryOptions struct {
	Program string // the stdops that is started as a server
	Inputs  string // file of hostile requests, one JSON object a line; "" leaves them out
	Nodes   int    // of the large tree
	Tasks   int    // that run at the same time
	Rounds  int    // each on servers of its own

	Progress func(name string) // is told what is measured next; nil: nobody is
}

// Check says what is wrong with the options.
func (o *MemoryOptions) Check() error {
	switch {
	case o.Nodes < fewestWide || o.Nodes > mostNodesOfTask:
		return fmt.Errorf("nodes must be between %d and %d", fewestWide, mostNodesOfTask)
	case o.Tasks < 1 || o.Tasks > mostRuns:
		return fmt.Errorf("tasks must be between 1 and %d", mostRuns)
	case o.Rounds < 1:
		return errors.New("rounds must be at least 1")
	}
	return nil
}

// mostNodesOfTask is the limit of the server.
const mostNodesOfTask = 20_000

// Memory measures how much memory a server takes under large trees, many tasks and hostile requests. Each is measured on
// servers of its own, started as processes of their own, whose files are in temporary directories. It needs Linux.
func Memory(ctx context.Context, o MemoryOptions) (*Report, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	report := &Report{
		Machine: thisMachine(), Tasks: o.Tasks, Nodes: o.Nodes, Rounds: o.Rounds,
	}
	parts := []measured{largeTree, manyTasks}
	if o.Inputs != "" {
		parts = append(parts, hostileRequests)
	}
	for _, part := range parts {
		figures, err := part.inRounds(ctx, o)
		if err != nil {
			return nil, err
		}
		report.Figures = append(report.Figures, figures...)
	}
	return report, nil
}

// measured measures a server that was just started.
type measured func(ctx context.Context, p *process, o MemoryOptions) ([]Figure, error)

// inRounds measures again and again, each time on a new server.
func (m measured) inRounds(ctx context.Context, o MemoryOptions) (all []Figure, err error) {
	for range o.Rounds {
		figures, err := m.once(ctx, o)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = figures
			continue
		}
		for i := range figures {
			all[i].Rounds = append(all[i].Rounds, figures[i].Rounds...)
		}
	}
	for i := range all {
		all[i].conclude()
	}
	return all, nil
}

func (m measured) once(ctx context.Context, o MemoryOptions) (figures []Figure, err error) {
	p, err := startProcess(ctx, o.Program)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	if err := p.ordinary(ctx); err != nil {
		return nil, err
	}
	return m(ctx, p, o)
}

// ordinary lets the server do what servers do, as often at the same time as it is asked later: a process that has never
// done anything has neither all of its code nor its connections to the database in memory.
func (p *process) ordinary(ctx context.Context) error {
	p.nodes = 20
	tasks, err := p.create(ctx, atOnce)
	if err != nil {
		return err
	}
	if err := p.settle(ctx, tasks); err != nil {
		return err
	}
	var all errgroup.Group
	for range atOnce {
		all.Go(func() error {
			_, err := p.ask(ctx, tasks, true)
			return err
		})
	}
	return all.Wait()
}

// tell announces what is measured.
func (o *MemoryOptions) tell(name string) {
	if o.Progress != nil {
		o.Progress(name)
	}
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// growth measures how far the memory of the server rises above what it has now while something is done.
func (p *process) growth(do func() error) (float64, error) {
	before, _, err := p.memory()
	if err != nil {
		return 0, err
	}
	if err := p.forget(); err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	_, most, err := p.memory()
	return mebibytes(most - before), err
}

// largeTree creates a task of a large tree, runs it and asks how all its nodes stand.
func largeTree(ctx context.Context, p *process, o MemoryOptions) ([]Figure, error) {
	name := fmt.Sprintf("tree of %d nodes", o.Nodes)
	o.tell(name)
	tree := wide(o.Nodes)
	var took time.Duration
	rise, err := p.growth(func() error {
		began := time.Now()
		id, err := p.createTask(ctx, "a large task", tree)
		if took = time.Since(began); err != nil {
			return err
		}
		return p.runToEnd(ctx, id, o.Nodes)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return []Figure{
		figure(name+", created", "s", 2, took.Seconds()),
		figure(name+", created, run and asked about", "MiB more", 256, rise),
	}, nil
}

// runToEnd starts a task, waits until it has finished, and asks about all of its nodes.
func (p *process) runToEnd(ctx context.Context, id stdops.TaskID, nodes int) error {
	if err := p.post(ctx, fmt.Sprintf("/apigw/start_task/%d/%d/", id, business), &stdops.Object{}, nil); err != nil {
		return err
	}
	if err := p.await(ctx, drivenTasks, 0); err != nil {
		return err
	}
	p.nodes = nodes
	return p.settle(ctx, batch{id})
}

// manyTasks lets tasks wait for somebody who calls back, for which the engine need not remember them, and then as many
// more sleep, which it keeps in memory since they wake within a minute.
func manyTasks(ctx context.Context, p *process, o MemoryOptions) ([]Figure, error) {
	list := make([]Figure, 0, 2)
	for _, kind := range []struct {
		name   string
		last   *stdops.Object
		driven int
	}{
		{fmt.Sprintf("%d tasks that wait", o.Tasks), component(waiting), 0},
		{fmt.Sprintf("%d more that the engine drives", o.Tasks), component(sleeping, "bk_timing", sleepSeconds), o.Tasks},
	} {
		o.tell(kind.name)
		if err := p.forget(); err != nil {
			return nil, err
		}
		if err := p.startMany(ctx, o.Tasks, longRunning(kind.last)); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.name, err)
		}
		if err := p.await(ctx, drivenTasks, kind.driven); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.name, err)
		}
		_, most, err := p.memory()
		if err != nil {
			return nil, err
		}
		list = append(list, figure(kind.name, "MiB in all", 512, mebibytes(most)))
	}
	return list, nil
}

// sleepSeconds is how long a task sleeps: less than the minute for which the engine keeps it in memory.
const sleepSeconds = "55"

// startMany creates and starts tasks.
func (p *process) startMany(ctx context.Context, n int, tree *stdops.Object) error {
	tasks := make(batch, n)
	var all errgroup.Group
	all.SetLimit(atOnce)
	for i := range tasks {
		all.Go(func() (err error) {
			if tasks[i], err = p.createTask(ctx, fmt.Sprintf("task %d", i+1), tree); err != nil {
				return err
			}
			return p.post(ctx, fmt.Sprintf("/apigw/start_task/%d/%d/", tasks[i], business), &stdops.Object{}, nil)
		})
	}
	return all.Wait()
}

// hostileRequests sends each hostile request many times at once.
func hostileRequests(ctx context.Context, p *process, o MemoryOptions) ([]Figure, error) {
	name := fmt.Sprintf("hostile requests, each %d at once", atOnce)
	o.tell(name)
	list, err := readHostile(o.Inputs)
	if err != nil {
		return nil, err
	}
	rise, err := p.growth(func() error {
		for _, h := range list {
			if h.isLarge() || h.unsent() {
				continue
			}
			if h.body, err = p.bodyOf(ctx, h); err != nil {
				return fmt.Errorf("%s: %w", h.Name, err)
			}
			if err := p.attack(ctx, h); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return []Figure{figure(name, "MiB more", 64, rise)}, nil
}

// isLarge tells the trees that are good, only large: they are measured apart.
func (h *hostile) isLarge() bool {
	return strings.HasPrefix(h.Body, "@@tree(serial ") || strings.HasPrefix(h.Body, "@@tree(parallel ")
}
