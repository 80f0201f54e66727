package page

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

const (
	tasksOfPage = 50
	// idleRate is the number of seconds between two looks at a list in which nothing moves: a new task may come.
	idleRate       = 5
	longestKeyword = 100
)

// projectsView lists the projects of a caller who has several.
type projectsView struct {
	frame
	Projects []projectLine
}

func (*projectsView) name() string { return "projects" }

type projectLine struct {
	Name, URL string
	ID        stdops.ProjectID
	Biz       int64 // -1 for none
}

// home leads to the one project that the caller may see, or lets the caller choose.
func (p *pages) home(w http.ResponseWriter, v visit) {
	projects, err := p.service.Projects(v.Context(), v.caller)
	if err != nil {
		p.fail(w, v.Request, err)
		return
	}
	if len(projects) == 1 {
		http.Redirect(w, v.Request, listAddress(projects[0].ID, nil), http.StatusSeeOther)
		return
	}
	view := &projectsView{frame: frame{Title: "Projects", User: v.caller.User, Forms: true}}
	for _, project := range projects {
		view.Projects = append(view.Projects, projectLine{
			Name: cut(project.Name, longestName), URL: listAddress(project.ID, nil), ID: project.ID, Biz: project.Biz,
		})
	}
	p.render(w, v.Request, http.StatusOK, view)
}

// listAddress makes the address of the list of a project.
func listAddress(project stdops.ProjectID, query url.Values) string {
	address := "/taskflow/home/list/" + strconv.FormatInt(int64(project), 10) + "/"
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// listView is the list of the tasks of a project.
type listView struct {
	frame
	Action  string // of the search form
	Keyword string
	State   string // word of the state that is filtered by
	Filters []filterLink
	Counts  []stateCount
	Tasks   []taskLine
	Total   string
	Zone    string
	Read    stamp

	Paused              bool
	PauseURL, ResumeURL string
	ClearURL            string // without the keyword
	NewestURL, OlderURL string
}

func (*listView) name() string { return "list" }

type filterLink struct {
	Text, URL string
	Key       string // of the look; "" for all
	Current   bool
}

type stateCount struct {
	Look  look
	Count int
}

type taskLine struct {
	ID               stdops.TaskID
	URL              string
	Name, Full       string
	Look             look
	Created, Started stamp
	Finished         stamp
	Elapsed          string
	Creator          string
	Problem          string
}

// list shows the newest tasks of a project, filtered by state and name; a cursor leads to older ones.
func (p *pages) list(w http.ResponseWriter, v visit) {
	a, err := p.access(v)
	if err != nil {
		p.fail(w, v.Request, err)
		return
	}
	query := v.URL.Query()
	ask := service.TaskQuery{Limit: tasksOfPage}
	ask.Keyword = strings.TrimSpace(cut(query.Get("keyword"), longestKeyword))
	ask.State, _ = parseState(query.Get("state"))
	if before, err := strconv.ParseInt(query.Get("before"), 10, 64); err == nil && before > 0 {
		ask.Before = stdops.TaskID(before)
	}
	tasks, err := p.service.Tasks(v.Context(), a, ask)
	if err != nil {
		p.fail(w, v.Request, err)
		return
	}
	view := newListView(a.Project(), ask, tasks, query.Has("pause"))
	view.User, view.Forms, view.Project = v.caller.User, true, crumbOf(a)
	view.Title = "Tasks · " + cut(a.ProjectName(), 60)
	p.render(w, v.Request, http.StatusOK, view)
}

func newListView(project stdops.ProjectID, ask service.TaskQuery, tasks *service.TaskList, paused bool) *listView {
	c := newClock(tasks.Now, tasks.Zone)
	v := &listView{
		Action: listAddress(project, nil), Keyword: ask.Keyword, State: ask.State.String(),
		Zone: c.zone(), Read: c.stamp(tasks.Now), Paused: paused, Total: count(len(tasks.Tasks), "task", "tasks"),
	}
	v.addresses(project, ask, tasks.Older)
	moving, counts := false, map[stdops.State]int{}
	for i := range tasks.Tasks {
		t := &tasks.Tasks[i]
		moving = moving || t.Task.Root.Live
		counts[t.Status.State]++
		v.Tasks = append(v.Tasks, newTaskLine(t, c))
	}
	for _, s := range shown {
		if counts[s] > 0 {
			v.Counts = append(v.Counts, stateCount{lookOf(s), counts[s]})
		}
	}
	switch {
	case paused:
	case moving:
		v.Refresh = liveRate
	default:
		v.Refresh = idleRate
	}
	return v
}

func newTaskLine(t *service.TaskStatus, c clock) taskLine {
	line := taskLine{
		ID: t.Task.ID, URL: taskAddress{t.Task.Project, t.Task.ID}.with(), Name: cut(t.Task.Name, longestName),
		Look: lookOf(t.Status.State), Created: c.stamp(t.Task.Created), Started: c.stamp(t.Status.Started),
		Finished: c.stamp(t.Status.Finished), Creator: t.Task.Creator,
	}
	if line.Name != t.Task.Name {
		line.Full = t.Task.Name
	}
	if !t.Status.Started.IsZero() {
		line.Elapsed = duration(t.Status.Elapsed)
	}
	if t.Problem != nil {
		line.Problem = t.Problem.Message
	}
	return line
}

// addresses makes the links around a list. Each keeps what it does not change; a new filter starts at the newest task.
func (v *listView) addresses(project stdops.ProjectID, ask service.TaskQuery, older stdops.TaskID) {
	link := func(state stdops.State, keyword string, before stdops.TaskID, paused bool) string {
		q := url.Values{}
		if state != stdops.StateNone {
			q.Set("state", state.String())
		}
		if keyword != "" {
			q.Set("keyword", keyword)
		}
		if before != 0 {
			q.Set("before", strconv.FormatInt(int64(before), 10))
		}
		if paused {
			q.Set("pause", "1")
		}
		return listAddress(project, q)
	}
	v.PauseURL = link(ask.State, ask.Keyword, ask.Before, true)
	v.ResumeURL = link(ask.State, ask.Keyword, ask.Before, false)
	v.ClearURL = link(ask.State, "", 0, v.Paused)
	if ask.Before != 0 {
		v.NewestURL = link(ask.State, ask.Keyword, 0, v.Paused)
	}
	if older != 0 {
		v.OlderURL = link(ask.State, ask.Keyword, older, v.Paused)
	}
	v.Filters = append(v.Filters, filterLink{
		Text: "All", URL: link(stdops.StateNone, ask.Keyword, 0, v.Paused), Current: ask.State == stdops.StateNone,
	})
	for _, s := range shown {
		v.Filters = append(v.Filters, filterLink{
			Text: lookOf(s).Word, Key: lookOf(s).Key, URL: link(s, ask.Keyword, 0, v.Paused), Current: ask.State == s,
		})
	}
}
