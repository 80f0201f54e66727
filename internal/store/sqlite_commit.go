package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/stdops/stdops"
)

// commitFile is [Store.Commit] on SQLite.
func (s *Store) commitFile(ctx context.Context, changes []stdops.Change) ([]stdops.Verdict, error) {
	var verdicts []stdops.Verdict
	err := s.writeFile(ctx, func(_ context.Context, tx *sql.Conn) (err error) {
		verdicts, err = s.apply(tx, changes)
		return err
	})
	if err != nil {
		return nil, err
	}
	return verdicts, nil
}

// apply stores changes inside the running write transaction.
func (s *Store) apply(tx *sql.Conn, changes []stdops.Change) ([]stdops.Verdict, error) {
	verdicts := make([]stdops.Verdict, len(changes))
	now := s.Now()
	err := raw(tx, func(conn *sqlite3.Conn) (err error) {
		for i := range changes {
			a := applier{s.writer.batch, conn, &changes[i], now}
			if verdicts[i], err = a.apply(); err != nil {
				return fmt.Errorf("commit task %d: %w", changes[i].Task, err)
			}
			if verdicts[i] == stdops.Committed {
				s.writer.touched.changed(&changes[i])
			}
		}
		return nil
	})
	return verdicts, err
}

// applier stores one change.
type applier struct {
	*batch
	conn   *sqlite3.Conn
	change *stdops.Change
	now    time.Time
}

func (a *applier) apply() (stdops.Verdict, error) {
	for i := range a.change.Keys {
		taken, err := a.taken(&a.change.Keys[i], a.now)
		if err != nil {
			return 0, err
		}
		if taken {
			return stdops.Stale, nil
		}
	}
	found, err := a.claim()
	if err != nil {
		return 0, fmt.Errorf("store root: %w", err)
	}
	if !found {
		return stdops.Stale, nil
	}
	// Attempts first: they are kept as they stand before the change.
	for _, step := range []func() error{
		a.keepStored, a.keepUnstored, a.inputsOfTask, a.nodes, a.nodeData, a.variables, a.forks, a.callbacks, a.tells, a.transitions, a.keys,
	} {
		if err := step(); err != nil {
			return 0, err
		}
	}
	return stdops.Committed, nil
}

// claim stores the root of the task, provided that nobody was faster.
func (a *applier) claim() (bool, error) {
	c, r := a.change, &a.change.Root
	for _, st := range []*sqlite3.Stmt{a.root, a.rootLive} {
		err := bind(st).number(int64(r.State)).text(string(r.Version)).instant(r.Started).instant(r.Finished).number(c.Epoch).
			instant(r.WakeAt).text(c.Executor).flag(r.Live).number(int64(c.Task)).number(int64(c.Project)).number(c.Revision).run()
		if err != nil {
			return false, err
		}
		if a.conn.Changes() > 0 {
			return true, nil
		}
	}
	return false, nil
}

func (a *applier) keepStored() error {
	for _, node := range a.change.Archive {
		if err := bind(a.archive).instant(a.now).number(int64(a.change.Task)).number(int64(node)).run(); err != nil {
			return fmt.Errorf("keep attempt of node %d: %w", node, err)
		}
	}
	return nil
}

// keepUnstored keeps attempts of which there never was a row.
func (a *applier) keepUnstored() error {
	for i := range a.change.Attempts {
		attempt := &a.change.Attempts[i]
		archived := attempt.Archived
		if archived.IsZero() {
			archived = a.now
		}
		d := &attempt.Data
		err := a.bindNode(a.attempt, &attempt.State).bytes(d.Inputs).bytes(d.Outputs).bytes(d.Template).instant(archived).run()
		if err != nil {
			return fmt.Errorf("keep attempt of node %d: %w", attempt.State.Node, err)
		}
	}
	return nil
}

// bindTask gives a statement the parameters that begin every row of a task.
func (a *applier) bindTask(st *sqlite3.Stmt) *binding {
	return bind(st).number(int64(a.change.Project)).number(int64(a.change.Task))
}

func (a *applier) bindNode(st *sqlite3.Stmt, n *stdops.NodeState) *binding {
	return a.bindTask(st).number(int64(n.Node)).number(int64(n.Order)).number(int64(n.State)).number(int64(n.Phase)).
		number(int64(n.Call)).number(int64(n.Loop)).number(int64(n.InnerLoop)).number(int64(n.Retry)).
		number(int64(n.AutoRetries)).flag(n.Skip).flag(n.ErrorIgnored).text(string(n.Version)).number(int64(n.Token)).
		instant(n.Started).instant(n.Finished).instant(n.Due).instant(n.Deadline).instant(n.Called)
}

func (a *applier) nodes() error {
	for i := range a.change.Nodes {
		n := &a.change.Nodes[i]
		if err := a.bindNode(a.node, n).run(); err != nil {
			return fmt.Errorf("store node %d: %w", n.Node, err)
		}
	}
	return nil
}

func (a *applier) nodeData() error {
	for i := range a.change.Data {
		d := &a.change.Data[i]
		err := a.bindTask(a.data).number(int64(d.Node)).bytes(d.Inputs).bytes(d.Outputs).bytes(d.Template).run()
		if err != nil {
			return fmt.Errorf("store data of node %d: %w", d.Node, err)
		}
	}
	return nil
}

// inputsOfTask stores new values of the task's constants.
func (a *applier) inputsOfTask() error {
	if a.change.Inputs == nil {
		return nil
	}
	err := bind(a.inputs).bytes(a.change.Inputs).number(int64(a.change.Task)).number(int64(a.change.Project)).run()
	if err != nil {
		return fmt.Errorf("store inputs: %w", err)
	}
	return nil
}

func (a *applier) variables() error {
	for i := range a.change.Variables {
		v := &a.change.Variables[i]
		var err error
		if v.Value == nil {
			err = bind(a.variableGone).number(int64(a.change.Task)).number(int64(v.Scope)).text(v.Key).run()
		} else {
			err = a.bindTask(a.variable).number(int64(v.Scope)).text(v.Key).bytes(v.Value).run()
		}
		if err != nil {
			return fmt.Errorf("store variable %s of node %d: %w", v.Key, v.Scope, err)
		}
	}
	return nil
}

func (a *applier) forks() error {
	for i := range a.change.Forks {
		f := &a.change.Forks[i]
		var err error
		if f.Dead {
			err = bind(a.forkGone).number(int64(a.change.Task)).number(int64(f.Token)).run()
		} else {
			err = a.bindTask(a.fork).number(int64(f.Token)).number(int64(f.Parent)).number(int64(f.Destination)).
				number(int64(f.Need)).number(int64(f.Have)).number(int64(f.Next)).flag(f.Stopped).
				number(int64(f.SuspendedBy)).flag(f.Moving).run()
		}
		if err != nil {
			return fmt.Errorf("store fork %d: %w", f.Token, err)
		}
	}
	return nil
}

// callbacks stores what was accepted before it removes what was decided: one change may do both to a callback.
func (a *applier) callbacks() error {
	for i := range a.change.Callbacks {
		e := &a.change.Callbacks[i]
		err := a.bindTask(a.event).number(e.Seq).number(int64(e.Node)).text(string(e.Version)).bytes(e.Data).run()
		if err != nil {
			return fmt.Errorf("store callback %d: %w", e.Seq, err)
		}
	}
	for _, seq := range a.change.Consumed {
		if err := bind(a.eventGone).number(int64(a.change.Task)).number(seq).run(); err != nil {
			return fmt.Errorf("remove callback %d: %w", seq, err)
		}
	}
	return nil
}

// tells writes down what the parent of the task has to hear, which it finds whenever it is loaded next.
func (a *applier) tells() error {
	for i := range a.change.Tells {
		t := &a.change.Tells[i]
		err := bind(a.tell).number(int64(t.To.Node)).text(string(t.To.Version)).bytes(t.Data).
			number(int64(t.To.Task)).number(int64(a.change.Project)).run()
		if err != nil {
			return fmt.Errorf("tell task %d: %w", t.To.Task, err)
		}
	}
	return nil
}

func (a *applier) transitions() error {
	for i := range a.change.Transitions {
		t := &a.change.Transitions[i]
		err := a.bindTask(a.transition).number(a.change.Revision + 1).number(int64(i)).number(int64(t.Node)).
			number(int64(t.From)).number(int64(t.To)).text(t.Actor).text(t.Reason).instant(t.Time).run()
		if err != nil {
			return fmt.Errorf("log transition of node %d: %w", t.Node, err)
		}
	}
	return nil
}

func (a *applier) keys() error {
	for i := range a.change.Keys {
		if err := a.keep(&a.change.Keys[i]); err != nil {
			return err
		}
	}
	return nil
}
