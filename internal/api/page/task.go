package page

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

const (
	// rowsOfPage is how many lines one page of a task has; larger tasks have several.
	rowsOfPage = 2000
	// namedOfPage is how many of the nodes that wait for somebody, or run, are named at the top.
	namedOfPage = 8
	// rowsOfScreen is how many lines can be seen at once.
	rowsOfScreen = 24
	liveRate     = 1 // seconds between two looks at a task that goes on
)

// taskView is the page of one task.
type taskView struct {
	frame
	ID      stdops.TaskID
	Name    string
	Full    string // the whole name when Name is cut
	Look    look
	Deleted bool
	Problem string

	Created, Started, Finished stamp
	Archived                   stamp
	Elapsed                    string
	Read                       stamp
	Zone                       string
	Creator, Executor          string
	Progress                   progress

	Attention     []row // nodes that wait for somebody
	MoreAttention int
	Running       []row // nodes that run
	MoreRunning   int
	Rows          []row

	Live, Paused         bool
	PauseURL, ResumeURL  string
	OpenURL              string // pauses and opens the error text whose node id is appended
	Page, Pages          int
	PreviousURL, NextURL string
}

func (*taskView) name() string { return "task" }

// task shows one task. Any text behind instance_id that is not the id of a task of the project names nothing.
func (p *pages) task(w http.ResponseWriter, v visit) {
	a, err := p.access(v)
	if err != nil {
		p.fail(w, v.Request, err)
		return
	}
	query := v.URL.Query()
	id, err := pathID(query.Get("instance_id"), "task")
	if err != nil {
		p.fail(w, v.Request, err)
		return
	}
	sheet, err := p.service.Sheet(v.Context(), a, stdops.TaskID(id))
	if err != nil {
		p.fail(w, v.Request, err)
		return
	}
	view := newTaskView(sheet, taskAddress{a.Project(), stdops.TaskID(id)}, query)
	view.User, view.Forms, view.Project = v.caller.User, true, crumbOf(a)
	p.render(w, v.Request, http.StatusOK, view)
}

// access lets the visitor into the project of the address.
func (p *pages) access(v visit) (*service.Access, error) {
	text := v.PathValue("project")
	if _, err := pathID(text, "project"); err != nil {
		return nil, err
	}
	a, err := p.service.Access(v.Context(), v.caller, service.ProjectRef{ID: text, Scope: "project"})
	if stdops.ErrorCode(err) == stdops.CodeNotFound {
		return nil, stdops.Errorf(stdops.CodeNotFound, "There is no project %s.", cut(text, 40))
	}
	return a, err
}

func crumbOf(a *service.Access) *crumb {
	return &crumb{Name: cut(a.ProjectName(), longestName), URL: listAddress(a.Project(), nil)}
}

// taskAddress makes addresses of the page of a task.
type taskAddress struct {
	project stdops.ProjectID
	task    stdops.TaskID
}

func (a taskAddress) with(pairs ...string) string {
	q := "?instance_id=" + strconv.FormatInt(int64(a.task), 10)
	for i := 0; i+1 < len(pairs); i += 2 {
		q += "&" + pairs[i] + "=" + url.QueryEscape(pairs[i+1])
	}
	return "/taskflow/execute/" + strconv.FormatInt(int64(a.project), 10) + "/" + q
}

func newTaskView(sheet *service.Sheet, at taskAddress, query url.Values) *taskView {
	task, root, c := &sheet.Task, &sheet.Status, newClock(sheet.Now, sheet.Zone)
	v := &taskView{
		ID: task.ID, Name: cut(task.Name, longestName), Look: lookOf(root.State), Deleted: task.Deleted,
		Created: c.stamp(task.Created), Started: c.stamp(root.Started), Finished: c.stamp(root.Finished), Archived: c.stamp(task.Archived),
		Zone: c.zone(), Read: c.stamp(sheet.Now), Creator: task.Creator, Executor: task.Executor,
		Live: !task.Root.State.Ended() || task.Root.Live, Paused: query.Has("pause"),
	}
	if v.Name != task.Name {
		v.Full = task.Name
	}
	if !root.Started.IsZero() {
		v.Elapsed = duration(root.Elapsed)
	}
	if sheet.Problem != nil {
		v.Problem = sheet.Problem.Message
	}
	v.Title = v.Look.Word + " · " + cut(v.Name, 60)
	rows := rowsOf(sheet, c)
	v.Progress = progressOf(rows)
	v.turn(len(rows), at, query.Get("page"))
	for i := range rows {
		rows[i].Open = rows[i].ID == query.Get("open")
		rows[i].Href = v.anchor(i, at, rows[i].ID)
	}
	v.gather(rows)
	first := (v.Page - 1) * rowsOfPage
	v.Rows = rows[first:min(first+rowsOfPage, len(rows))]
	return v
}

// anchor leads to a line, on whichever page it is.
func (v *taskView) anchor(i int, at taskAddress, id string) string {
	page := i/rowsOfPage + 1
	if page == v.Page {
		return "#" + id
	}
	return at.with("page", strconv.Itoa(page)) + "#" + id
}

// gather finds what is shown apart from the table: nodes that wait for somebody, and in a table that is longer than a
// screen also those that run.
func (v *taskView) gather(rows []row) {
	for i := range rows {
		r := &rows[i]
		switch {
		case r.Needs && r.Reached:
			v.Attention, v.MoreAttention = shortlist(v.Attention, v.MoreAttention, r)
		case len(rows) > rowsOfScreen && r.Look == looks[stdops.StateRunning] && r.Kind == "":
			v.Running, v.MoreRunning = shortlist(v.Running, v.MoreRunning, r)
		}
	}
}

// shortlist adds a line to a short list, or to the number of those that it has no room for.
func shortlist(list []row, more int, r *row) ([]row, int) {
	if len(list) == namedOfPage {
		return list, more + 1
	}
	return append(list, *r), more
}

// turn finds the page that is asked for and makes the addresses around it.
func (v *taskView) turn(rows int, at taskAddress, page string) {
	v.Pages = max(1, (rows+rowsOfPage-1)/rowsOfPage)
	v.Page = 1
	if n, err := strconv.Atoi(page); err == nil {
		v.Page = min(max(n, 1), v.Pages)
	}
	var still []string
	if v.Paused {
		still = []string{"pause", "1"}
	}
	leaf := func(n int) []string { return []string{"page", strconv.Itoa(n)} }
	var here []string
	if v.Page > 1 {
		here = leaf(v.Page)
		v.PreviousURL = at.with(append(leaf(v.Page-1), still...)...)
	}
	if v.Page < v.Pages {
		v.NextURL = at.with(append(leaf(v.Page+1), still...)...)
	}
	v.ResumeURL = at.with(here...)
	v.PauseURL = at.with(append(here, "pause", "1")...)
	v.OpenURL = v.PauseURL + "&open="
	if v.Live && !v.Paused {
		v.Refresh = liveRate
	}
}
