package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/stdops/stdops"
)

// clusterStore is a store that several engines have open. It keeps tasks in memory, and knows who drives which.
type clusterStore struct {
	mu      sync.Mutex
	rand    *rand.Rand
	mistake clusterMistake
	tasks   *simStore
	shared  map[stdops.TaskID]*sharing
	workers map[int64]time.Time // until when each process that drives tasks counts as alive
	last    int64               // worker
	told    int64               // number of the latest message of a child
	gone    time.Time           // until when nobody reaches it
	calm    bool                // nothing fails any more
	hint    func(stdops.TaskRef, int64)
	wrong   func(string, ...any)
	delayed sync.WaitGroup // statements that nobody waits for
}

// sharing is who drives a task.
type sharing struct {
	owner   int64     // 0: nobody
	due     time.Time // when somebody has to take it; zero: when something is done to it
	touched bool      // by somebody else than the owner
}

func newClusterStore(seed uint64, mistake clusterMistake) *clusterStore {
	s := &clusterStore{
		rand: rand.New(rand.NewPCG(seed, 2)), mistake: mistake, tasks: newSimStore(time.Now),
		shared: make(map[stdops.TaskID]*sharing), workers: make(map[int64]time.Time),
	}
	return s
}

// chance is true once in n times.
func (s *clusterStore) chance(n int) bool { return !s.calm && s.rand.IntN(n) == 0 }

func (s *clusterStore) draw(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(n)
}

// clusterLink is how one process reaches the store.
type clusterLink struct {
	*clusterStore
	worker int64
	cut    time.Time // until when it does not
	dead   bool      // it never does again
}

// away gives until when the store cannot be reached, the zero time when it can.
func (l *clusterLink) away() (until time.Time) {
	now := time.Now()
	for _, t := range []time.Time{l.cut, l.gone} {
		if t.After(now) && t.After(until) {
			until = t
		}
	}
	if l.dead {
		return now.Add(time.Hour)
	}
	return until
}

// late says whether a statement may be carried out after whoever sent it has given up.
type late bool

// reach does something with the store, after the way there and before the way back. It may fail, or hang until ctx is done; and
// what was sent may still be done when nobody waits for it any more.
func reach[T any](ctx context.Context, l *clusterLink, may late, do func(worker int64) (T, error)) (none T, _ error) {
	l.mu.Lock()
	worker := l.worker
	l.mu.Unlock()
	if err := l.travel(ctx); err != nil {
		l.mu.Lock()
		arrives := l.away().Add(time.Duration(l.rand.IntN(5000)) * time.Millisecond)
		delayed := bool(may) && !l.dead && l.chance(4)
		l.mu.Unlock()
		if delayed && time.Until(arrives) > 0 {
			l.delayed.Go(func() {
				time.Sleep(time.Until(arrives))
				l.mu.Lock()
				defer l.mu.Unlock()
				do(worker) //nolint:errcheck // nobody is left to hear of it
			})
		}
		return none, err
	}
	l.mu.Lock()
	answer, err := do(worker)
	unheard := l.chance(40)
	l.mu.Unlock()
	if lost := l.travel(ctx); lost != nil || unheard {
		return none, errUnheard
	}
	return answer, err
}

func (l *clusterLink) travel(ctx context.Context) error {
	l.mu.Lock()
	takes := time.Duration(l.rand.IntN(3000)) * time.Microsecond
	if l.chance(100) {
		takes *= 300
	}
	until, hangs := l.away(), l.rand.IntN(2) == 0
	l.mu.Unlock()
	if !until.IsZero() && hangs {
		takes = time.Until(until)
	}
	if !sleep(ctx, takes) {
		return ctx.Err()
	}
	if !until.IsZero() {
		return errBroken
	}
	return nil
}

// Join implements [Ownership].
func (l *clusterLink) Join(ctx context.Context) error {
	worker, err := reach(ctx, l, false, func(int64) (int64, error) {
		l.last++
		l.workers[l.last] = time.Now().Add(stdops.LeaseTime)
		return l.last, nil
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.worker = worker
	return nil
}

func (s *clusterStore) alive(worker int64) error {
	if !s.workers[worker].After(time.Now()) {
		return stdops.ErrNoLease
	}
	return nil
}

// Renew implements [Ownership].
func (l *clusterLink) Renew(ctx context.Context) error {
	_, err := reach(ctx, l, true, func(worker int64) (struct{}, error) {
		err := l.alive(worker)
		if err == nil {
			l.workers[worker] = time.Now().Add(stdops.LeaseTime)
		}
		return struct{}{}, err
	})
	return err
}

// Leave implements [Ownership].
func (l *clusterLink) Leave(ctx context.Context) error {
	_, err := reach(ctx, l, true, func(worker int64) (struct{}, error) {
		l.free(worker)
		return struct{}{}, nil
	})
	return err
}

// free lets the tasks of a worker go.
func (s *clusterStore) free(worker int64) {
	left := s.workers[worker].After(time.Now())
	delete(s.workers, worker)
	for id, o := range s.shared {
		if o.owner != worker {
			continue
		}
		*o = sharing{}
		s.tasks.tasks[id].task.Root.Epoch++
		if left || s.mistake != mistakeForgetsFreed {
			o.due = time.Now()
		}
	}
}

func (s *clusterStore) take(t *simTask, worker int64) stdops.Claim {
	t.task.Root.Epoch++
	*s.shared[t.task.ID] = sharing{owner: worker}
	return stdops.Claim{Ref: t.ref(), Epoch: t.task.Root.Epoch}
}

// Claim implements [Ownership].
func (l *clusterLink) Claim(ctx context.Context, refs []stdops.TaskRef) ([]stdops.Claim, error) {
	return reach(ctx, l, true, func(worker int64) (claims []stdops.Claim, _ error) {
		if err := l.alive(worker); err != nil {
			return nil, err
		}
		for _, ref := range refs {
			t := l.tasks.tasks[ref.Task]
			switch o := l.shared[ref.Task]; {
			case !t.task.Root.Live:
			case o.owner == 0 || o.owner == worker:
				claims = append(claims, l.take(t, worker))
			default:
				l.hint(ref, o.owner)
			}
		}
		return claims, nil
	})
}

// Owned implements [Ownership].
func (l *clusterLink) Owned(ctx context.Context) (map[stdops.TaskRef]int64, error) {
	return reach(ctx, l, false, func(worker int64) (map[stdops.TaskRef]int64, error) {
		owned := make(map[stdops.TaskRef]int64)
		for id, o := range l.shared {
			if t := l.tasks.tasks[id]; o.owner == worker {
				owned[t.ref()] = t.task.Root.Revision
			}
		}
		return owned, nil
	})
}

// hears reports whether a child has told a task something that it did not decide yet.
func (t *simTask) hears() bool {
	return slices.ContainsFunc(t.callbacks, func(c stdops.Callback) bool { return c.Seq < 0 })
}

// Sweep implements [Ownership].
func (l *clusterLink) Sweep(ctx context.Context, room int) (stdops.Sweep, error) {
	return reach(ctx, l, true, func(worker int64) (found stdops.Sweep, _ error) {
		for other, until := range l.workers {
			if !until.After(time.Now()) {
				l.free(other)
			}
		}
		if err := l.alive(worker); err != nil {
			return found, err
		}
		var due []*simTask
		for id, o := range l.shared {
			t := l.tasks.tasks[id]
			switch {
			case !t.task.Root.Live:
			case o.owner == worker && (o.touched || t.hears()):
				o.touched = false
				found.Touched = append(found.Touched, t.ref())
			case o.owner == 0 && (!o.due.IsZero() && !o.due.After(time.Now()) || t.hears()):
				due = append(due, t)
			}
		}
		slices.SortFunc(due, func(a, b *simTask) int { return l.shared[a.task.ID].due.Compare(l.shared[b.task.ID].due) })
		for _, t := range due[:min(room, len(due))] {
			found.Claimed = append(found.Claimed, l.take(t, worker))
		}
		found.More = len(due) > room
		return found, nil
	})
}

// Release implements [Ownership].
func (l *clusterLink) Release(ctx context.Context, tasks []stdops.Release) ([]bool, error) {
	sleep(ctx, time.Duration(l.draw(500))*time.Millisecond) // so that something comes between
	return reach(ctx, l, true, func(int64) ([]bool, error) {
		gone := make([]bool, len(tasks))
		for i, r := range tasks {
			t, o := l.tasks.tasks[r.Ref.Task], l.shared[r.Ref.Task]
			same := r.Revision == stdops.AnyRevision || r.Revision == t.task.Root.Revision || l.mistake == mistakeReleasesLetters
			if gone[i] = o.owner != 0 && t.task.Root.Epoch == r.Epoch && same; gone[i] {
				t.task.Root.Epoch++
				*o = sharing{due: r.WakeAt}
			}
		}
		return gone, nil
	})
}

// Step implements [Ownership].
func (l *clusterLink) Step(ctx context.Context, ref stdops.TaskRef, decide func(*stdops.Snapshot) (*stdops.Change, error)) error {
	_, err := reach(ctx, l, false, func(int64) (none struct{}, _ error) {
		t, err := l.tasks.find(ref)
		if err != nil {
			return none, err
		}
		c, err := decide(t.snapshot())
		if c == nil || err != nil {
			return none, err
		}
		switch verdict := l.apply(c); {
		case verdict == stdops.Committed:
			return none, nil
		case len(c.Keys) > 0 && l.tasks.keys[simKeyOf(&c.Keys[0])]:
			return none, stdops.ErrRepeated
		default:
			return none, errors.New("a step on a locked task is not wanted")
		}
	})
	return err
}

// Commit implements [Commits]. When nobody has heard what was stored it looks again after a while, if it can: then others may
// have changed the same tasks, so that it finds out, or not.
func (l *clusterLink) Commit(ctx context.Context, changes []stdops.Change) ([]stdops.Verdict, error) {
	var stored []stdops.Verdict
	verdicts, err := reach(ctx, l, true, func(int64) (verdicts []stdops.Verdict, _ error) {
		for i := range changes {
			verdict := stdops.Busy
			if !l.chance(30) {
				verdict = l.apply(&changes[i])
			}
			verdicts = append(verdicts, verdict)
		}
		stored = verdicts
		return verdicts, nil
	})
	l.mu.Lock()
	lost := l.chance(20)
	l.mu.Unlock()
	switch {
	case err == nil && !lost:
		return verdicts, nil
	case err != nil && !errors.Is(err, errUnheard), l.draw(4) == 0, !sleep(ctx, time.Duration(l.draw(4500))*time.Millisecond):
		return nil, &stdops.Error{Code: stdops.CodeUnavailable, Message: "nobody knows what was stored", Err: err}
	}
	return reach(ctx, l, false, func(int64) ([]stdops.Verdict, error) {
		for i := range changes {
			c := &changes[i]
			if root := &l.tasks.tasks[c.Task].task.Root; root.Revision > c.Revision+1 {
				stored[i] = l.traced(stored[i], c, root)
			}
		}
		return stored, nil
	})
}

// traced is what can be told of a change after which others have come.
func (l *clusterLink) traced(verdict stdops.Verdict, c *stdops.Change, root *stdops.RootState) stdops.Verdict {
	switch {
	case l.mistake == mistakeNoTrace && root.Epoch != c.Epoch:
		return stdops.Fenced
	case l.mistake == mistakeNoTrace:
		return stdops.Stale
	case verdict == stdops.Committed && l.rand.IntN(2) == 0:
		return stdops.Unknown
	}
	return verdict
}

func (l *clusterLink) apply(c *stdops.Change) stdops.Verdict {
	t, o := l.tasks.tasks[c.Task], l.shared[c.Task]
	root := &t.task.Root
	if root.Epoch != c.Epoch {
		if l.mistake != mistakeNoEpoch {
			return stdops.Fenced
		}
		c.Epoch = root.Epoch
	}
	if verdict := l.tasks.apply(c); verdict != stdops.Committed {
		return verdict
	}
	switch {
	case !root.Live:
		*o = sharing{}
	case !c.Outside && o.owner == 0:
		l.wrong("task %d is driven under epoch %d by somebody who has let it go", c.Task, c.Epoch)
	case !c.Outside:
		o.touched = false
	case o.owner == 0:
		o.due = time.Now()
		l.hint(t.ref(), 0)
	default:
		o.touched = true
	}
	for _, tell := range c.Tells {
		if parent := l.tasks.tasks[tell.To.Task]; parent.task.Root.Live {
			l.told++
			parent.callbacks = append(parent.callbacks, stdops.Callback{Seq: -l.told, Node: tell.To.Node, Version: tell.To.Version, Data: tell.Data})
		}
	}
	return stdops.Committed
}

// Load implements [Tasks].
func (l *clusterLink) Load(ctx context.Context, ref stdops.TaskRef) (*stdops.Snapshot, error) {
	return reach(ctx, l, false, func(int64) (*stdops.Snapshot, error) { return l.tasks.Load(ctx, ref) })
}

// Taken implements [Tasks].
func (l *clusterLink) Taken(ctx context.Context, keys []*stdops.RequestKey) ([]bool, error) {
	return reach(ctx, l, false, func(int64) ([]bool, error) { return l.tasks.Taken(ctx, keys) })
}

// Live implements [Tasks].
func (l *clusterLink) Live(context.Context) ([]stdops.Wake, error) {
	panic("nobody has this store for itself")
}
