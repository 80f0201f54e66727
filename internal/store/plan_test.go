package store

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stdops/stdops"
)

// No read of tasks or of what belongs to them looks at rows of other tasks: its time does not grow with the store.
func TestReads_use_indexes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := reopen(t, dir)
	defer closeStore(t, s)
	count := countReads(t, s)
	for method, call := range reads(t, s) {
		count()
		if err := call(); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		statements := count()
		if len(statements) == 0 {
			t.Errorf("%s: no statement seen", method)
		}
		for _, text := range statements {
			for _, step := range plan(t, s, text) {
				if scan.MatchString(step) && !strings.Contains(step, "json_each") && step != "SCAN latest" && step != "SCAN looked" { // of the statement itself, with a LIMIT
					t.Errorf("%s: %s in\n%s", method, step, text)
				}
			}
		}
	}
}

// reads calls every method that reads tasks or what belongs to them.
func reads(t *testing.T, s *Store) map[string]func() error {
	ctx := t.Context()
	task := createTask(t, s, newTask("one"))
	commit(t, s, fullChange(s, task))
	r := ref(task)
	archived := endTask(t, s, stdops.StateFinished, 3)
	archiveAll(t, s, 4, 9)
	endTask(t, s, stdops.StateFinished, 3)
	list := func(m TaskMatch) (*StatusBatch, error) {
		return s.Statuses(ctx, 1, StatusQuery{List: &TaskFilter{TaskMatch: m, Offset: 1}, Total: true})
	}
	return map[string]func() error{
		"Load":              func() error { return second(s.Load(ctx, r)) },
		"Live":              func() error { return second(s.Live(ctx)) },
		"Task":              func() error { return second(s.Task(ctx, r)) },
		"TaskTree":          func() error { return second(s.TaskTree(ctx, "t1")) },
		"TaskInputs":        func() error { return second(s.TaskInputs(ctx, r)) },
		"NodeLog":           func() error { return second(s.NodeLog(ctx, r, 1, LogPage{Attempt: 1})) },
		"LogSize":           func() error { return second(s.LogSize(ctx, stdops.LogKey{TaskRef: r, Node: 1, Loop: 1})) },
		"list":              func() error { return second(list(TaskMatch{Keyword: "x"})) },
		"list of a flow":    func() error { return second(list(TaskMatch{Templates: []stdops.TemplateID{7}})) },
		"list of a creator": func() error { return second(list(TaskMatch{Creator: "ann"})) },
		"list under way": func() error {
			return second(list(TaskMatch{States: []stdops.State{stdops.StateRunning}, Holding: []stdops.State{stdops.StateFailed}}))
		},
		"Finished": func() error {
			return second(s.Finished(ctx, 1, FinishedQuery{Template: 7, Tree: "t1", Among: 9, Limit: 2}))
		},
		"CountTasks":    func() error { return second(s.CountTasks(ctx, 1, TaskMatch{}, ByState, 1, 3)) },
		"NodeDetail":    func() error { return second(s.NodeDetail(ctx, r, 1)) },
		"Driver":        func() error { return second(s.Driver(ctx, r)) },
		"CallbackTimes": func() error { return second(s.CallbackTimes(ctx, r, 1)) },
		"Failures":      func() error { return second(s.Failures(ctx, r, 9)) },
		"Variables":     func() error { return second(s.Variables(ctx, r, 0)) },
		"Transitions":   func() error { return second(s.Transitions(ctx, r, 0, 9)) },
		"Events":        func() error { return second(s.Events(ctx, r, EventPage{Newest: true, Limit: 9})) },
		"AskedEvents":   func() error { _, _, err := s.AskedEvents(ctx, r, EventPage{Newest: true, Limit: 9}); return err },
		"Statuses":      func() error { return second(s.Statuses(ctx, 1, StatusQuery{IDs: []stdops.TaskID{1}})) },
		"Statuses archived": func() error {
			return second(s.Statuses(ctx, 1, StatusQuery{IDs: []stdops.TaskID{archived.ID}, Children: true}))
		},
		"Statuses run": func() error { return second(s.Statuses(ctx, 1, StatusQuery{IDs: []stdops.TaskID{1}, Run: true})) },
		"Statuses updated": func() error {
			return second(s.Statuses(ctx, 1, StatusQuery{IDs: []stdops.TaskID{1}, Updated: true}))
		},
		"Statuses newest":   func() error { return second(s.Statuses(ctx, 1, StatusQuery{Newest: 9})) },
		"Statuses children": func() error { return second(s.Statuses(ctx, 1, StatusQuery{Newest: 9, Children: true})) },
		"Statuses cut":      func() error { return second(s.Statuses(ctx, 1, StatusQuery{Newest: 9, Children: true, Most: 1})) },
		"Templates": func() error {
			return second(s.Templates(ctx, 1, TemplateFilter{Keyword: "x", IDs: []stdops.TemplateID{1}}))
		},
		"Child": func() error {
			_, err := s.Child(ctx, 1, stdops.AttemptRef{Task: 1, Node: 1, Version: "v"})
			return notFound(err)
		},
		"Children": func() error { return second(s.Children(ctx, r, 9)) },
		"mayHaveChild": func() error {
			if err := mayHaveChild(ctx, s.readers, 1, stdops.AttemptRef{Task: 1, Node: 1}); stdops.ErrorCode(err) != stdops.CodeRefused {
				return fmt.Errorf("got %w", err)
			}
			return nil
		},
		"ProjectByBiz": func() error { return second(s.ProjectByBiz(ctx, 2)) },
		"Session":      func() error { _, err := s.Session(ctx, []byte("x")); return notFound(err) },
		"RequestKey":   func() error { _, err := s.RequestKey(ctx, requestKey("x")); return notFound(err) },
		"OtherRequest": func() error { return second(s.OtherRequest(ctx, requestKey("x"))) },
		"ExpireKeys":   func() error { return s.ExpireKeys(ctx) },
		"Archive":      func() error { return second(s.old(ctx, at(99), 9)) },
	}
}

// scan is a step that reads a table or an index from end to end; of the live tasks that is what is meant.
var scan = regexp.MustCompile(`^SCAN (\w+)( USING INDEX (sqlite_|task_project|template_project).*)?$`)

func notFound(err error) error {
	if stdops.ErrorCode(err) == stdops.CodeNotFound {
		return nil
	}
	return err
}

func plan(t *testing.T, s *Store, text string) []string {
	t.Helper()
	none := make([]any, len(parameters(text)))
	rows, err := s.readers.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, none...)
	type step struct {
		id, parent, unused int64
		detail             string
	}
	steps, err := collect(rows, err, func(p *step) []any { return []any{&p.id, &p.parent, &p.unused, &p.detail} })
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var details []string
	for _, p := range steps {
		details = append(details, p.detail)
	}
	return details
}
