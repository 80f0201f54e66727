package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stdops/stdops"
)

// atMostForLarge is the goal for the worst answers about the large task, in milliseconds.
const atMostForLarge = 100

// largeTask measures single answers with all children of a task of very many nodes, while other tasks are created and
// run: of the task as it is, and of one that changes before each question, so that nothing of it can be kept.
func largeTask(ctx context.Context, o SizeOptions) (figures []Figure, err error) {
	w, err := emptyWorld(ctx)
	if err != nil {
		return nil, err
	}
	defer w.remove()
	large, err := w.createLarge(ctx, o.Nodes)
	if err != nil {
		return nil, err
	}
	bare, err := serveBare()
	if err != nil {
		return nil, fmt.Errorf("start the bare handler: %w", err)
	}
	defer func() { err = errors.Join(err, bare.close()) }()
	same, changed, reference, err := w.askLarge(ctx, large, bare)
	if err != nil {
		return nil, err
	}
	figures = []Figure{
		{Unit: "ms", Series: Series{Name: "task of very many nodes, unchanged"}, Goal: Goal{AtMost: atMostForLarge}},
		{Unit: "ms", Series: Series{Name: "task of very many nodes, changed before each question"}, Goal: Goal{AtMost: atMostForLarge}},
		{Unit: "ms", Series: Series{Name: "bare handler, as many bytes"}},
	}
	return figures, w.meanwhile(ctx, func(ctx context.Context) error {
		for range o.Rounds {
			for i, ask := range []func(context.Context) (time.Duration, error){same, changed, reference} {
				o.tell(figures[i].Name)
				var times []time.Duration
				for range o.Questions {
					took, err := ask(ctx)
					if err != nil {
						return fmt.Errorf("%s: %w", figures[i].Name, err)
					}
					times = append(times, took)
				}
				figures[i].Rounds = append(figures[i].Rounds, worst(times))
			}
		}
		for i := range figures {
			figures[i].conclude()
		}
		return nil
	})
}

// createLarge makes a task that has reached all its nodes but the end and waits in the last.
func (w *world) createLarge(ctx context.Context, nodes int) (stdops.TaskID, error) {
	w.nodes = nodes - 1
	id, err := w.createAndStart(ctx, wideWaiting(nodes))
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for {
		_, unsettled := w.askOne(ctx, id, "RUNNING")
		var unfit *unfitError
		switch {
		case unsettled == nil:
			return id, nil
		case !errors.As(unsettled, &unfit):
			return 0, unsettled
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for the large task: %w: %w", ctx.Err(), unsettled)
		}
	}
}

func (w *world) createAndStart(ctx context.Context, tree *stdops.Object) (stdops.TaskID, error) {
	id, err := w.createTask(ctx, "bench task", tree)
	if err != nil {
		return 0, fmt.Errorf("create a task: %w", err)
	}
	if err := w.post(ctx, fmt.Sprintf("/apigw/start_task/%d/%d/", id, business), &stdops.Object{}, nil); err != nil {
		return 0, fmt.Errorf("start a task: %w", err)
	}
	return id, nil
}

// askOne asks how one task stands, and checks that it stands as it is meant to and shows all its nodes.
func (w *world) askOne(ctx context.Context, id stdops.TaskID, state string) ([]byte, error) {
	r, err := w.question(ctx, batch{id}, true)
	if err != nil {
		return nil, err
	}
	answer, err := w.do(r)
	if err != nil {
		return nil, err
	}
	var entries []entry
	if err := dataOf(answer, &entries); err != nil {
		return nil, err
	}
	if len(entries) != 1 || entries[0].Status.State != state || len(entries[0].Status.Children) != w.nodes {
		return nil, &unfitError{fmt.Sprintf("task %d does not stand as %s with %d nodes", id, state, w.nodes)}
	}
	return answer, nil
}

// askLarge gives three ways to ask, each over its own connection that stays open: about the task as it is, about the task
// after a change, and the bare handler.
func (w *world) askLarge(ctx context.Context, id stdops.TaskID, bare *bareServer) (same, changed, reference timed, err error) {
	answer, err := w.askOne(ctx, id, "RUNNING")
	if err != nil {
		return nil, nil, nil, err
	}
	bare.answer.Store(&answer)
	r, err := w.question(ctx, batch{id}, true)
	if err != nil {
		return nil, nil, nil, err
	}
	server, err := newLoad(w.app.Addr(), r)
	if err != nil {
		return nil, nil, nil, err
	}
	ask := func(l *load) timed {
		var c *client
		return func(ctx context.Context) (time.Duration, error) {
			if c == nil {
				if c, err = l.connect(ctx, time.Hour); err != nil {
					return 0, err
				}
				context.AfterFunc(ctx, func() { _ = c.conn.Close() })
			}
			began := time.Now()
			err := c.ask(l.request)
			return time.Since(began), err
		}
	}
	same, reference = ask(server), ask(&load{address: bare.address(), request: server.request})
	paused := false
	changed = func(ctx context.Context) (time.Duration, error) {
		action := "pause"
		if paused {
			action = "resume"
		}
		paused = !paused
		path := fmt.Sprintf("/apigw/operate_task/%d/%d/", id, business)
		if err := w.post(ctx, path, stdops.NewObject("action", action), nil); err != nil {
			return 0, fmt.Errorf("%s the large task: %w", action, err)
		}
		return same(ctx)
	}
	return same, changed, reference, nil
}

// meanwhile does something while tasks of the mixed flow are created and run, one after the other.
func (w *world) meanwhile(ctx context.Context, do func(context.Context) error) error {
	all, ctx := errgroup.WithContext(ctx)
	ctx, done := context.WithCancel(ctx)
	all.Go(func() error {
		for ctx.Err() == nil {
			if _, err := w.createAndStart(ctx, mixed()); err != nil && ctx.Err() == nil {
				return fmt.Errorf("other work: %w", err)
			}
		}
		return nil
	})
	all.Go(func() error {
		defer done()
		return do(ctx)
	})
	return all.Wait()
}
