package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/stdops/stdops"
)

// NewTask is a task to be created.
type NewTask struct {
	Task stdops.Task // its ID is given by the store

	// Body and Skeleton are what Task.TreeHash names. They are stored with the first task of a tree.
	Body, Skeleton []byte

	// Inputs is a JSON object: the values of the constants by key.
	Inputs []byte

	// Start, when set, makes the first change of the task, decided on revision 0; task and change are stored together.
	// It runs while the store waits for it, so it only computes. A nil change is none.
	Start func(stdops.Task) (*stdops.Change, error)

	// Key, when set, is stored with the task, whose id it gets. A key that is taken lets nothing be stored.
	Key *stdops.RequestKey
}

// CreateTask stores a task and gives it with its id, which is greater than that of any task that was stored before. An id is never
// used again. When the key is taken, or the attempt that makes a child has one, the error is [stdops.ErrRepeated].
func (s *Store) CreateTask(ctx context.Context, n NewTask) (stdops.Task, error) {
	body := s.zip.EncodeAll(n.Body, nil)
	task := n.Task
	err := s.writeBeside(ctx, func(ctx context.Context, tx *sql.Conn, whole *sql.Tx) error {
		if err := s.free(ctx, tx, n.Key); err != nil {
			return err
		}
		if err := s.holdTask(ctx, tx, stdops.TaskRef{Project: task.Project, Task: task.Parent.Task}); err != nil {
			return err
		}
		if err := mayHaveChild(ctx, tx, task.Project, task.Parent); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO tree (hash, body, skeleton) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING`,
			task.TreeHash, body, nonNil(n.Skeleton))
		if err != nil {
			return fmt.Errorf("store tree: %w", err)
		}
		err = insertTask(ctx, tx, &task)
		if duplicate(err) { // ids are the store's own, so it is the attempt that has a child by now
			return stdops.ErrRepeated
		}
		if err != nil {
			return fmt.Errorf("store task: %w", err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO task_input (project_id, task_id, inputs) VALUES ($1, $2, $3)`,
			int64(task.Project), int64(task.ID), nonNil(n.Inputs))
		if err != nil {
			return fmt.Errorf("store inputs: %w", err)
		}
		if err := s.keepKey(ctx, tx, n.Key, int64(task.ID)); err != nil {
			return err
		}
		first, err := s.startTask(ctx, tx, &task, n.Start)
		if err != nil || first == nil || s.pg == nil {
			return err
		}
		return s.pg.leaveToOthers(ctx, whole, first)
	})
	if err != nil {
		return stdops.Task{}, fmt.Errorf("create task: %w", err)
	}
	s.committed(stdops.TaskRevision{Ref: stdops.TaskRef{Project: task.Project, Task: task.ID}, Revision: task.Root.Revision})
	return task, nil
}

func insertTask(ctx context.Context, tx *sql.Conn, t *stdops.Task) error {
	r := &t.Root
	if r.State == stdops.StateNone {
		r.State = stdops.StateCreated
	}
	r.Revision = 0
	return tx.QueryRowContext(ctx, `
		INSERT INTO task (project_id, name, tree_hash, flow_type, claimed, deleted, template_id, template_source,
			create_method, app, creator, executor, description, category, created_at, parent_id, parent_node, parent_version,
			state, version, started_at, finished_at, revision, epoch, live, wake_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, 0, $23, $24, $25)
		RETURNING id`,
		int64(t.Project), t.Name, t.TreeHash, string(t.FlowType), t.Claimed, t.Deleted, int64(t.Template), t.TemplateSource,
		t.CreateMethod, t.App, t.Creator, t.Executor, t.Description, t.Category, micros(t.Created),
		int64(t.Parent.Task), int64(t.Parent.Node), string(t.Parent.Version),
		int64(r.State), string(r.Version), micros(r.Started), micros(r.Finished), r.Epoch, r.Live, micros(r.WakeAt),
	).Scan(number(&t.ID))
}

// startTask applies the first change of a task that was just inserted, and gives it; nil when there is none.
func (s *Store) startTask(
	ctx context.Context, tx *sql.Conn, t *stdops.Task, start func(stdops.Task) (*stdops.Change, error),
) (*stdops.Change, error) {
	if start == nil {
		return nil, nil
	}
	change, err := start(*t)
	if err != nil || change == nil {
		return nil, err
	}
	if change.Task != t.ID || change.Project != t.Project {
		return nil, fmt.Errorf("the first change of task %d is of task %d", t.ID, change.Task)
	}
	first := *change
	first.Outside = true // nobody drives the task yet
	verdicts, err := s.applyIn(ctx, tx, []stdops.Change{first})
	if err != nil {
		return nil, err
	}
	if verdicts[0] != stdops.Committed {
		return nil, errors.New("the first change was not decided on revision 0")
	}
	if change.Executor != "" {
		t.Executor = change.Executor
	}
	t.Root = change.Root
	t.Root.Revision, t.Root.Epoch = change.Revision+1, change.Epoch
	return &first, nil
}

// nonNil makes an empty value of an absent one, for columns that always have one.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Task reads one task.
func (s *Store) Task(ctx context.Context, ref stdops.TaskRef) (stdops.Task, error) {
	t, err := findTask(ctx, s.readers, ref)
	return t, explain(err)
}

// TaskTree reads the body of the tree with that hash.
func (s *Store) TaskTree(ctx context.Context, hash string) ([]byte, error) {
	body, err := taskTree(ctx, s.readers, s.unzip, hash)
	return body, explain(err)
}

func taskTree(ctx context.Context, q querier, unzip *zstd.Decoder, hash string) ([]byte, error) {
	var packed []byte
	err := q.QueryRowContext(ctx, `SELECT body FROM tree WHERE hash = $1`, hash).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, stdops.Errorf(stdops.CodeNotFound, "tree %s does not exist", hash)
	}
	if err != nil {
		return nil, fmt.Errorf("load tree %s: %w", hash, err)
	}
	body, err := unzip.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack tree %s: %w", hash, err)
	}
	return body, nil
}

// TaskInputs reads the values of a task's constants, a JSON object.
func (s *Store) TaskInputs(ctx context.Context, ref stdops.TaskRef) ([]byte, error) {
	inputs, err := findInputs(ctx, s.readers, ref)
	return inputs, explain(err)
}

func findInputs(ctx context.Context, q querier, ref stdops.TaskRef) ([]byte, error) {
	var inputs []byte
	err := q.QueryRowContext(ctx, `SELECT inputs FROM task_input WHERE task_id = $1 AND project_id = $2`,
		int64(ref.Task), int64(ref.Project)).Scan(&inputs)
	if errors.Is(err, sql.ErrNoRows) {
		if _, err := findWhole(ctx, q, ref); err != nil {
			return nil, err
		}
		return nil, noInputs(ref.Task)
	}
	if err != nil {
		return nil, fmt.Errorf("load inputs of task %d: %w", ref.Task, err)
	}
	return inputs, nil
}

// DeleteTask hides a task that does not run. Its record stays, for those who ask for it by its id, and its revision is
// raised; a task that is deleted already is left as it is.
func (s *Store) DeleteTask(ctx context.Context, ref stdops.TaskRef) error {
	var deleted []stdops.TaskRevision
	err := s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		rows, err := tx.QueryContext(ctx, `
			UPDATE task SET revision = revision + 1, deleted = 1
			WHERE id = $1 AND project_id = $2 AND deleted = 0 AND state NOT IN ($3, $4)
			RETURNING project_id, id, revision`,
			int64(ref.Task), int64(ref.Project), int64(stdops.StateRunning), int64(stdops.StateSuspended))
		deleted, err = collect(rows, err, revisionFields)
		if err != nil {
			return fmt.Errorf("delete task %d: %w", ref.Task, err)
		}
		if len(deleted) > 0 {
			return nil
		}
		task, err := findTask(ctx, tx, ref)
		if err != nil || task.Deleted {
			return err
		}
		return stdops.Errorf(stdops.CodeRefused, "task is %s: it can be deleted once it has finished or was revoked", task.Root.State)
	})
	if err == nil {
		s.committed(deleted...)
	}
	return err
}
