package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/stdops/stdops"
)

// feed tells those who listen in this process which tasks were changed.
type feed struct {
	listened atomic.Bool

	mu        sync.RWMutex // held for reading while listeners are told
	listeners map[*listener]struct{}
}

type listener struct{ changed func([]stdops.TaskRevision) }

// Changes lets changed hear of each task whose revision was raised, once that is committed, until stop is called, after which
// it is not called any more. Whoever has committed calls it, so it must return at once and not use the store. On SQLite it
// misses nothing and hears of the changes of a task in their order. On PostgreSQL it is a hint: it hears at once what this
// process has done, soon what others have ([Store.HearChanges]), and nil when it may have missed something.
func (s *Store) Changes(changed func([]stdops.TaskRevision)) (stop func()) {
	f, l := &s.feed, &listener{changed}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listeners == nil {
		f.listeners = map[*listener]struct{}{}
	}
	f.listeners[l] = struct{}{}
	f.listened.Store(true)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.listeners, l)
		f.listened.Store(len(f.listeners) > 0)
	}
}

// MissesChanges reports whether [Store.Changes] may miss some, so that [Store.TaskRevisions] has to be asked now and then.
func (s *Store) MissesChanges() bool { return s.pg != nil }

func (f *feed) tell(changes []stdops.TaskRevision) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for l := range f.listeners {
		l.changed(changes)
	}
}

// committed is told what was committed. On SQLite nobody needs to: there the connection that writes tells what changes.
func (s *Store) committed(changes ...stdops.TaskRevision) {
	if s.pg == nil || len(changes) == 0 {
		return
	}
	s.feed.tell(changes)
	s.pg.outbox.put(changes)
}

// changesOf are those of the changes that were stored.
func changesOf(changes []stdops.Change, verdicts []stdops.Verdict) []stdops.TaskRevision {
	list := make([]stdops.TaskRevision, 0, len(changes))
	for i := range verdicts {
		if verdicts[i] == stdops.Committed {
			list = append(list, changeOf(&changes[i]))
		}
	}
	return list
}

func changeOf(c *stdops.Change) stdops.TaskRevision {
	return stdops.TaskRevision{Ref: stdops.TaskRef{Project: c.Project, Task: c.Task}, Revision: c.Revision + 1}
}

// tellTouched tells which tasks the transaction has changed that was just committed, for whoever has the turn of the writer.
// What the statement of a change did not tell by itself is read. Where that fails listeners are told that they missed something.
func (s *Store) tellTouched(ctx context.Context) {
	w := s.writer
	if len(w.touched.tasks) == 0 || !s.feed.listened.Load() {
		return
	}
	changes := slices.Collect(maps.Values(w.touched.known))
	var unknown []stdops.TaskID
	for _, id := range w.touched.tasks {
		if _, ok := w.touched.known[id]; !ok {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		read, err := readRevisions(ctx, w.conn, s.dialect(), slices.Compact(unknown))
		if err != nil {
			s.log.Warn("store: which tasks have changed could not be read", "error", err)
			changes, read = nil, nil
		}
		changes = append(changes, read...)
	}
	s.feed.tell(changes)
}

// changed notes that the statement which stores a change has raised the revision of its task.
func (t *touched) changed(c *stdops.Change) {
	if t.known == nil {
		t.known = map[stdops.TaskID]stdops.TaskRevision{}
	}
	t.known[c.Task] = changeOf(c)
}

// row notes that a row of a task was changed, by whichever statement: what was known of it before is not the last word.
func (t *touched) row(id stdops.TaskID) {
	t.tasks = append(t.tasks, id)
	delete(t.known, id)
}

// TaskRevisions gives the revisions of tasks, as stored, in one statement for any number of them; those that do not exist
// are left out. It is for whoever watches tasks for many callers: a task is found by its number, with its project.
func (s *Store) TaskRevisions(ctx context.Context, list []stdops.TaskID) (found []stdops.TaskRevision, err error) {
	err = s.briefly(ctx, func(ctx context.Context) error {
		found, err = readRevisions(ctx, s.readers, s.dialect(), list)
		return err
	})
	return found, err
}

func readRevisions(ctx context.Context, from querier, d dialect, list []stdops.TaskID) ([]stdops.TaskRevision, error) {
	var rows *sql.Rows
	rows, err := from.QueryContext(ctx, `SELECT project_id, id, revision FROM task WHERE id `+d.anyOf("$1"), ids(d, list))
	found, err := collect(rows, err, revisionFields)
	if err != nil {
		return nil, fmt.Errorf("load revisions of tasks: %w", err)
	}
	return found, nil
}

func revisionFields(r *stdops.TaskRevision) []any {
	return []any{number(&r.Ref.Project), number(&r.Ref.Task), &r.Revision}
}
