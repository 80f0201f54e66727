package page

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

var update = flag.Bool("update", false, "write the golden files")

var assetVersion = regexp.MustCompile(`\?v=[0-9a-f]{12}`)

// golden compares a page with its file. The sums of the static files are left out.
func golden(t *testing.T, file, body string) {
	t.Helper()
	got := assetVersion.ReplaceAllString(body, "")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: run with -update when this is right (-want +got)\n%s", file, diff)
	}
}

var (
	tableRow = regexp.MustCompile(`(?s)<tr id="(n[0-9a-f]{31})".*?</tr>`)
	tag      = regexp.MustCompile(`<[^>]*>`)
)

// lines gives the lines of the table of nodes as texts: cells are set apart by bars, empty ones at the end left out.
func lines(body string) []string {
	var all []string
	for _, m := range tableRow.FindAllString(body, -1) {
		m = strings.NewReplacer("</td>", "|", "</th>", "|", "</span>", " ").Replace(m)
		cells := strings.Split(tag.ReplaceAllString(m, ""), "|")
		for i, cell := range cells {
			cells[i] = strings.Join(strings.Fields(cell), " ")
		}
		all = append(all, strings.TrimRight(strings.Join(cells, "|"), "|"))
	}
	return all
}

func TestTaskPage(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	task := b.deploying(b.access(), "Deploy shop 4.12", "vault answered 503\n"+strings.Repeat("at line 12 of vault.py; ", 20))
	c := b.session()
	a := b.ask(taskAddress{1, task.ID}.with(), "", with(c))
	if a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	golden(t, "testdata/task.golden.html", a.body)
	wellFormed(t, a.body)
	want := []string{
		"Finished|start||19:50:00|19:50:00|0 s|1|0",
		"Finished|Check the release|bk_display|19:50:00|19:51:00|1 min 00 s|1|0",
		"Finished|parallel gateway||19:51:00|19:51:00|0 s|1|0",
		"Failed|Back up the database subprocess||19:51:00||9 min 00 s|1|0",
		"Finished|level 1: Dump tables|sleep_timer|19:51:00|19:58:30|7 min 30 s|3|0|skipped",
		"Failed|level 1: Copy to the vault|sleep_timer|19:58:30|19:59:00|30 s|1|2|retried automatically 2 times",
		"Not reached|level 1: start",
		"Not reached|level 1: end",
		"Running|Ask the team on duty|pause_node|19:51:00||9 min 00 s|1|0|waits for a callback n0000000000000010000000000000005",
		"Not reached|Both done converge gateway",
		"Not reached|Roll out to eu-west|sleep_timer",
		"Not reached|Verify|bk_display",
		"Not reached|end",
	}
	got := lines(a.body)
	got[5] = got[5][:strings.Index(got[5], " vault answered")]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got)\n" + diff)
	}
}

var (
	voidTag   = regexp.MustCompile(`<(meta|link|input|img)( [^>]*)?>`)
	bareValue = regexp.MustCompile(` (autofocus|required|open)([ />])`)
)

// wellFormed reads a page as XML: what a template leaves open shows there.
func wellFormed(t *testing.T, body string) {
	t.Helper()
	body = voidTag.ReplaceAllString(strings.TrimPrefix(body, "<!DOCTYPE html>"), "<$1$2/>")
	d := xml.NewDecoder(strings.NewReader(bareValue.ReplaceAllString(body, ` $1=""$2`)))
	d.Entity = xml.HTMLEntity
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("the page is not well-formed: %v", err)
			return
		}
	}
}

const refresh = `<meta http-equiv="refresh" content="1">`

func TestPageRefreshesWhileTheTaskIsLive(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	a := b.access()
	in := func(state stdops.State, live bool) stdops.Task {
		s := b.story(b.create(a, state.String(), chain(1, func(int) string { return "step" })))
		s.c.Root.State, s.c.Root.Live = state, live
		if state.Ended() {
			s.c.Root.Finished = at(-10)
		}
		return s.enter("EmptyStartEvent", finished(-600, -600)).told()
	}
	c := b.session()
	for name, row := range map[string]struct {
		task stdops.Task
		want bool
	}{
		"created":          {b.create(a, "created", chain(1, func(int) string { return "step" })), true},
		"running":          {in(stdops.StateRunning, true), true},
		"suspended":        {in(stdops.StateSuspended, true), true},
		"finished":         {in(stdops.StateFinished, false), false},
		"revoked":          {in(stdops.StateRevoked, false), false},
		"revoked, drains":  {in(stdops.StateRevoked, true), true},
		"finished, drains": {in(stdops.StateFinished, true), true},
	} {
		at := taskAddress{1, row.task.ID}
		if got := strings.Contains(b.ask(at.with(), "", with(c)).body, refresh); got != row.want {
			t.Errorf("%s: refreshes %v", name, got)
		}
		still := b.ask(at.with("pause", "1"), "", with(c))
		if strings.Contains(still.body, `http-equiv="refresh"`) {
			t.Errorf("%s: refreshes although it is held still", name)
		}
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	a := b.access()
	c := b.session()
	running, waiting := stdops.StateRunning, stdops.PhaseWaiting
	for _, row := range []struct {
		state stdops.NodeState
		root  stdops.State
		want  string
	}{
		{stdops.NodeState{State: stdops.StateFailed, Due: at(65)}, running, "automatic retry at 20:01:05"},
		{stdops.NodeState{State: stdops.StateFailed, Due: at(86400)}, running, "automatic retry at 2026-05-05 20:00:00"},
		{stdops.NodeState{State: stdops.StateFailed, AutoRetries: 1}, running, "retried automatically ID"},
		{stdops.NodeState{State: running, Phase: waiting}, running, "waits for a callback ID"},
		{stdops.NodeState{State: running, Phase: waiting}, stdops.StateRevoked, "was waiting for a callback when the task ended"},
		{stdops.NodeState{State: running, Phase: waiting, Due: at(5)}, running, "next check at 20:00:05"},
		{stdops.NodeState{State: running, Phase: stdops.PhaseExecuting, Deadline: at(5)}, running, "time limit at 20:00:05"},
		{stdops.NodeState{State: running, Phase: stdops.PhaseQueued}, running, "waits for its turn"},
		{stdops.NodeState{State: stdops.StateSuspended}, running, "paused before it begins ID"},
		{stdops.NodeState{State: stdops.StateFinished, Skip: true}, running, "skipped"},
		{stdops.NodeState{State: stdops.StateFinished, ErrorIgnored: true}, running, "error ignored"},
	} {
		s := b.story(b.create(a, "notes", chain(1, func(int) string { return "step" })))
		row.state.Started = at(-20)
		s.c.Root.State = row.root
		if row.root.Ended() {
			s.c.Root.Finished = at(-1)
		}
		task := s.enter("EmptyStartEvent", finished(-600, -600)).enter("step", row.state).told()
		want := strings.ReplaceAll(row.want, "ID", stdops.NodeID(task.ID, s.node("step")))
		all := lines(b.ask(taskAddress{1, task.ID}.with(), "", with(c)).body)
		if got := all[1][strings.LastIndex(all[1], "|")+1:]; strings.TrimSpace(got) != want {
			t.Errorf("%+v of a %v task: %q, want %q", row.state, row.root, got, want)
		}
	}
}

func TestAppointedPauseIsShown(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	s := b.story(b.create(b.access(), "pause", chain(2, func(i int) string { return fmt.Sprint("step ", i) })))
	s.enter("EmptyStartEvent", finished(-600, -600))
	s.c.Nodes = append(s.c.Nodes, stdops.NodeState{Node: s.node("step 1"), State: stdops.StateSuspended})
	all := lines(b.ask(taskAddress{1, s.told().ID}.with(), "", with(b.session())).body)
	want := "Not reached|step 1|sleep_timer||||||the task will pause here " + stdops.NodeID(s.task.ID, s.node("step 1"))
	if diff := cmp.Diff(want, all[2]); diff != "" {
		t.Error("(-want +got)\n" + diff)
	}
}

func TestErrorTextIsCutAndWhole(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	long := "first <b>line</b>\n" + strings.Repeat("x", 400) + "the end"
	task := b.deploying(b.access(), "deploy", long)
	c, at := b.session(), taskAddress{1, task.ID}
	live := b.ask(at.with(), "", with(c)).body
	if !strings.Contains(live, "first &lt;b&gt;line&lt;/b&gt;\n"+strings.Repeat("x", 281)+"…</bdi>") {
		t.Error("the text is not cut to 300 letters")
	}
	if !strings.Contains(live, "<pre>first &lt;b&gt;line&lt;/b&gt;\n"+strings.Repeat("x", 400)+"the end</pre></details>") {
		t.Error("the whole text is not there")
	}
	link := regexp.MustCompile(`class="hold" href="([^"#]*)#(n[0-9a-f]{31})"`).FindStringSubmatch(live)
	if link == nil {
		t.Fatal("a page that refreshes has no link to read the text in peace")
	}
	still := b.ask(strings.ReplaceAll(link[1], "&amp;", "&"), "", with(c)).body
	if !strings.Contains(still, `<details class="error" open>`) || strings.Contains(still, "http-equiv=\"refresh\"") || !strings.Contains(still, `id="`+link[2]+`"`) {
		t.Error("the link does not open the text on a page that stands still")
	}
}

// hostile are names that try to be more than names.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `{{.Secret}}`, "\u202egnp.exe", "شغّل النسخة", "line\nbreak\x07",
	`</title></bdi></main>`, `' onclick='x`, "&amp;<", strings.Repeat("long", 2500), strings.Repeat("<a", 5000),
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	a := b.access()
	c := b.session()
	for _, name := range hostile {
		task := b.deploying(a, name, name)
		other := b.story(b.create(a, name, chain(1, func(int) string { return name })))
		other.enter("EmptyStartEvent", finished(-600, -600)).told()
		for _, path := range []string{
			taskAddress{1, task.ID}.with(), taskAddress{1, other.task.ID}.with(), "/taskflow/home/list/1/",
			"/taskflow/home/list/1/?" + form("keyword", name, "pause", "1", "state", name, "before", name),
			taskAddress{1, task.ID}.with("open", name, "page", name, "pause", name), "/login?" + form("next", name),
		} {
			got := b.ask(path, "", with(c))
			if got.StatusCode != http.StatusOK && got.StatusCode != http.StatusSeeOther {
				t.Errorf("%.40q %.60s: %d", name, path, got.StatusCode)
			}
			for _, element := range []string{"<script", "<img src=x", "</title></bdi>", " onclick='", " onerror=alert(1)>"} {
				if strings.Contains(got.body, element) {
					t.Errorf("%.40q %.60s: the page contains %s", name, path, element)
				}
			}
		}
	}
}

func TestAnEventCalledLikeItsKindIsNamedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	tree := chain(1, func(int) string { return "step" })
	for event, name := range map[string]string{"start_event": "start", "end_event": "the end"} {
		of, _ := tree.Get(event)
		of.(*stdops.Object).Set("name", name)
	}
	s := b.story(b.create(b.access(), "names", tree)).enter("start", finished(-600, -600))
	all := lines(b.ask(taskAddress{1, s.told().ID}.with(), "", with(b.session())).body)
	for i, want := range []string{"Finished|start|", "Not reached|step|", "Not reached|the end end"} {
		if !strings.HasPrefix(all[i], want) {
			t.Errorf("line %d is %q, want %s…", i, all[i], want)
		}
	}
}

func TestNamesAreIsolated(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	name := "\u202egnp.exe"
	task := b.create(b.access(), name, chain(1, func(int) string { return name }))
	body := b.ask(taskAddress{1, task.ID}.with(), "", with(b.session())).body
	_, body, _ = strings.Cut(body, "</title>")
	if n, isolated := strings.Count(body, name), strings.Count(body, "<bdi>"+name+"</bdi>"); n == 0 || n != isolated {
		t.Errorf("%d of %d occurrences of a right-to-left name are isolated", isolated, n)
	}
}

func TestThousandsOfNodesComeInPages(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	const nodes = 4100
	s := b.story(b.create(b.access(), "large", chain(nodes, func(i int) string { return fmt.Sprintf("step %04d", i) })))
	s.enter("EmptyStartEvent", finished(-600, -600))
	s.c.Nodes = append(s.c.Nodes, stdops.NodeState{
		Node: s.node("step 3000"), Order: 2, Loop: 1, State: stdops.StateRunning, Phase: stdops.PhaseWaiting, Started: at(-1),
	})
	task, c := s.told(), b.session()
	seen := map[string]bool{}
	for page := 1; page <= 3; page++ {
		body := b.ask(taskAddress{1, task.ID}.with("page", fmt.Sprint(page)), "", with(c)).body
		for _, m := range tableRow.FindAllStringSubmatch(body, -1) {
			seen[m[1]] = true
		}
		if !strings.Contains(body, fmt.Sprintf("page %d of 3", page)) || !strings.Contains(body, "1 of 4102 nodes finished, 1 running") {
			t.Errorf("page %d does not say what it is", page)
		}
		anchor := "#" + stdops.NodeID(task.ID, s.node("step 3000")) + `">`
		if page == 1 != strings.Contains(body, `href="`+anchor) || page > 1 != strings.Contains(body, `href="/taskflow/execute/1/?instance_id=1&amp;page=1`+anchor) {
			t.Errorf("page %d does not lead to the node that waits", page)
		}
	}
	if len(seen) != nodes+2 {
		t.Errorf("%d of %d nodes on the pages", len(seen), nodes+2)
	}
	for _, odd := range []string{"0", "-1", "x", "99"} {
		if a := b.ask(taskAddress{1, task.ID}.with("page", odd), "", with(c)); a.StatusCode != http.StatusOK || len(lines(a.body)) == 0 {
			t.Errorf("page %s: %d", odd, a.StatusCode)
		}
	}
}

func TestDeletedTaskHasItsPage(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	task := b.create(b.access(), "gone", chain(1, func(int) string { return "step" }))
	b.must(b.store.DeleteTask(t.Context(), stdops.TaskRef{Project: 1, Task: task.ID}))
	a := b.ask(taskAddress{1, task.ID}.with(), "", with(b.session()))
	if a.StatusCode != http.StatusOK || !strings.Contains(a.body, `<span class="tag">deleted</span>`) {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}
