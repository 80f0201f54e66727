package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/stdops/stdops"
)

// archiveRows is about how many rows one transaction takes away: others wait for it some hundredths of a second. A task
// goes as a whole, so that a large one is more.
const archiveRows = 10_000

// gone are the tables of which an archived task has no rows.
var gone = []string{"node_state", "node_data", "node_attempt", "variable", "fork", "event", "transition", "log_chunk", "task_input"}

// Archive takes from tasks that ended, or were made and never started, before a moment all but their row and the states
// and times of their nodes, which it packs into one row each. It takes the oldest, at most limit of them and only so many
// as are soon done, in one transaction, and gives how many they were: 0 when there are no more. Tasks that may go on are
// never among them. Calls at the same time do not meet: what one has archived the others leave alone.
func (s *Store) Archive(ctx context.Context, before time.Time, limit int) (int, error) {
	list, err := s.old(ctx, before, limit)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	var marked []oldTask
	err = s.writeBeside(ctx, func(ctx context.Context, tx *sql.Conn, _ *sql.Tx) (err error) {
		marked, err = s.markArchived(ctx, tx, list)
		if err != nil || len(marked) == 0 {
			return err
		}
		return s.keepArchived(ctx, tx, marked)
	})
	if err != nil {
		return 0, fmt.Errorf("archive tasks: %w", err)
	}
	for i := range marked {
		o := &marked[i]
		s.committed(stdops.TaskRevision{Ref: stdops.TaskRef{Project: o.project, Task: o.id}, Revision: o.revision + 1})
	}
	return len(marked), nil
}

// oldTask is a task that can be archived, as it was read.
type oldTask struct {
	id       stdops.TaskID
	project  stdops.ProjectID
	revision int64
	rows     int64 // that it will have no more
	nodes    int64
	body     []byte
	calls    []byte
}

// old reads the tasks that come next, and packs their nodes, before anybody has to wait for that.
func (s *Store) old(ctx context.Context, before time.Time, limit int) ([]oldTask, error) {
	var list []oldTask
	nodes := map[stdops.TaskID][]stdops.NodeState{}
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT id, project_id, revision,
				(SELECT COUNT(*) FROM node_state n WHERE n.task_id = task.id) + (SELECT COUNT(*) FROM node_attempt a WHERE a.task_id = task.id)
				+ (SELECT COUNT(*) FROM transition t WHERE t.task_id = task.id) + (SELECT COUNT(*) FROM log_chunk l WHERE l.task_id = task.id)
			FROM task WHERE live = 0 AND archived_at IS NULL AND COALESCE(finished_at, created_at) < $1 AND state IN ($2, $3, $4)
			ORDER BY COALESCE(finished_at, created_at) LIMIT $5`,
			micros(before), int64(stdops.StateCreated), int64(stdops.StateFinished), int64(stdops.StateRevoked), int64(limit))
		list, err = collect(rows, err, func(o *oldTask) []any {
			return []any{number(&o.id), number(&o.project), &o.revision, &o.rows}
		})
		if err != nil || len(list) == 0 {
			return err
		}
		list = soonDone(list)
		return s.readNodes(ctx, tx, list, nodes)
	})
	if err != nil {
		return nil, fmt.Errorf("look for tasks to archive: %w", err)
	}
	for i := range list {
		of := nodes[list[i].id]
		list[i].nodes, list[i].body, list[i].calls = int64(len(of)), s.packNodes(of), packCalls(of)
	}
	return list, nil
}

// soonDone gives the first tasks of a list that have no more rows than one transaction may take away, at least one.
func soonDone(list []oldTask) []oldTask {
	var rows int64
	for i := range list {
		if rows += list[i].rows; i > 0 && rows > archiveRows {
			return list[:i]
		}
	}
	return list
}

func (s *Store) readNodes(ctx context.Context, q querier, list []oldTask, nodes map[stdops.TaskID][]stdops.NodeState) error {
	type row struct {
		task stdops.TaskID
		stdops.NodeState
	}
	rows, err := q.QueryContext(ctx, `SELECT task_id, `+nodeColumns+` FROM node_state WHERE task_id `+s.dialect().anyOf("$1")+` ORDER BY task_id, node`,
		ids(s.dialect(), tasksOf(list)))
	all, err := collect(rows, err, func(r *row) []any { return append([]any{number(&r.task)}, nodeFields(&r.NodeState)...) })
	for i := range all {
		nodes[all[i].task] = append(nodes[all[i].task], all[i].NodeState)
	}
	return err
}

func tasksOf(list []oldTask) []stdops.TaskID {
	tasks := make([]stdops.TaskID, len(list))
	for i := range list {
		tasks[i] = list[i].id
	}
	return tasks
}

// markArchived marks those of the tasks that are still as they were read: then so is everything else of them.
func (s *Store) markArchived(ctx context.Context, tx *sql.Conn, list []oldTask) ([]oldTask, error) {
	c := s.conditions()
	now := c.param(micros(s.Now()))
	byID := make(map[stdops.TaskID]*oldTask, len(list))
	read := make([]string, len(list))
	for i := range list {
		o := &list[i]
		byID[o.id] = o
		read[i] = `(CAST(` + c.param(int64(o.id)) + ` AS bigint), CAST(` + c.param(o.revision) + ` AS bigint))`
	}
	rows, err := tx.QueryContext(ctx, `UPDATE task SET revision = revision + 1, archived_at = `+now+`
		WHERE archived_at IS NULL AND (id, revision) IN (VALUES `+strings.Join(read, `, `)+`) RETURNING id`, c.args...)
	found, err := collect(rows, err, func(id *stdops.TaskID) []any { return []any{number(id)} })
	if err != nil {
		return nil, fmt.Errorf("mark tasks: %w", err)
	}
	marked := make([]oldTask, len(found))
	for i, id := range found {
		marked[i] = *byID[id]
	}
	return marked, nil
}

// keepArchived stores what is kept of tasks, and removes the rest.
func (s *Store) keepArchived(ctx context.Context, tx *sql.Conn, list []oldTask) error {
	c := s.conditions()
	kept := make([]string, len(list))
	for i := range list {
		o := &list[i]
		kept[i] = `(` + c.param(int64(o.project)) + `, ` + c.param(int64(o.id)) + `, ` + c.param(int64(archiveFormat)) + `, ` +
			c.param(o.nodes) + `, ` + c.param(o.body) + `, ` + c.param(o.calls) + `)`
	}
	text := `INSERT INTO task_archive (project_id, task_id, format, nodes, body, calls) VALUES ` + strings.Join(kept, `, `)
	if _, err := tx.ExecContext(ctx, text, c.args...); err != nil {
		return fmt.Errorf("store what is kept: %w", err)
	}
	tasks := ids(s.dialect(), tasksOf(list))
	for _, table := range gone {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE task_id `+s.dialect().anyOf("$1"), tasks); err != nil {
			return fmt.Errorf("remove rows of %s: %w", table, err)
		}
	}
	return nil
}

const (
	// archiveTasks is how many tasks one transaction archives at most.
	archiveTasks = 100
	// archiveSteps is how many such transactions there are in a turn of the maintenance: 800 tasks a second.
	archiveSteps = 40
)

// ArchiveOld archives tasks that are kept no longer, a bounded number of them. Those that are left come in the next turn.
func (s *Store) ArchiveOld(ctx context.Context) error {
	if s.retention <= 0 {
		return nil
	}
	for range archiveSteps {
		n, err := s.Archive(ctx, s.Now().Add(-s.retention), archiveTasks)
		if err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// archived is what is told to those who ask for something of a task that went when it was archived.
func archived(t *stdops.Task) error {
	return stdops.Errorf(stdops.CodeGone, "task %d was archived on %s: only states and times are kept", t.ID, t.Archived.Format(time.DateOnly))
}

// findWhole reads the row of a task that was not archived.
func findWhole(ctx context.Context, q querier, ref stdops.TaskRef) (stdops.Task, error) {
	t, err := findTask(ctx, q, ref)
	if err == nil && !t.Archived.IsZero() {
		err = archived(&t)
	}
	return t, err
}

// orArchived tells of a task of which nothing was found when that is because it was archived.
func orArchived(ctx context.Context, q querier, ref stdops.TaskRef, found int) error {
	if found > 0 {
		return nil
	}
	_, err := findWhole(ctx, q, ref)
	if stdops.ErrorCode(err) == stdops.CodeNotFound {
		return nil
	}
	return err
}

// archivedNodes gives archived tasks of the batch their nodes. A row that cannot be read spoils its own task only.
func (s *Store) archivedNodes(r treeReads, tasks []stdops.TaskID, batch *StatusBatch, place map[stdops.TaskID]int) error {
	for _, id := range tasks {
		batch.Tasks[place[id]].Err = errors.New("the row of its archive is missing")
	}
	return r.archivesOf(tasks, func(task stdops.TaskID, packed packedNodes) {
		row := &batch.Tasks[place[task]]
		row.Nodes, row.Err = readArchive(s.unzip, packed)
	})
}

// packedNodes is what the row of an archive has of the nodes of its task.
type packedNodes struct {
	format      int64
	body, calls []byte
}

func readArchive(unzip *zstd.Decoder, p packedNodes) ([]stdops.NodeState, error) {
	text, err := unzip.DecodeAll(p.body, nil)
	var nodes []stdops.NodeState
	if err == nil {
		nodes, err = unpackNodes(p.format, text)
	}
	if err == nil {
		err = unpackCalls(p.calls, nodes)
	}
	if err != nil {
		return nil, fmt.Errorf("read its archive: %w", err)
	}
	return nodes, nil
}
