package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/stdops/stdops"
)

// NotKnown stands for the revision of a task that has to be read.
const NotKnown int64 = -1

// knownRevisions is how many tasks [revisions] remembers, some 60 bytes each.
const knownRevisions = 200_000

// revisions remembers the revisions of tasks that were read lately and did not change since, so that what was made of
// them can be told to be current without a query. That is possible because all commits of a store are made by this one
// process: a store that others write to has to ask its database instead.
//
// A reader notes down each task before it opens its snapshot, and fills the note in when it has read. A writer strikes
// out the notes of its tasks before it commits, and until the commit has ended nobody can make one of these tasks: so a
// note that stands and is filled in is of a snapshot after which no commit of its task has begun.
type revisions struct {
	mu      sync.RWMutex
	notes   map[stdops.TaskID]*note
	writing map[stdops.TaskID]struct{} // tasks of the commit that is on its way
	most    int
}

// note is one task as a reader found it.
type note struct {
	project  stdops.ProjectID
	revision int64 // NotKnown until it is filled in
}

func newRevisions(most int) *revisions {
	return &revisions{notes: map[stdops.TaskID]*note{}, writing: map[stdops.TaskID]struct{}{}, most: most}
}

// current gives the revision of each task, [NotKnown] where it has to be read; all are of one moment.
func (r *revisions) current(project stdops.ProjectID, ids []stdops.TaskID) []int64 {
	list := make([]int64, len(ids))
	r.mu.RLock()
	defer r.mu.RUnlock()
	for i, id := range ids {
		list[i] = NotKnown
		if n := r.notes[id]; n != nil && n.project == project {
			list[i] = n.revision
		}
	}
	return list
}

// expect notes down tasks that are about to be read. Readers of the same task share its note: it is older than the
// snapshot of each of them.
func (r *revisions) expect(ids []stdops.TaskID) map[stdops.TaskID]*note {
	expected := make(map[stdops.TaskID]*note, len(ids))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if _, changing := r.writing[id]; changing {
			continue
		}
		n := r.notes[id]
		if n == nil {
			r.makeRoom()
			n = &note{revision: NotKnown}
			r.notes[id] = n
		}
		expected[id] = n
	}
	return expected
}

// makeRoom strikes out any note when there are too many: its task is read once more.
func (r *revisions) makeRoom() {
	for id := range r.notes {
		if len(r.notes) < r.most {
			return
		}
		delete(r.notes, id)
	}
}

// fill completes the notes with what was read; those that were struck out meanwhile are nobody's any more. A note that
// nothing was read for is struck out.
func (r *revisions) fill(expected map[stdops.TaskID]*note, tasks []StatusRows) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range tasks {
		t := &tasks[i].Task
		if n := expected[t.ID]; n != nil {
			n.project, n.revision = t.Project, t.Root.Revision
		}
	}
	for id, n := range expected {
		if n.revision == NotKnown && r.notes[id] == n {
			delete(r.notes, id)
		}
	}
}

// begin is told before a commit which tasks it changes, end after it, whatever became of it. There is one commit at a
// time.
func (r *revisions) begin(ids []stdops.TaskID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		delete(r.notes, id)
		r.writing[id] = struct{}{}
	}
}

func (r *revisions) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.writing)
}

// Revisions gives the current revision of each of some tasks of a project, all of one moment, and [NotKnown] for a task
// that does not exist in the project, and on SQLite for one that was not read lately or has changed since:
// [Store.Statuses] tells about those.
func (s *Store) Revisions(ctx context.Context, project stdops.ProjectID, ids []stdops.TaskID) ([]int64, error) {
	if s.pg != nil {
		return s.storedRevisions(ctx, project, ids)
	}
	return s.revisions.current(project, ids), nil
}

func (s *Store) storedRevisions(ctx context.Context, project stdops.ProjectID, list []stdops.TaskID) ([]int64, error) {
	type row struct {
		id       stdops.TaskID
		revision int64
	}
	var found []row
	err := s.briefly(ctx, func(ctx context.Context) error {
		rows, err := s.readers.QueryContext(ctx, `SELECT id, revision FROM task WHERE project_id = $1 AND id = ANY ($2)`,
			int64(project), ids(s.dialect(), list))
		found, err = collect(rows, err, func(r *row) []any { return []any{number(&r.id), &r.revision} })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load revisions: %w", err)
	}
	stored := make(map[stdops.TaskID]int64, len(found))
	for _, r := range found {
		stored[r.id] = r.revision
	}
	revisions := make([]int64, len(list))
	for i, id := range list {
		revision, ok := stored[id]
		if !ok {
			revision = NotKnown
		}
		revisions[i] = revision
	}
	return revisions, nil
}
