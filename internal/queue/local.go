package queue

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/stdops/stdops"
)

// Local is a queue inside one process. Each task has at most one wake-up; a new one replaces the old.
type Local struct {
	now func() time.Time

	mu      sync.Mutex
	heap    wakeHeap
	byTask  map[stdops.TaskRef]*entry
	changed chan struct{} // holds a token when the earliest wake-up changed
}

type entry struct {
	wake  stdops.Wake
	index int
}

// NewLocal makes an empty queue, for moments by the time that now tells.
func NewLocal(now func() time.Time) *Local {
	return &Local{now: now, byTask: make(map[stdops.TaskRef]*entry), changed: make(chan struct{}, 1)}
}

// Wake asks for the task to be woken at a moment; the zero time takes the wish back.
func (q *Local) Wake(w stdops.Wake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	old := q.byTask[w.Ref]
	switch {
	case w.At.IsZero() && old == nil:
		return
	case w.At.IsZero():
		heap.Remove(&q.heap, old.index)
		delete(q.byTask, w.Ref)
		return
	case old != nil:
		old.wake = w
		heap.Fix(&q.heap, old.index)
	default:
		e := &entry{wake: w}
		q.byTask[w.Ref] = e
		heap.Push(&q.heap, e)
	}
	if q.heap[0].wake.Ref == w.Ref {
		select {
		case q.changed <- struct{}{}:
		default:
		}
	}
}

// Len gives the number of tasks that are to be woken.
func (q *Local) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.heap)
}

// longestSleep bounds how late a wake-up can be after the machine was suspended: timers stand still meanwhile, and the time of
// the server goes on.
const longestSleep = 5 * time.Second

// Run calls fire for each task whose moment has come, until ctx is done. fire must not block for long.
func (q *Local) Run(ctx context.Context, fire func(stdops.TaskRef)) {
	timer := time.NewTimer(longestSleep)
	defer timer.Stop()
	for {
		due, next := q.take(q.now())
		for _, ref := range due {
			fire(ref)
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-q.changed:
		}
	}
}

// take removes what is due and says how long nothing else will be.
func (q *Local) take(now time.Time) (due []stdops.TaskRef, next time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.heap) > 0 && !q.heap[0].wake.At.After(now) {
		e := heap.Pop(&q.heap).(*entry)
		delete(q.byTask, e.wake.Ref)
		due = append(due, e.wake.Ref)
	}
	if len(q.heap) == 0 {
		return due, longestSleep
	}
	return due, min(longestSleep, q.heap[0].wake.At.Sub(now))
}

type wakeHeap []*entry

func (h wakeHeap) Len() int           { return len(h) }
func (h wakeHeap) Less(i, j int) bool { return h[i].wake.At.Before(h[j].wake.At) }
func (h wakeHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *wakeHeap) Push(x any) {
	e := x.(*entry)
	e.index = len(*h)
	*h = append(*h, e)
}

func (h *wakeHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}
