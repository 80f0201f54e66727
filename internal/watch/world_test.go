package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stdops/stdops"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// record is the tasks of a project, and tells how they stand as a store does.
type record struct {
	lag   atomic.Int64 // milliseconds from a reading to its answer
	scan  atomic.Int64 // milliseconds that a list takes beside
	mu    sync.Mutex
	tasks map[stdops.TaskID]*recorded
	cut   bool // it cannot be asked
	short bool // its list does not look at all tasks
	reads int
	texts int
}

type recorded struct {
	revision int64
	deleted  bool
	listed   bool // it is in the list
}

// nodes gives three nodes, of which the third is there every other revision, and one changes with each.
func (t *recorded) nodes() []Node {
	list := []Node{{Index: 1, Encoded: []byte("still")}, {Index: 2, Encoded: strconv.AppendInt(nil, t.revision, 10)}}
	if t.revision%2 == 0 {
		list = append(list, Node{Index: 3, Encoded: []byte("there")})
	}
	return list
}

var errCut = errors.New("the database is away")

func newRecord(n int) *record {
	r := &record{tasks: map[stdops.TaskID]*recorded{}}
	for i := range n {
		r.tasks[stdops.TaskID(i+1)] = &recorded{}
	}
	return r
}

// change raises the revision of a task, and makes it where there is none.
func (r *record) change(id stdops.TaskID, how func(*recorded)) []stdops.TaskRevision {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tasks[id]
	if t == nil {
		t = &recorded{revision: -1}
		r.tasks[id] = t
	}
	t.revision++
	if how != nil {
		how(t)
	}
	return []stdops.TaskRevision{{Ref: stdops.TaskRef{Project: 1, Task: id}, Revision: t.revision}}
}

// count gives how often was read and encoded since the last time.
func (r *record) count() (reads, texts int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reads, texts = r.reads, r.texts
	r.reads, r.texts = 0, 0
	return reads, texts
}

// wait is done with what was read in hand.
func (r *record) wait() {
	time.Sleep(time.Duration(r.lag.Load()) * time.Millisecond)
}

func (r *record) Revisions(_ context.Context, ids []stdops.TaskID) ([]stdops.TaskRevision, error) {
	defer r.wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut {
		return nil, errCut
	}
	var list []stdops.TaskRevision
	for _, id := range ids {
		if t := r.tasks[id]; t != nil {
			list = append(list, stdops.TaskRevision{Ref: stdops.TaskRef{Project: 1, Task: id}, Revision: t.revision})
		}
	}
	return list, nil
}

func (r *record) state(id stdops.TaskID, t *recorded, to []Audience) State {
	s := State{Task: id, Revision: t.revision, Gone: t.deleted}
	for _, a := range to {
		r.texts++
		s.Encoded = append(s.Encoded, fmt.Appendf(nil, "%d@%d/%d", id, t.revision, a))
	}
	return s
}

func (r *record) Read(_ context.Context, q Question) ([]State, error) {
	defer r.wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut {
		return nil, errCut
	}
	r.reads++
	var list []State
	for _, id := range q.IDs {
		if t := r.tasks[id]; t != nil && q.Project == 1 {
			s := r.state(id, t, q.To)
			if slices.Contains(q.Nodes, id) {
				s.Nodes = t.nodes()
			}
			list = append(list, s)
		}
	}
	return list, nil
}

func (r *record) List(_ context.Context, _ stdops.ProjectID, f Filter, to []Audience) (List, error) {
	time.Sleep(time.Duration(r.scan.Load()) * time.Millisecond)
	defer r.wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut {
		return List{}, errCut
	}
	r.reads++
	var list []State
	for id, t := range r.tasks {
		if t.listed && !t.deleted {
			list = append(list, r.state(id, t, to))
		}
	}
	slices.SortFunc(list, func(a, b State) int { return int(b.Task - a.Task) })
	return List{States: list[:min(len(list), f.Limit)], Cut: r.short}, nil
}

// reader is a caller who watches, and goes on with a cursor after a lost connection.
type reader struct {
	t       fataler
	request Request
	w       *Watcher
	cursor  string
	has     map[stdops.TaskID]int64 // revisions, absent for those that are gone
	told    int
	cut     bool // its list
	end     string
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func newReader(t fataler, r Request) *reader {
	r.Project = 1
	return &reader{t: t, request: r, has: map[stdops.TaskID]int64{}}
}

// connect watches, from where the reader was.
func (r *reader) connect(h *Hub) {
	r.t.Helper()
	var err error
	if r.cursor != "" {
		if r.request.Cursor, err = ReadCursor(1, r.cursor); err != nil {
			r.t.Fatalf("the cursor %q: %v", r.cursor, err)
		}
	}
	if r.w, err = h.Watch(r.request); err != nil {
		r.t.Fatalf("watch: %v", err)
	}
}

func (r *reader) drop() {
	if r.w != nil {
		r.w.Close()
		r.w = nil
	}
}

// read takes what is new, and checks that nothing goes back.
func (r *reader) read() bool {
	r.t.Helper()
	if r.w == nil {
		return false
	}
	d, ok := r.w.Take()
	if !ok {
		return false
	}
	r.end = d.End
	if d.Cursor == "" {
		return true
	}
	r.cursor, r.cut = d.Cursor, d.Cut
	for _, id := range d.Gone {
		r.has[id] = absent
	}
	for _, text := range d.Tasks {
		r.told++
		id, rest, _ := strings.Cut(string(text), "@")
		revision, to, _ := strings.Cut(rest, "/")
		task, _ := strconv.ParseInt(id, 10, 64)
		at, _ := strconv.ParseInt(revision, 10, 64)
		if to != strconv.Itoa(int(r.request.To)) {
			r.t.Fatalf("told %s, which is for another audience than %d", text, r.request.To)
		}
		if had, ok := r.has[stdops.TaskID(task)]; ok && had >= at {
			r.t.Fatalf("told %s after revision %d", text, had)
		}
		r.has[stdops.TaskID(task)] = at
	}
	return true
}

// missing tells what a reader should know and does not.
func (r *record) missing(reader *reader) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, t := range r.tasks {
		watched := slices.Contains(reader.request.IDs, id)
		if reader.request.Filter != nil {
			watched = t.listed && !t.deleted
		}
		had, ok := reader.has[id]
		switch {
		case watched && t.deleted && (!ok || had != absent):
			return fmt.Sprintf("task %d is deleted, the reader has revision %d", id, had)
		case watched && !t.deleted && (!ok || had != t.revision):
			return fmt.Sprintf("task %d is at %d, the reader has %d (%v)", id, t.revision, had, ok)
		case !watched && ok && had != absent:
			return fmt.Sprintf("task %d is not in the list, the reader has %d", id, had)
		}
	}
	for _, id := range reader.request.IDs {
		if had, ok := reader.has[id]; r.tasks[id] == nil && (!ok || had != absent) {
			return fmt.Sprintf("task %d does not exist, the reader was not told", id)
		}
	}
	return ""
}

// run lets a hub run until the function that it gives is called.
func run(r *record, misses bool) (h *Hub, stop func()) {
	h = NewHub(Options{Tasks: r, Misses: misses, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { h.Run(ctx) })
	return h, func() { cancel(); done.Wait() }
}
