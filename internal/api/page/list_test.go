package page

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// several makes one task of each state, from oldest to newest.
func (b *bundle) several(a *service.Access) {
	step := chain(1, func(int) string { return "step" })
	b.create(a, "created 100%", step)
	for _, row := range []struct {
		name string
		root stdops.State
		node stdops.State
	}{
		{"running", stdops.StateRunning, stdops.StateRunning},
		{"failed", stdops.StateRunning, stdops.StateFailed},
		{"node suspended", stdops.StateRunning, stdops.StateSuspended},
		{"suspended", stdops.StateSuspended, stdops.StateFailed},
		{"finished", stdops.StateFinished, stdops.StateFinished},
		{"revoked", stdops.StateRevoked, stdops.StateFailed},
	} {
		s := b.story(b.create(a, row.name, step))
		s.c.Root.State, s.c.Root.Live = row.root, !row.root.Ended()
		if row.root.Ended() {
			s.c.Root.Finished = at(-30)
		}
		s.enter("EmptyStartEvent", finished(-600, -600)).enter("step", stdops.NodeState{State: row.node, Started: at(-60)}).told()
	}
}

var listName = regexp.MustCompile(`<th scope="row"><a href="[^"]*"><bdi>([^<]*)</bdi>`)

func names(body string) []string {
	var all []string
	for _, m := range listName.FindAllStringSubmatch(body, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestListPage(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	b.several(b.access())
	c := b.session()
	a := b.ask("/taskflow/home/list/1/", "", with(c))
	golden(t, "testdata/list.golden.html", a.body)
	wellFormed(t, a.body)
	wellFormed(t, b.ask("/taskflow/home/list/1/?pause=1&keyword=x&state=FAILED", "", with(c)).body)
	if !strings.Contains(a.body, refresh) {
		t.Error("a list with live tasks is not refreshed every second")
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	b.several(b.access())
	c := b.session()
	for query, want := range map[string][]string{
		"":                                {"revoked", "finished", "suspended", "node suspended", "failed", "running", "created 100%"},
		"state=FAILED":                    {"failed"},
		"state=RUNNING":                   {"running"},
		"state=NODE_SUSPENDED":            {"node suspended"},
		"state=SUSPENDED":                 {"suspended"},
		"state=CREATED":                   {"created 100%"},
		"state=FINISHED":                  {"finished"},
		"state=REVOKED":                   {"revoked"},
		"state=nonsense":                  {"revoked", "finished", "suspended", "node suspended", "failed", "running", "created 100%"},
		"keyword=SUSP":                    {"suspended", "node suspended"},
		"keyword=%25":                     {"created 100%"},
		"keyword=susp&state=SUSPENDED":    {"suspended"},
		"keyword=susp&state=FAILED":       nil,
		"before=5":                        {"node suspended", "failed", "running", "created 100%"},
		"before=5&state=FAILED&keyword=f": {"failed"},
		"before=x":                        {"revoked", "finished", "suspended", "node suspended", "failed", "running", "created 100%"},
		"before=1":                        nil,
	} {
		a := b.ask("/taskflow/home/list/1/?"+query, "", with(c))
		if diff := cmp.Diff(want, names(a.body)); diff != "" || a.StatusCode != http.StatusOK {
			t.Errorf("%s: %d (-want +got)\n%s", query, a.StatusCode, diff)
		}
		if want == nil && !strings.Contains(a.body, "No task here is like that.") {
			t.Errorf("%s: an empty list says nothing", query)
		}
	}
}

var olderLink = regexp.MustCompile(`href="([^"]*)">Older tasks`)

func TestListIsTurnedByCursor(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	a := b.access()
	step := chain(1, func(int) string { return "step" })
	for i := range 120 {
		task := b.create(a, fmt.Sprintf("task %03d", i), step)
		if i%60 == 0 {
			b.story(task).enter("EmptyStartEvent", stdops.NodeState{State: stdops.StateFailed, Started: at(-1)}).told()
		}
	}
	c := b.session()
	for start, want := range map[string]int{"?keyword=task": 120, "?state=FAILED": 2, "?state=CREATED": 118} {
		var all []string
		path := "/taskflow/home/list/1/" + start
		for path != "" {
			body := b.ask(path, "", with(c)).body
			all = append(all, names(body)...)
			path = ""
			if m := olderLink.FindStringSubmatch(body); m != nil {
				path = strings.ReplaceAll(m[1], "&amp;", "&")
			}
		}
		sorted := true
		for i := range all {
			sorted = sorted && (i == 0 || all[i-1] > all[i])
		}
		if len(all) != want || !sorted {
			t.Errorf("%s: %d tasks, want %d, each once and newest first: %v", start, len(all), want, all)
		}
	}
}

func TestSearchFieldShowsWhileThePageStandsStill(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	c := b.session()
	live, still := b.ask("/taskflow/home/list/1/", "", with(c)).body, b.ask("/taskflow/home/list/1/?pause=1", "", with(c)).body
	if strings.Contains(live, "<input") || !strings.Contains(live, `http-equiv="refresh" content="5"`) {
		t.Error("an idle list either does not look for new tasks, or takes away what is typed")
	}
	if !strings.Contains(still, `name="keyword"`) || strings.Contains(still, `http-equiv="refresh"`) {
		t.Error("a page that stands still has no search, or does not stand still")
	}
}

func TestHomeLeadsToTheProject(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	c := b.session()
	if a := b.ask("/", "", with(c)); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/taskflow/home/list/1/" {
		t.Errorf("one project: %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
	other, err := b.store.CreateProject(t.Context(), otherProject())
	b.must(err)
	if a := b.ask("/", "", with(c)); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a project without a role counts: %d", a.StatusCode)
	}
	local := service.LocalAdmin()
	b.must(b.service.Grant(t.Context(), local, "vic", service.Roles{other.ID: service.Viewer}))
	a := b.ask("/", "", with(c))
	if got := names(a.body); a.StatusCode != http.StatusOK || !cmp.Equal(got, []string{"default", "other"}) {
		t.Errorf("two projects: %d %v", a.StatusCode, got)
	}
	wellFormed(t, a.body)
	b.must(b.service.Grant(t.Context(), local, "vic", service.Roles{other.ID: ""}))
	b.must(b.service.Grant(t.Context(), local, "vic", service.Roles{1: ""}))
	if a := b.ask("/", "", with(c)); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "no role in any project") {
		t.Errorf("no project: %d", a.StatusCode)
	}
}
