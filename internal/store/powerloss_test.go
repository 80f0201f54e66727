package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store/disktest"
)

var (
	crashes = flag.Int("crashes", 20, "how often TestPowerLoss lets the power fail")
	seed    = flag.Uint64("seed", 0, "of TestPowerLoss; 0 takes a new one")
)

// TestPowerLoss lets the power fail at a random write, sync, truncation or removal of a file, again and again. After each
// time the store opens, its file is sound, what was acknowledged is there, and what is there is what was done up to some
// moment, as a whole.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	w := newPowerless(t, "power", "")
	for range *crashes {
		if w.life(); t.Failed() {
			t.FailNow()
		}
	}
	if w.lost > 0 || w.done == 0 || w.cut == 0 {
		t.Errorf("%d of %d acknowledged changes were lost in %d losses of power", w.lost, w.done, w.cut)
	}
	t.Logf("%d losses of power, %d of them while a store was opened: 0 of %d acknowledged changes lost; %d changes that were not "+
		"acknowledged are there; a log was left %d times", w.cut, w.opening, w.done, w.more, w.logs)
}

// TestPowerLossControl is TestPowerLoss with a store that does not sync its log at a commit: it has to lose something.
func TestPowerLossControl(t *testing.T) {
	t.Parallel()
	w := newPowerless(t, "power-control", "PRAGMA synchronous = NORMAL;")
	w.lossy, w.unchecked = true, true
	for range *crashes {
		if w.life(); t.Failed() {
			t.FailNow()
		}
	}
	if w.lost == 0 {
		t.Errorf("with synchronous=NORMAL nothing of %d changes was lost in %d losses of power: this test sees nothing", w.done, w.cut)
	}
	t.Logf("%d losses of power: %d of %d acknowledged changes lost", w.cut, w.lost, w.done)
}

// powerless is a store that loses power, and what it acknowledged.
type powerless struct {
	t    *testing.T
	dice *rand.Rand
	disk *disktest.Disk
	Options
	history
	lives, cut, opening, lost, done, more, logs int
	epoch                                       int64
	idle                                        atomic.Int64 // seconds for which nothing was written, in all
	lossy                                       bool
}

func newPowerless(t *testing.T, name, settings string) *powerless {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("-seed %d", s)
	w := &powerless{t: t, dice: rand.New(rand.NewPCG(s, 1))}
	w.disk = disktest.New(name, rand.New(rand.NewPCG(s, 2)))
	t.Cleanup(w.disk.Close)
	w.Options = testOptions("")
	w.VFS, w.Settings, w.FoldAt = name, settings, 30
	w.Now = func() time.Time { return at(int(w.idle.Load())) }
	return w
}

// life opens the store, changes it until the power fails, and opens it again to look what is left.
func (w *powerless) life() {
	w.t.Helper()
	if w.lives%25 == 0 {
		w.Dir, w.history, w.epoch = w.t.TempDir(), history{}, 0
	}
	w.lives++
	w.disk.FailAfter(int(math.Exp(w.dice.Float64() * math.Log(2000)))) // at an early change as often as at late ones
	s, err := Open(w.t.Context(), w.Options)
	switch {
	case err == nil:
		w.work(s)
	case !w.disk.Off():
		w.t.Fatalf("open: %v", err)
	default:
		w.opening++
	}
	w.cut++
	if err := w.disk.PowerOn(); err != nil {
		w.t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(w.Dir, databaseFile+"-wal")); err == nil && info.Size() > 0 {
		w.logs++
	}
	w.look()
}

// work changes the store until it fails, while others read it.
func (w *powerless) work(s *Store) {
	if s.Epoch() <= w.epoch {
		w.t.Errorf("boot %d after boot %d", s.Epoch(), w.epoch)
	}
	w.epoch = s.Epoch()
	var readers sync.WaitGroup
	var end atomic.Bool
	for range 2 {
		readers.Go(func() {
			for id := stdops.TaskID(1); !end.Load(); id = id%20 + 1 {
				_, _ = s.Load(w.t.Context(), stdops.TaskRef{Project: 1, Task: id})
			}
		})
	}
	reopen := w.dice.IntN(4) == 0
	for n := 0; ; n++ {
		if err := w.history.step(w.t.Context(), s, w.dice); err != nil {
			if !w.disk.Off() || !errors.Is(err, ErrDisk) {
				w.t.Errorf("a change failed with %v", err)
			}
			break
		}
		w.done++
		if reopen && n == 5 {
			break
		}
		if w.dice.IntN(12) == 0 {
			w.idle.Add(60)
			_ = s.foldLog(w.t.Context())
		}
	}
	end.Store(true)
	readers.Wait()
	_ = s.Close() // of a store without a disk
	if reopen && !w.disk.Off() {
		if s, err := Open(w.t.Context(), w.Options); err == nil {
			w.work(s)
		}
	}
}

// look opens the store without its faults and compares it with the history.
func (w *powerless) look() {
	w.t.Helper()
	plain := testOptions(w.Dir)
	plain.unchecked = w.unchecked
	s, err := Open(w.t.Context(), plain)
	if err != nil {
		w.t.Fatalf("the store does not open after a loss of power: %v", err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	var said string
	if err := s.readers.QueryRowContext(w.t.Context(), `PRAGMA integrity_check`).Scan(&said); err != nil || said != "ok" {
		w.t.Fatalf("integrity_check: %s, %v", said, err)
	}
	if s.Epoch() <= w.epoch && !w.lossy {
		w.t.Errorf("boot %d after boot %d", s.Epoch(), w.epoch)
	}
	w.epoch = s.Epoch()
	left, err := w.history.compare(w.t.Context(), s)
	if err != nil {
		w.t.Fatal(err)
	}
	if left < w.acked {
		w.lost += w.acked - left
	} else {
		w.more += left - w.acked
	}
	w.history.cut(left)
}

// history is what was done to a store, in order. Each step is one transaction and stores its number in many places.
type history struct {
	steps []step
	tasks int // that were made
	acked int // steps
}

// step is one transaction: it makes a task, or changes some.
type step struct {
	made    stdops.TaskID
	changed []stdops.TaskID
	size    int // of the data of each changed task
}

// is gives what step n stores.
func (p step) text(n int) []byte {
	return append(fmt.Appendf(nil, "step %d ", n), bytes.Repeat([]byte{byte('a' + n%26)}, p.size)...)
}

// step does the next step and notes it, whether or not it succeeds.
func (h *history) step(ctx context.Context, s *Store, dice *rand.Rand) error {
	n := len(h.steps) + 1
	key := stdops.RequestKey{Project: 1, Owner: "app", Key: fmt.Sprint(n), Expires: at(1e9)}
	if h.tasks == 0 || dice.IntN(3) == 0 {
		h.steps = append(h.steps, step{made: stdops.TaskID(h.tasks + 1)})
		task := newTask(fmt.Sprint(n))
		task.Key = &key
		made, err := s.CreateTask(ctx, task)
		if err != nil {
			return err
		}
		if made.ID != stdops.TaskID(h.tasks+1) {
			return fmt.Errorf("the new task is %d and not %d", made.ID, h.tasks+1)
		}
		h.tasks++
		h.acked = n
		return nil
	}
	p := step{size: dice.IntN(200)}
	if dice.IntN(4) == 0 {
		p.size = dice.IntN(20_000)
	}
	for _, i := range dice.Perm(h.tasks)[:1+dice.IntN(min(h.tasks, 8))] {
		p.changed = append(p.changed, stdops.TaskID(i+1))
	}
	h.steps = append(h.steps, p)
	changes := make([]stdops.Change, len(p.changed))
	for i, id := range p.changed {
		changes[i] = stdops.Change{
			Task: id, Project: 1, Revision: h.revision(id, n-1), Epoch: s.Epoch(),
			Root:        stdops.RootState{State: stdops.StateRunning, Version: "v", Started: at(n), Live: true, WakeAt: at(n + 60)},
			Nodes:       []stdops.NodeState{{Node: 1, State: stdops.StateRunning, Call: int32(n), Version: "v", Started: at(n)}},
			Data:        []stdops.NodeData{{Node: 1, Outputs: p.text(n)}},
			Transitions: []stdops.Transition{{Node: 1, From: stdops.StateRunning, To: stdops.StateRunning, Actor: fmt.Sprint(n), Time: at(n)}},
		}
	}
	changes[0].Keys = []stdops.RequestKey{key}
	verdicts, err := s.Commit(ctx, changes)
	if err != nil {
		return err
	}
	for i, v := range verdicts {
		if v != stdops.Committed {
			return fmt.Errorf("step %d: the change of task %d is stale", n, changes[i].Task)
		}
	}
	h.acked = n
	return nil
}

// revision counts the changes of a task up to a step.
func (h *history) revision(id stdops.TaskID, upTo int) (n int64) {
	for _, p := range h.steps[:upTo] {
		for _, changed := range p.changed {
			if changed == id {
				n++
			}
		}
	}
	return n
}

// compare gives up to which step a store has the history; it is an error when it has anything else.
func (h *history) compare(ctx context.Context, s *Store) (left int, err error) {
	err = s.read(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		left, err = h.compareIn(ctx, tx)
		return err
	})
	return left, err
}

func (h *history) compareIn(ctx context.Context, tx *sql.Tx) (int, error) {
	var left, highest int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(MAX(CAST(key AS INTEGER)), 0) FROM request_key`).Scan(&left, &highest); err != nil {
		return 0, err
	}
	if left != highest || left > len(h.steps) {
		return 0, fmt.Errorf("%d of the steps up to %d are there, %d were tried: this is no prefix", left, highest, len(h.steps))
	}
	type row struct {
		id       stdops.TaskID
		name     string
		revision int64
		call     sql.NullInt64
		data     []byte
		log      int64
	}
	rows, err := tx.QueryContext(ctx, `
		SELECT t.id, t.name, t.revision, n.call, d.outputs, (SELECT COUNT(*) FROM transition l WHERE l.task_id = t.id)
		FROM task t LEFT JOIN node_state n ON n.task_id = t.id LEFT JOIN node_data d ON d.task_id = t.id ORDER BY t.id`)
	got, err := collect(rows, err, func(r *row) []any {
		return []any{number(&r.id), &r.name, &r.revision, &r.call, &r.data, &r.log}
	})
	if err != nil {
		return 0, err
	}
	var want []row
	for i, p := range h.steps[:left] {
		n := i + 1
		if p.made > 0 {
			want = append(want, row{id: p.made, name: fmt.Sprint(n)})
		}
		for _, id := range p.changed {
			r := &want[id-1]
			r.revision, r.log = r.revision+1, r.log+1
			r.call, r.data = sql.NullInt64{Int64: int64(n), Valid: true}, p.text(n)
		}
	}
	if len(got) != len(want) {
		return 0, fmt.Errorf("after %d steps there are %d tasks, not %d", left, len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		if g.id != w.id || g.name != w.name || g.revision != w.revision || g.call != w.call || g.log != w.log || !bytes.Equal(g.data, w.data) {
			return 0, fmt.Errorf("after %d steps task %d is %+v\nand not %+v", left, w.id, g, w)
		}
	}
	return left, nil
}

// cut takes the history as it is stored for what has happened.
func (h *history) cut(left int) {
	h.steps, h.acked, h.tasks = h.steps[:left], left, 0
	for _, p := range h.steps {
		if p.made > 0 {
			h.tasks++
		}
	}
}
