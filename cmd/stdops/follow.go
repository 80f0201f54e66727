package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/stdops/stdops/client"
)

// follow says which tasks to look at, and until when.
type follow struct {
	ids   []int64
	every time.Duration // how often to look where the server does not tell of changes
	until func(*client.StatusList) bool
	quiet bool
}

const (
	// restartTime is how long a server may be away while tasks are followed: it may be started anew, and its tasks go on.
	restartTime = time.Minute
	// looked is how often is looked at least while the server tells of changes: a proxy may swallow what it tells.
	looked = 10 * time.Second
	// between is how long changes are collected at most.
	between = 100 * time.Millisecond
	// mostListened is of how many tasks the server tells in one stream.
	mostListened = 1000
)

// follow shows tasks until they are as they should be, and gives how they stand then. It looks when the server says that
// something has changed, and every so often where it does not say such things.
func (c *cli) follow(ctx context.Context, to *client.Client, f follow) (*client.StatusList, error) {
	board, news := c.board(), c.listen(ctx, to, f.ids)
	defer news.stop()
	var seen time.Time // when the server last answered
	for {
		list, err := c.statuses(ctx, to, f.ids)
		if away := (*client.UnreachableError)(nil); errors.As(err, &away) && ctx.Err() == nil && time.Since(seen) < restartTime {
			pause(ctx, f.every)
			continue
		}
		if err != nil {
			return nil, err
		}
		seen = time.Now()
		if !f.quiet {
			if err := board.update(list); err != nil {
				return nil, err
			}
		}
		if f.until(list) {
			return list, nil
		}
		pause(ctx, min(f.every, between))
		news.await(ctx, seen, f.every)
		if ctx.Err() != nil {
			return list, ctx.Err()
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// news tells when some tasks have changed, where the server tells it.
type news struct {
	bell chan struct{}
	told atomic.Bool // the server tells of changes
	stop func()      // ends listening, and waits for it
}

// listen begins to listen for changes of tasks. What goes wrong with it is not told: then the tasks are looked at again and
// again, and that tells what is wrong.
func (c *cli) listen(ctx context.Context, to *client.Client, ids []int64) *news {
	n := &news{bell: make(chan struct{}, 1), stop: func() {}}
	if len(ids) > mostListened {
		return n
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	n.stop = func() { cancel(); <-done }
	go func() {
		defer close(done)
		for _, err := range to.Watch(ctx, c.projectID, client.WatchRequest{IDs: ids}) {
			n.told.Store(err == nil)
			n.ring()
		}
	}()
	return n
}

func (n *news) ring() {
	select {
	case n.bell <- struct{}{}:
	default:
	}
}

// await returns when something has changed since the tasks were looked at, or when it is time to look again.
func (n *news) await(ctx context.Context, seen time.Time, every time.Duration) {
	if n.told.Load() {
		every = max(every, looked)
	}
	select {
	case <-ctx.Done():
	case <-n.bell:
	case <-time.After(time.Until(seen.Add(every))):
	}
}
