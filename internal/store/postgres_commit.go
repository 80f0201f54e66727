package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stdops/stdops"
)

const (
	// defaultInsist is how long Commit goes on asking a database that is gone.
	defaultInsist = 30 * time.Second
	// insistFirst and insistMost bound the pauses between two tries.
	insistFirst, insistMost = 20 * time.Millisecond, time.Second
	// insistOnce is how long one try may take.
	insistOnce = 10 * time.Second
)

// batchOf is a batch on its way.
type batchOf struct {
	texts     *batchTexts
	changes   []stdops.Change
	verdicts  []stdops.Verdict
	open      []int   // changes of which the verdict is to come
	commitIDs []int64 // that changes leave in their tasks
	now       time.Time
	lost      bool // an answer was lost: what is said to be moved may be what this batch has stored
}

func (p *postgres) batch(changes []stdops.Change, now time.Time) *batchOf {
	b := &batchOf{texts: &p.texts, changes: changes, verdicts: make([]stdops.Verdict, len(changes)), now: now}
	for i := range changes {
		b.open = append(b.open, i)
		b.commitIDs = append(b.commitIDs, rand.Int64())
	}
	return b
}

// commit stores a batch, whatever becomes of the connection.
func (p *postgres) commit(ctx context.Context, changes []stdops.Change, now time.Time) ([]stdops.Verdict, error) {
	if err := onceEach(changes); err != nil {
		return nil, err
	}
	b := p.batch(changes, now)
	// Within its time a batch is carried to its end, whatever becomes of connections: the caller is to know what was stored.
	whole, cancel := context.WithTimeout(ctx, p.insist)
	defer cancel()
	for pause := insistFirst; ; pause = min(2*pause, insistMost) {
		err := p.try(whole, b)
		switch {
		case err == nil && len(b.open) == 0:
			return b.verdicts, nil
		case err == nil: // a task is held, maybe by the try of which the answer was lost
		case disconnected(err) || errors.Is(err, context.DeadlineExceeded):
			b.lost = true
		case refusal(err) == deadlockDetected || refusal(err) == serializationFailed: // all was taken back
		default:
			return nil, explain(err)
		}
		select {
		case <-time.After(pause):
		case <-whole.Done():
			if err == nil {
				err = whole.Err()
			}
			return nil, unavailable(err)
		}
	}
}

// onceEach refuses a batch with two changes of a task: one statement sees a row as it was before.
func onceEach(changes []stdops.Change) error {
	seen := make(map[stdops.TaskID]struct{}, len(changes))
	for i := range changes {
		if _, twice := seen[changes[i].Task]; twice {
			return fmt.Errorf("a batch has two changes of task %d", changes[i].Task)
		}
		seen[changes[i].Task] = struct{}{}
	}
	return nil
}

// try sends what is open. A batch without keys is one statement, which is a transaction of its own.
func (p *postgres) try(ctx context.Context, b *batchOf) (err error) {
	ctx, cancel := context.WithTimeout(ctx, insistOnce)
	defer cancel()
	conn, err := p.batches.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer func() { leaveStandby(conn, err) }()
	if !slices.ContainsFunc(b.changes, func(c stdops.Change) bool { return len(c.Keys) > 0 }) {
		return b.send(ctx, conn)
	}
	next := *b // counts when it is stored
	next.verdicts = slices.Clone(b.verdicts)
	err = transact(ctx, conn, func(ctx context.Context, tx *sql.Conn) error { return next.storeWithKeys(ctx, tx) })
	if err == nil {
		*b = next
	}
	return err
}

// apply stores changes inside of a transaction, with their keys.
func (b *batchOf) apply(ctx context.Context, tx *sql.Conn) ([]stdops.Verdict, error) {
	err := b.storeWithKeys(ctx, tx)
	return b.verdicts, err
}

// storeWithKeys stores keys first, since they decide who is the first; those of changes that were not stored after all are
// taken back.
func (b *batchOf) storeWithKeys(ctx context.Context, tx *sql.Conn) error {
	if b.lost {
		if err := b.readBack(ctx, tx); err != nil {
			return err
		}
	}
	kept, taken, err := b.takeKeys(ctx, tx)
	if err != nil {
		return err
	}
	if b.lost && len(taken) > 0 { // by the try of which the answer was lost, when it ended only now
		open := b.open
		b.open = taken
		if err := b.readBack(ctx, tx); err != nil {
			return err
		}
		taken, b.open = b.open, open
	}
	for _, i := range taken {
		b.verdicts[i] = stdops.Stale
	}
	if err := b.send(ctx, tx); err != nil {
		return err
	}
	for i := range kept {
		if b.verdicts[kept[i].change] != stdops.Committed || slices.Contains(b.open, kept[i].change) {
			if err := dropKey(ctx, tx, kept[i].key); err != nil {
				return err
			}
		}
	}
	return nil
}

// keptKey is a key that was stored for a change.
type keptKey struct {
	change int
	key    *stdops.RequestKey
}

// takeKeys stores the keys of the open changes. Those with one that is taken are not open any more.
func (b *batchOf) takeKeys(ctx context.Context, tx *sql.Conn) (kept []keptKey, taken []int, err error) {
	var (
		wanted []stdops.RequestKey
		open   []int
		seen   = map[keyName]bool{} // wanted by an earlier change of the batch
	)
	for _, i := range b.open {
		keys := b.changes[i].Keys
		if slices.ContainsFunc(keys, func(k stdops.RequestKey) bool { return seen[nameOf(&k)] }) {
			taken = append(taken, i)
			continue
		}
		for k := range keys {
			seen[nameOf(&keys[k])] = true
		}
		open, wanted = append(open, i), append(wanted, keys...)
	}
	b.open = open
	if len(wanted) == 0 {
		return nil, taken, nil
	}
	stored, err := keepKeys(ctx, tx, wanted, b.now)
	if err != nil {
		return nil, nil, err
	}
	b.open = nil
	for _, i := range open {
		keys, all := b.changes[i].Keys, true
		for k := range keys {
			if stored[nameOf(&keys[k])] {
				kept = append(kept, keptKey{i, &keys[k]})
			} else {
				all = false
			}
		}
		if all {
			b.open = append(b.open, i)
		} else {
			taken = append(taken, i)
		}
	}
	return kept, taken, nil
}

// settle gives a change its verdict.
func (b *batchOf) settle(change int, v stdops.Verdict) {
	b.verdicts[change] = v
	b.open = slices.DeleteFunc(slices.Clone(b.open), func(i int) bool { return i == change })
}

// readBack gives those of the open changes their verdict that were stored although nobody heard of it, and those of which that
// cannot be told any more.
func (b *batchOf) readBack(ctx context.Context, tx *sql.Conn) error {
	byTask := map[stdops.TaskID]int{}
	var list []int64
	for _, i := range b.open {
		byTask[b.changes[i].Task] = i
		list = append(list, int64(b.changes[i].Task))
	}
	type row struct {
		id                        stdops.TaskID
		revision, epoch, commitID int64
	}
	found, err := tx.QueryContext(ctx, `SELECT id, revision, epoch, COALESCE(commit_id, 0) FROM task WHERE id = ANY ($1)`, list)
	stored, err := collect(found, err, func(r *row) []any { return []any{number(&r.id), &r.revision, &r.epoch, &r.commitID} })
	if err != nil {
		return fmt.Errorf("look for what was stored: %w", err)
	}
	for _, r := range stored {
		i := byTask[r.id]
		switch {
		case r.commitID == b.commitIDs[i]:
			b.settle(i, stdops.Committed)
		case r.revision > b.changes[i].Revision+1:
			v, err := b.trace(ctx, tx, i, r.epoch)
			if err != nil {
				return err
			}
			b.settle(i, v)
		}
	}
	return nil
}

// trace gives a change its verdict after whose answer was lost the task was changed again, so that the number of its commit is
// gone. Transitions say whose the revision is that the change would have made: nobody else has written the same ones at the same
// microsecond. A revision without any may be that of the change or not.
func (b *batchOf) trace(ctx context.Context, tx *sql.Conn, change int, epoch int64) (stdops.Verdict, error) {
	c := &b.changes[change]
	type row struct {
		node, from, to, at int64
		actor              string
	}
	found, err := tx.QueryContext(ctx, `
		SELECT node, from_state, to_state, COALESCE(at, 0), actor FROM transition WHERE task_id = $1 AND revision = $2 ORDER BY n`,
		int64(c.Task), c.Revision+1)
	stored, err := collect(found, err, func(r *row) []any { return []any{&r.node, &r.from, &r.to, &r.at, &r.actor} })
	if err != nil {
		return 0, fmt.Errorf("look for the trace of what was stored: %w", err)
	}
	var own []row
	for _, t := range c.Transitions {
		at := int64(0)
		if !t.Time.IsZero() {
			at = t.Time.UnixMicro()
		}
		own = append(own, row{int64(t.Node), int64(t.From), int64(t.To), at, t.Actor})
	}
	switch {
	case len(stored) == 0:
		return stdops.Unknown, nil
	case slices.Equal(stored, own):
		return stdops.Committed, nil
	}
	return overtaken(c, epoch), nil
}

// send runs the batch statement for the open changes, and gives them their verdicts. Where an answer was lost a task that
// is held stays open: it may be that the server still stores what was sent then.
func (b *batchOf) send(ctx context.Context, conn *sql.Conn) error {
	if len(b.open) == 0 {
		return nil
	}
	parts, args := b.arguments()
	found, err := conn.QueryContext(ctx, b.texts.with(parts), args...)
	type row struct {
		change          int64
		revision, epoch sql.NullInt64
		stored          bool
	}
	lost, err := collect(found, err, func(r *row) []any { return []any{&r.change, &r.revision, &r.epoch, &r.stored} })
	if err != nil {
		return fmt.Errorf("store a batch: %w", err)
	}
	var open []int
	for _, i := range b.open {
		b.verdicts[i] = stdops.Committed
	}
	for _, r := range lost {
		i := int(r.change)
		c := &b.changes[i]
		switch {
		case b.lost && r.stored:
		case !r.revision.Valid:
			b.verdicts[i] = stdops.Stale
		case b.lost && r.revision.Int64 > c.Revision+1:
			if b.verdicts[i], err = b.trace(ctx, conn, i, r.epoch.Int64); err != nil {
				return err
			}
		case r.epoch.Int64 != c.Epoch || r.revision.Int64 != c.Revision:
			b.verdicts[i] = overtaken(c, r.epoch.Int64)
		case b.lost:
			open = append(open, i)
		default:
			b.verdicts[i] = stdops.Busy
		}
	}
	b.open = open
	return nil
}

// overtaken is the verdict of a change that was not stored since its task was changed by others.
func overtaken(c *stdops.Change, epoch int64) stdops.Verdict {
	if epoch != c.Epoch && !c.Outside {
		return stdops.Fenced
	}
	return stdops.Stale
}
