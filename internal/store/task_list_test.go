package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

// listed gives the ids of a list of project 1.
func listed(t testing.TB, s *Store, f TaskFilter) []stdops.TaskID {
	t.Helper()
	batch, err := s.Statuses(t.Context(), 1, StatusQuery{List: &f})
	if err != nil {
		t.Fatal(err)
	}
	var ids []stdops.TaskID
	for i := range batch.Tasks {
		ids = append(ids, batch.Tasks[i].Task.ID)
	}
	return ids
}

func TestLists(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for i, name := range []string{"Rotate logs", "rotate KEYS", "50%_done", "five\\", "other's"} {
		n := newTask(name)
		n.Task.Created = at(i)
		if i == 4 {
			n.Task.Project = 2
		}
		task := createTask(t, s, n)
		if i == 1 {
			commit(t, s, running(s, task))
		}
	}
	if err := s.DeleteTask(t.Context(), stdops.TaskRef{Project: 1, Task: 4}); err != nil {
		t.Fatal(err)
	}
	type m = TaskMatch
	for _, c := range []struct {
		name string
		f    TaskFilter
		want []stdops.TaskID
	}{
		{"all", TaskFilter{}, []stdops.TaskID{3, 2, 1}},
		{"page", TaskFilter{Limit: 2}, []stdops.TaskID{3, 2}},
		{"next page", TaskFilter{Limit: 2, Before: 2}, []stdops.TaskID{1}},
		{"page by its place", TaskFilter{Limit: 2, Offset: 2}, []stdops.TaskID{1}},
		{"page behind all others", TaskFilter{Offset: 1 << 62}, nil},
		{"keyword in any case", TaskFilter{TaskMatch: m{Keyword: "ROTATE"}}, []stdops.TaskID{2, 1}},
		{"keyword is no pattern", TaskFilter{TaskMatch: m{Keyword: "%_"}}, []stdops.TaskID{3}},
		{"keyword with a backslash", TaskFilter{TaskMatch: m{Keyword: `\`}}, nil},
		{"a name is the whole name", TaskFilter{TaskMatch: m{Name: "rotate"}}, nil},
		{"none of the states", TaskFilter{TaskMatch: m{States: []stdops.State{}}}, nil},
		{"none of the templates", TaskFilter{TaskMatch: m{Templates: []stdops.TemplateID{}}}, nil},
		{"moments, the ends included", TaskFilter{TaskMatch: m{CreatedFrom: at(1), CreatedTo: at(2)}}, []stdops.TaskID{3, 2}},
		{
			"all at once",
			TaskFilter{TaskMatch: m{States: []stdops.State{stdops.StateCreated}, Keyword: "log", Creator: "alice"}, Before: 3, Limit: 1},
			[]stdops.TaskID{1},
		},
	} {
		if got := listed(t, s, c.f); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestLists_find_what_matches holds lists and counts against a plain reading of what they are asked for.
func TestLists_find_what_matches(t *testing.T) {
	t.Parallel()
	s := setup(t)
	var tasks []stdops.Task
	holding := map[stdops.TaskID]stdops.State{}
	for i := range 60 {
		n := newTask([]string{"alpha", "Beta", "beta%", "gamma_"}[i%4])
		n.Task.Template = stdops.TemplateID(i % 3)
		n.Task.Creator = []string{"ann", "bob"}[i%2]
		n.Task.CreateMethod = []string{"api", "app"}[i/2%2]
		n.Task.Category = []string{"OpsTools", "Other"}[i/4%2]
		n.Task.FlowType = []stdops.FlowType{stdops.FlowCommon, stdops.FlowFunctional}[i/8%2]
		n.Task.Created = at(i)
		task := createTask(t, s, n)
		if state := []stdops.State{0, stdops.StateRunning, stdops.StateSuspended, stdops.StateFinished, stdops.StateRevoked}[i%5]; state != 0 {
			c := running(s, task)
			c.Executor, c.Root.State, c.Root.Started, c.Root.Live = []string{"ann", "carol"}[i%2], state, at(i+1), !state.Ended()
			holding[task.ID] = []stdops.State{stdops.StateFailed, stdops.StateSuspended, stdops.StateRunning}[i%3]
			c.Nodes = []stdops.NodeState{{Node: 1, Order: 1, State: holding[task.ID], Loop: 1}}
			commit(t, s, c)
		}
		stored, err := s.Task(t.Context(), ref(task))
		if err != nil {
			t.Fatal(err)
		}
		tasks = append(tasks, stored)
	}
	rapid.Check(t, func(t *rapid.T) {
		m := drawMatch(t)
		var want []stdops.TaskID
		counts := TaskCounts{Of: make([]int64, 2)}
		for _, task := range slices.Backward(tasks) {
			if !fits(&m, &task, holding[task.ID]) {
				continue
			}
			want = append(want, task.ID)
			counts.Total++
			for i, method := range []string{"api", "app"} {
				if task.CreateMethod == method {
					counts.Of[i]++
				}
			}
		}
		offset, limit := rapid.IntRange(0, 61).Draw(t, "offset"), rapid.IntRange(1, 61).Draw(t, "limit")
		want = want[min(offset, len(want)):]
		want = want[:min(limit, len(want))]
		batch, err := s.Statuses(t.Context(), 1, StatusQuery{
			List: &TaskFilter{TaskMatch: m, Offset: int64(offset), Limit: limit}, Total: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []stdops.TaskID
		for i := range batch.Tasks {
			got = append(got, batch.Tasks[i].Task.ID)
		}
		if !slices.Equal(got, want) || batch.Total != counts.Total {
			t.Errorf("%+v: %v of %d, want %v", m, got, batch.Total, want)
		}
		counted, err := s.CountTasks(t.Context(), 1, m, ByMethod, "api", "app")
		if diff := cmp.Diff(counts, counted); diff != "" || err != nil {
			t.Errorf("%+v: %v (-want +got)\n%s", m, err, diff)
		}
	})
}

func drawMatch(t *rapid.T) TaskMatch {
	text := func(name string, values ...string) string {
		return rapid.SampledFrom(append(values, "", "")).Draw(t, name)
	}
	moment := func(name string) time.Time {
		if rapid.Bool().Draw(t, name+" is open") {
			return time.Time{}
		}
		return at(rapid.IntRange(0, 62).Draw(t, name))
	}
	m := TaskMatch{
		Keyword: text("keyword", "A", "beta", "%", "_"), Name: text("name", "alpha", "Beta"), Creator: text("creator", "ann", "bob"),
		Executor: text("executor", "ann", "carol"), Category: text("category", "OpsTools"), FlowType: stdops.FlowType(text("type", "common")),
		CreatedFrom: moment("created from"), CreatedTo: moment("created to"),
		StartedFrom: moment("started from"), StartedTo: moment("started to"),
	}
	states := []stdops.State{stdops.StateCreated, stdops.StateRunning, stdops.StateSuspended, stdops.StateFinished, stdops.StateRevoked}
	if rapid.Bool().Draw(t, "by states") {
		m.States = rapid.SliceOfNDistinct(rapid.SampledFrom(states), 0, 3, rapid.ID).Draw(t, "states")
	}
	if rapid.Bool().Draw(t, "by nodes") {
		m.Holding = []stdops.State{rapid.SampledFrom([]stdops.State{stdops.StateFailed, stdops.StateSuspended}).Draw(t, "node")}
	}
	if rapid.Bool().Draw(t, "by templates") {
		m.Templates = rapid.SliceOfN(rapid.Map(rapid.Int64Range(0, 3), func(n int64) stdops.TemplateID { return stdops.TemplateID(n) }), 0, 2).Draw(t, "templates")
	}
	if rapid.Bool().Draw(t, "by methods") {
		m.Methods = rapid.SliceOfN(rapid.SampledFrom([]string{"api", "app", "x"}), 0, 2).Draw(t, "methods")
	}
	return m
}

// fits reads what is asked for as it stands.
func fits(m *TaskMatch, task *stdops.Task, node stdops.State) bool {
	equal := func(asked, has string) bool { return asked == "" || asked == has }
	between := func(moment, from, to time.Time) bool {
		return (from.IsZero() || !moment.IsZero() && !moment.Before(from)) && (to.IsZero() || !moment.IsZero() && !moment.After(to))
	}
	return strings.Contains(strings.ToLower(task.Name), strings.ToLower(m.Keyword)) && equal(m.Name, task.Name) &&
		equal(m.Creator, task.Creator) && equal(m.Executor, task.Executor) && equal(m.Category, task.Category) &&
		equal(string(m.FlowType), string(task.FlowType)) &&
		(m.States == nil || slices.Contains(m.States, task.Root.State)) && (m.Holding == nil || slices.Contains(m.Holding, node)) &&
		(m.Templates == nil || slices.Contains(m.Templates, task.Template)) && (m.Methods == nil || slices.Contains(m.Methods, task.CreateMethod)) &&
		between(task.Created, m.CreatedFrom, m.CreatedTo) && between(task.Root.Started, m.StartedFrom, m.StartedTo)
}

// TestLists_of_one_flow_or_person_use_their_index: their time does not grow with the tasks of the others. Neither does
// that of a list of the tasks that are under way grow with those that have ended.
func TestLists_of_one_flow_or_person_use_their_index(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := reopen(t, dir)
	defer closeStore(t, s)
	count := countReads(t, s)
	for _, c := range []struct {
		m     TaskMatch
		index string
	}{
		{TaskMatch{Templates: []stdops.TemplateID{7}}, "task_template"},
		{TaskMatch{Creator: "ann"}, "task_creator"},
		{TaskMatch{Creator: "ann", Keyword: "x", States: []stdops.State{stdops.StateFinished}}, "task_creator"},
		{TaskMatch{States: []stdops.State{stdops.StateRunning}}, "task_live"},
		{TaskMatch{Keyword: "x", CreatedFrom: at(0)}, "task_project"},
		{TaskMatch{}, "task_"}, // a count takes whichever index is the smallest
	} {
		count()
		if _, err := s.Statuses(t.Context(), 1, StatusQuery{List: &TaskFilter{TaskMatch: c.m, Offset: 1}, Total: true}); err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, text := range count() {
			if !strings.Contains(text, "FROM task ") {
				continue
			}
			seen++
			if steps := fmt.Sprint(plan(t, s, text)); !strings.Contains(steps, c.index) {
				t.Errorf("%+v: %s in\n%s", c.m, steps, text)
			}
		}
		if seen != 2 {
			t.Errorf("%+v: %d statements about tasks, want a count and a list", c.m, seen)
		}
	}
}
