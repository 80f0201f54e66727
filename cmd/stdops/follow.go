package main

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

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
	// looked is how often is looked at least while the server tells of changes: a proxy may swallow what it tells.
	looked = 10 * time.Second
	// between is how long changes are collected at most.
	between = 100 * time.Millisecond
	// pace is how often is looked at most when change follows change, after the first few: an answer about many tasks is work.
	pace = time.Second
	// quick is how many looks in a row may come sooner, so that tasks that take a moment are not waited for longer.
	quick = 3
	// mostListened is of how many tasks the server tells in one stream.
	mostListened = 1000
)

// follow shows tasks until they are as they should be, and gives how they stand then. It looks when the server says that
// something has changed, and every so often where it does not say such things.
func (c *cli) follow(ctx context.Context, to *client.Client, f follow) (*client.StatusList, error) {
	board, news := c.board(), c.listen(ctx, to, f.ids)
	defer news.stop()
	var out outage
	for {
		list, err := c.statuses(ctx, to, f.ids)
		if out.ends(err, time.Now()) || err != nil && ctx.Err() != nil {
			return nil, err
		}
		if err != nil {
			pause(ctx, f.every)
			continue
		}
		if !f.quiet {
			if err := board.update(list); err != nil {
				return nil, err
			}
		}
		if f.until(list) {
			return list, nil
		}
		news.await(ctx, f.every)
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
	told atomic.Bool   // the server tells of changes
	pace *rate.Limiter // of the looks that follow from what it tells
	stop func()        // ends listening, and waits for it
}

func newNews() *news {
	return &news{bell: make(chan struct{}, 1), pace: rate.NewLimiter(rate.Every(pace), quick), stop: func() {}}
}

// listen begins to listen for changes of tasks. What goes wrong with it is not told: then the tasks are looked at again and
// again, and that tells what is wrong.
func (c *cli) listen(ctx context.Context, to *client.Client, ids []int64) *news {
	n := newNews()
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

// await returns when something has changed since the tasks were looked at, a moment ago, or when it is time to look again.
func (n *news) await(ctx context.Context, every time.Duration) {
	next := time.Now().Add(every)
	pause(ctx, min(every, between))
	if n.told.Load() {
		next = next.Add(max(0, looked-every))
	}
	select {
	case <-ctx.Done():
	case <-n.bell:
	case <-time.After(time.Until(next)):
	}
	if n.told.Load() {
		pause(ctx, n.pace.Reserve().Delay())
	}
}
