package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stdops/stdops"
)

// StatusQuery says which tasks of a project are asked about: those of a list when List is not nil, those of IDs when
// these are not nil, deleted ones included, else the newest that are not deleted.
type StatusQuery struct {
	List     *TaskFilter
	Total    bool // how many the list has in all is wanted as well
	IDs      []stdops.TaskID
	Newest   int
	Children bool // the states of all nodes are wanted, not only those that decide how the task stands
	Most     int  // states that an answer with children holds in all; 0 sets no bound
	Run      bool // what tells whether anything goes on is wanted: Done, and the nodes of revoked tasks that are not FINISHED
	Updated  bool // when each task last changed is wanted

	// Known gives the revision of a task that the caller has the status of: what did not change since is not read again.
	// It is called while the transaction is open, so it only looks up. nil: nothing is known.
	Known func(stdops.TaskID) (revision int64, ok bool)
}

// StatusRows is all that the status of one task is derived from.
type StatusRows struct {
	Task stdops.Task

	// Nodes are in order of their first execution. Without Children they are those of a task that was started and is not
	// ended, and of these the nodes that are not FINISHED: an enclosing subprocess that is not among them does not run.
	// With Run there may be more.
	Nodes []stdops.NodeState
	Cut   bool // Nodes are those without Children, because all of them would be more than the query allows
	Done  int  // activities that are FINISHED, when Run asked for them

	// Updated is the moment of the latest entry in the log of the task, when that was asked for; zero where the log is empty or was
	// archived.
	Updated time.Time

	Unchanged bool // Nodes are left out: the task has the revision that the caller knows

	Skeleton *stdops.Skeleton
	Err      error // why the tree or the archive of this one task cannot be read
}

// StatusBatch is the answer to a [StatusQuery], by descending id, as it was at one moment.
type StatusBatch struct {
	Tasks     []StatusRows
	Truncated bool  // there are older tasks than the newest that were asked for
	Total     int64 // tasks that the list has on all its pages, when that was asked
	Now       time.Time
}

// Statuses reads how tasks stand, all of one moment, with two statements for any number of them, a third for trees that
// were not asked about lately, one for the nodes of those that were archived, one for what a run counts, one for when they last changed, and two more when their
// children could be more than the query allows.
func (s *Store) Statuses(ctx context.Context, project stdops.ProjectID, q StatusQuery) (*StatusBatch, error) {
	if s.pg != nil {
		return s.postgresStatuses(ctx, project, q)
	}
	expected := s.revisions.expect(q.IDs)
	// The time comes first: what a task is read with as still running may have ended before a later one.
	batch := &StatusBatch{Now: s.Now()}
	err := s.readOn(ctx, func(ctx context.Context, conn *sql.Conn, tx *sql.Tx) error {
		if q.List != nil {
			if err := s.statusList(ctx, tx, project, q, batch); err != nil {
				return err
			}
		}
		return s.hot.run(ctx, conn, func(r *statusReads) error {
			if q.List == nil {
				if err := r.tasks(project, q, batch); err != nil {
					return err
				}
			}
			if err := s.statusSkeletons(r, batch); err != nil {
				return err
			}
			return s.statusNodes(r, q, batch)
		})
	})
	if err != nil {
		s.revisions.fill(expected, nil)
		return nil, fmt.Errorf("load statuses: %w", err)
	}
	s.revisions.fill(expected, batch.Tasks)
	return batch, nil
}

// treeReads are what is read of nodes and trees in the transaction of a status.
type treeReads interface {
	countsOf(tasks []stdops.TaskID, each func(task stdops.TaskID, nodes int)) error
	// nodesOf and openNodesOf put nodes where each says; those of a task come one after the other.
	nodesOf(tasks []stdops.TaskID, each func(stdops.TaskID) *stdops.NodeState) error
	openNodesOf(tasks []stdops.TaskID, each func(stdops.TaskID) *stdops.NodeState) error
	doneNodesOf(tasks []stdops.TaskID, each func(stdops.TaskID, stdops.NodeIndex)) error
	archivesOf(tasks []stdops.TaskID, each func(stdops.TaskID, packedNodes)) error
	updatesOf(tasks []stdops.TaskID, each func(stdops.TaskID, time.Time)) error
	skeletonsOf(hashes []string, each func(hash string, packed []byte)) error
}

func (r *statusReads) tasks(project stdops.ProjectID, q StatusQuery, batch *StatusBatch) error {
	b := bind(r.byIDs).number(int64(project))
	if q.IDs == nil {
		b = bind(r.newest).number(int64(project)).number(int64(q.Newest) + 1)
	} else {
		b.text(idList(q.IDs))
	}
	err := b.rows(func(c *columns) {
		batch.Tasks = append(batch.Tasks, StatusRows{})
		row := &batch.Tasks[len(batch.Tasks)-1]
		c.task(&row.Task)
		row.Unchanged = q.unchanged(&row.Task)
	})
	if q.IDs == nil && len(batch.Tasks) > q.Newest {
		batch.Tasks, batch.Truncated = batch.Tasks[:q.Newest], true
	}
	return err
}

// statusList reads the tasks of a list, and how many it has on all its pages unless the page tells that by itself.
func (s *Store) statusList(ctx context.Context, tx *sql.Tx, project stdops.ProjectID, q StatusQuery, batch *StatusBatch) error {
	rows, err := q.List.query(ctx, tx, s.conditions(), project)
	batch.Tasks, err = collect(rows, err, func(r *StatusRows) []any { return taskFields(&r.Task) })
	if err != nil || !q.Total {
		return err
	}
	if n := len(batch.Tasks); n < q.List.limit() && (n > 0 || q.List.Offset == 0) && q.List.Before == 0 {
		batch.Total = q.List.Offset + int64(n)
		return nil
	}
	var counts TaskCounts
	err = countTasks(ctx, tx, s.conditions(), project, q.List.TaskMatch, "", &counts)
	batch.Total = counts.Total
	return err
}

// unchanged reports whether the caller knows all about the task.
func (q *StatusQuery) unchanged(t *stdops.Task) bool {
	if q.Known == nil {
		return false
	}
	revision, ok := q.Known(t.ID)
	return ok && revision == t.Root.Revision
}

// statusNodes reads the nodes of the tasks in the batch. The states of an ended task's nodes change nothing of how the
// task stands, so they are read only when they are wanted for themselves.
func (s *Store) statusNodes(r treeReads, q StatusQuery, batch *StatusBatch) error {
	if q.Children {
		if err := cut(r, q.Most, batch); err != nil {
			return err
		}
	}
	place := map[stdops.TaskID]int{}
	var whole, packed, open, done []stdops.TaskID
	for i := range batch.Tasks {
		row := &batch.Tasks[i]
		t := &row.Task
		place[t.ID] = i
		switch {
		case row.Unchanged:
		case t.Root.State == stdops.StateCreated, row.Err != nil: // nothing could be made of its nodes
		case (q.Children && !row.Cut || q.Run) && !t.Archived.IsZero():
			packed = append(packed, t.ID)
		case q.Children && !row.Cut:
			whole = append(whole, t.ID)
		default:
			if !t.Root.State.Ended() || q.Run && t.Root.State == stdops.StateRevoked {
				open = append(open, t.ID)
			}
			done = append(done, t.ID)
		}
	}
	c := collector{batch: batch, place: place}
	if len(whole) > 0 {
		if err := r.nodesOf(whole, c.next); err != nil {
			return err
		}
	}
	if len(packed) > 0 {
		if err := s.archivedNodes(r, packed, batch, place); err != nil {
			return err
		}
	}
	if len(open) > 0 {
		if err := r.openNodesOf(open, c.next); err != nil {
			return err
		}
	}
	for i := range batch.Tasks {
		batch.Tasks[i].Nodes = byOrder(batch.Tasks[i].Nodes)
	}
	if q.Run {
		if err := countDone(r, done, batch, place); err != nil {
			return err
		}
	}
	if q.Updated {
		return readUpdates(r, batch, place)
	}
	return nil
}

// readUpdates reads when tasks last changed. Each is found by the end of its part of the key of the log.
func readUpdates(r treeReads, batch *StatusBatch, place map[stdops.TaskID]int) error {
	var tasks []stdops.TaskID
	for i := range batch.Tasks {
		if row := &batch.Tasks[i]; !row.Unchanged && row.Task.Archived.IsZero() {
			tasks = append(tasks, row.Task.ID)
		}
	}
	if len(tasks) == 0 {
		return nil
	}
	return r.updatesOf(tasks, func(task stdops.TaskID, at time.Time) { batch.Tasks[place[task]].Updated = at })
}

// countDone counts the activities that are FINISHED: of tasks whose nodes are all there among these, of the others in the
// database.
func countDone(r treeReads, tasks []stdops.TaskID, batch *StatusBatch, place map[stdops.TaskID]int) error {
	for i := range batch.Tasks {
		row := &batch.Tasks[i]
		for j := range row.Nodes {
			if row.Nodes[j].State == stdops.StateFinished {
				row.finished(row.Nodes[j].Node)
			}
		}
	}
	if len(tasks) == 0 {
		return nil
	}
	return r.doneNodesOf(tasks, func(task stdops.TaskID, n stdops.NodeIndex) { batch.Tasks[place[task]].finished(n) })
}

// finished counts a node when it is an activity. One that the tree does not have is for others to notice.
func (r *StatusRows) finished(n stdops.NodeIndex) {
	if r.Skeleton != nil && n > stdops.RootNode && int(n) < len(r.Skeleton.Nodes) && r.Skeleton.Nodes[n].Kind == stdops.KindActivity {
		r.Done++
	}
}

// cut finds the tasks whose nodes are more than there is room for, newest first. They are counted only when their trees
// are large enough for that.
func cut(r treeReads, most int, batch *StatusBatch) error {
	size, ids := 0, make([]stdops.TaskID, len(batch.Tasks))
	for i := range batch.Tasks {
		row := &batch.Tasks[i]
		ids[i] = row.Task.ID
		if row.Skeleton != nil {
			size += len(row.Skeleton.Nodes)
		}
	}
	if most == 0 || size <= most {
		return nil
	}
	nodes := make(map[stdops.TaskID]int, len(ids))
	err := r.countsOf(ids, func(task stdops.TaskID, n int) { nodes[task] = n })
	for i := range batch.Tasks {
		row := &batch.Tasks[i]
		if n := nodes[row.Task.ID]; n > most {
			row.Cut, row.Unchanged = true, false // what the caller knows holds its nodes
		} else {
			most -= n
		}
	}
	return err
}

// firstNodes is how many nodes of a task there is room for at first: of larger trees often only a part is reached.
const firstNodes = 1024

// collector gives the tasks of the batch their nodes.
type collector struct {
	batch *StatusBatch
	place map[stdops.TaskID]int
	row   *StatusRows // whose nodes come
}

// next makes room for a node of a task.
func (c *collector) next(task stdops.TaskID) *stdops.NodeState {
	if c.row == nil || c.row.Task.ID != task {
		c.row = &c.batch.Tasks[c.place[task]]
		c.row.Nodes = slices.Grow(c.row.Nodes, min(len(c.row.Skeleton.Nodes), firstNodes))
	}
	return added(&c.row.Nodes)
}

// byOrder sorts nodes by their order of first execution. Few trees need it, but of these some are large: so their places
// are sorted and not the nodes, which are many times larger.
func byOrder(nodes []stdops.NodeState) []stdops.NodeState {
	if slices.IsSortedFunc(nodes, func(a, b stdops.NodeState) int { return cmp.Compare(a.Order, b.Order) }) {
		return nodes
	}
	places := make([]int32, len(nodes))
	for i := range places {
		places[i] = int32(i)
	}
	slices.SortFunc(places, func(a, b int32) int { return cmp.Compare(nodes[a].Order, nodes[b].Order) })
	sorted := make([]stdops.NodeState, len(nodes))
	for i, at := range places {
		sorted[i] = nodes[at]
	}
	return sorted
}

// statusSkeletons gives every task its skeleton. A tree that cannot be read spoils the tasks of that tree only.
func (s *Store) statusSkeletons(r treeReads, batch *StatusBatch) error {
	missing := map[string][]int{}
	for i := range batch.Tasks {
		row := &batch.Tasks[i]
		hash := row.Task.TreeHash
		if sk, ok := s.skeletons.GetIfPresent(hash); ok {
			row.Skeleton = sk
			continue
		}
		missing[hash] = append(missing[hash], i)
		row.Err = fmt.Errorf("tree %s does not exist", hash)
	}
	if len(missing) == 0 {
		return nil
	}
	return r.skeletonsOf(slices.Collect(maps.Keys(missing)), func(hash string, packed []byte) {
		sk, err := s.decodeSkeleton(packed)
		if err != nil {
			sk, err = nil, fmt.Errorf("read skeleton of tree %s: %w", hash, err)
		} else {
			s.skeletons.Set(hash, sk)
		}
		for _, i := range missing[hash] {
			batch.Tasks[i].Skeleton, batch.Tasks[i].Err = sk, err
		}
	})
}
