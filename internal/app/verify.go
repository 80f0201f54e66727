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

// VerifyDatabase does the same for a PostgreSQL database, as it is at this moment: servers may be at work on it.
func VerifyDatabase(ctx context.Context, db string, wrong func(task stdops.TaskID, problem string)) (v Verified, err error) {
	data, err := store.OpenDatabase(ctx, db)
	if err != nil {
		return v, err
	}
	defer data.Close()
	return verify(ctx, data, wrong)
}

func verify(ctx context.Context, data *store.Copy, wrong func(task stdops.TaskID, problem string)) (v Verified, err error) {
	problems, err := data.Check(ctx)
	if err != nil {
		return v, err
	}
	for _, text := range problems {
		wrong(0, text)
	}
	trees, err := service.NewTrees(namedTrees{data})
	if err != nil {
		return v, err
	}
	now, err := data.TimeOnRecord(ctx)
	if err != nil {
		wrong(0, err.Error())
	}
	if today := time.Now(); today.After(now) { // else the server was ahead of the clock of this machine
		now = today
	}
	for last := stdops.TaskID(0); ; {
		refs, err := data.Tasks(ctx, last, verifyPage)
		if err != nil && ctx.Err() == nil {
			wrong(0, fmt.Sprintf("tasks after task %d can not be listed: %v", last, err))
		}
		if len(refs) == 0 {
			return v, ctx.Err()
		}
		for _, ref := range refs {
			transitions, problems := verifyTask(ctx, data, trees, ref, now)
			if ctx.Err() != nil {
				return v, ctx.Err()
			}
			v.Tasks++
			v.Transitions += transitions
			for _, text := range problems {
				wrong(ref.Task, text)
			}
		}
		last = refs[len(refs)-1].Task
	}
}

// verifyTask gives how many transitions a task has had, and what is wrong with its record.
func verifyTask(ctx context.Context, data *store.Copy, trees *service.Trees, ref stdops.TaskRef, now time.Time) (int, []string) {
	record, err := data.Record(ctx, ref)
	if err != nil {
		return 0, []string{fmt.Sprintf("its record can not be read: %v", err)}
	}
	graph, err := trees.Graph(ctx, record.Task.TreeHash)
	if err != nil {
		return len(record.Log), []string{err.Error()}
	}
	problems := engine.Audit(record, graph, now)
	if record.Task.Parent.Task != 0 {
		problems = append(problems, verifyChild(ctx, data, trees, record)...)
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
