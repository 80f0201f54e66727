package app

import (
	"context"
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/store"
)

// Verified says what [Verify] looked at.
type Verified struct {
	Tasks       int `json:"tasks"`
	Transitions int `json:"transitions"`
}

// verifyPage is how many tasks are listed at once.
const verifyPage = 1000

// Verify reads the data directory of a stopped server, or a copy of one, and changes nothing in it. It checks the database
// file, replays the log of every task, and holds the record of each against its log and against what always holds. wrong
// is told of every problem; task 0 is the file itself.
func Verify(ctx context.Context, dir string, wrong func(task stdops.TaskID, problem string)) (v Verified, err error) {
	data, err := store.OpenCopy(ctx, dir)
	if err != nil {
		return v, err
	}
	defer data.Close()
	return verify(ctx, data, wrong)
}

// VerifyDatabase does the same for a PostgreSQL database: servers may be at work on it.
func VerifyDatabase(ctx context.Context, db string, wrong func(task stdops.TaskID, problem string)) (v Verified, err error) {
	data, err := store.OpenDatabase(ctx, db)
	if err != nil {
		return v, err
	}
	defer data.Close()
	return verify(ctx, data, wrong)
}

func verify(ctx context.Context, data *store.Copy, wrong func(task stdops.TaskID, problem string)) (v Verified, err error) {
	e := examination{data: data, wrong: wrong}
	now, err := data.TimeOnRecord(ctx)
	if err != nil {
		wrong(0, err.Error())
	}
	if e.now = now; time.Now().After(now) { // else the server was ahead of the clock of this machine
		e.now = time.Now()
	}
	return e.run(ctx)
}

// examination is one look at all that a data directory holds.
type examination struct {
	data  *store.Copy
	now   time.Time // of the look
	wrong func(task stdops.TaskID, problem string)
	// orphan, misled and each, unless they are nil, are for those who want to know more: the first two are told instead of wrong
	// of rows of no task and of tasks that somebody else or nobody drives; each is given every record that can be read.
	orphan func(store.Orphans)
	misled func(store.Misled)
	each   func(record *stdops.Record, graph *flow.Graph)

	trees *service.Trees
}

// run looks at the file and at all tasks, deleted ones too.
func (e *examination) run(ctx context.Context) (v Verified, err error) {
	if err := e.file(ctx); err != nil {
		return v, err
	}
	if e.trees, err = service.NewTrees(namedTrees{e.data}); err != nil {
		return v, err
	}
	for last := stdops.TaskID(0); ; {
		refs, err := e.data.Tasks(ctx, last, verifyPage)
		if err != nil && ctx.Err() == nil {
			e.wrong(0, fmt.Sprintf("tasks after task %d can not be listed: %v", last, err))
		}
		if len(refs) == 0 {
			return v, ctx.Err()
		}
		for _, ref := range refs {
			if v.Transitions += e.one(ctx, ref); ctx.Err() != nil {
				return v, ctx.Err()
			}
			v.Tasks++
		}
		last = refs[len(refs)-1].Task
	}
}

// one looks at one moment of a task, tells what is wrong with it, and gives how many transitions it has had.
func (e *examination) one(ctx context.Context, ref stdops.TaskRef) (transitions int) {
	var problems []string
	err := e.data.Moment(ctx, func() error {
		if e.data.Live() { // what is stored may be later than the last look
			now, err := e.data.TimeOnRecord(ctx)
			if err != nil {
				return err
			}
			if now.After(e.now) {
				e.now = now
			}
		}
		transitions, problems = e.task(ctx, ref)
		return nil
	})
	if err != nil {
		problems = append(problems, err.Error())
	}
	if ctx.Err() != nil { // what was found is that the look was ended
		return transitions
	}
	for _, text := range problems {
		e.wrong(ref.Task, text)
	}
	return transitions
}

// file looks at the file, or the database, as a whole.
func (e *examination) file(ctx context.Context) error {
	problems, orphans, err := e.data.Check(ctx)
	if err != nil {
		return err
	}
	for _, text := range problems {
		e.wrong(0, text)
	}
	for _, o := range orphans {
		if e.orphan != nil {
			e.orphan(o)
		} else {
			e.wrong(0, o.String())
		}
	}
	misled, err := e.data.Misled(ctx)
	if err != nil {
		return err
	}
	for _, m := range misled {
		if e.misled != nil {
			e.misled(m)
		} else {
			e.wrong(m.Ref.Task, m.What)
		}
	}
	return nil
}

// task gives how many transitions a task has had, and what is wrong with its record.
func (e *examination) task(ctx context.Context, ref stdops.TaskRef) (int, []string) {
	record, err := e.data.Record(ctx, ref)
	if err != nil {
		return 0, []string{fmt.Sprintf("its record can not be read: %v", err)}
	}
	graph, err := e.trees.Graph(ctx, record.Task.TreeHash)
	if err != nil {
		return len(record.Log), []string{err.Error()}
	}
	problems := engine.Audit(record, graph, e.now)
	if record.Task.Parent.Task != 0 {
		problems = append(problems, verifyChild(ctx, e.data, e.trees, record)...)
	}
	if e.each != nil {
		e.each(record, graph)
	}
	return len(record.Log), problems
}

// verifyChild holds a task against the one of which a node made it.
func verifyChild(ctx context.Context, data *store.Copy, trees *service.Trees, child *stdops.Record) []string {
	ref := stdops.TaskRef{Project: child.Task.Project, Task: child.Task.Parent.Task}
	parent, err := data.Record(ctx, ref)
	if err != nil {
		return []string{fmt.Sprintf("the record of task %d, of which it is a child, can not be read: %v", ref.Task, err)}
	}
	graph, err := trees.Graph(ctx, parent.Task.TreeHash)
	if err != nil {
		return []string{err.Error()}
	}
	return engine.AuditChild(child, parent, graph)
}

// namedTrees gives only trees that are what their name says.
type namedTrees struct{ data *store.Copy }

// TaskTree reads the body of the tree with that hash.
func (t namedTrees) TaskTree(ctx context.Context, hash string) ([]byte, error) {
	body, err := t.data.TaskTree(ctx, hash)
	if err == nil && flow.Hash(body) != hash {
		err = fmt.Errorf("its content was changed: the hash is %s", flow.Hash(body))
	}
	return body, err
}
