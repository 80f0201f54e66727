package sops

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// getTaskList gives a page of the tasks of a project (docs/spec/api.md 4.5, 22).
func getTaskList(c *call) error {
	access, zone, m, err := c.taskMatch()
	if err != nil {
		return err
	}
	offset, limit, err := c.paging()
	if err != nil {
		return err
	}
	withoutCount, _ := c.formFlag("without_count")
	page, err := c.sops.svc.TaskPage(c.ctx, access, service.PageQuery{
		TaskMatch: m, Offset: offset, Limit: limit, Total: !withoutCount,
	})
	if err != nil {
		return err
	}
	list, actions := make([]any, len(page.Tasks)), taskActions(access)
	for i := range page.Tasks {
		list[i] = c.listedTask(&page.Tasks[i], access, zone, actions)
	}
	count := page.Total
	if withoutCount {
		count = -1
	}
	c.out.Data(list, "", stdops.NewObject("count", count))
	return nil
}

// getTaskCount counts the tasks of a project (docs/spec/api.md 4.5, 23).
func getTaskCount(c *call) error {
	access, _, m, err := c.taskMatch()
	if err != nil {
		return err
	}
	counts, err := c.sops.svc.CountTasks(c.ctx, access, m, service.ByState)
	if err != nil {
		return err
	}
	c.out.Data(stdops.NewObject("count", counts.Total), "", nil)
	return nil
}

// taskMatch does what list and count have in common: who asks, in which zone, about which tasks.
func (c *call) taskMatch() (access *service.Access, zone *time.Location, m service.TaskMatch, err error) {
	if access, err = c.project(); err != nil {
		return nil, nil, m, err
	}
	if err = access.Require(service.ProjectView); err != nil {
		return nil, nil, m, err
	}
	if zone, err = c.expectedZone(); err != nil {
		return nil, nil, m, err
	}
	m, err = c.taskFilters()
	return access, zone, m, err
}

// taskFilters reads the filters of a list; a count knows fewer of them.
func (c *call) taskFilters() (m service.TaskMatch, err error) {
	wrong := fieldErrors{}
	m.Keyword = c.keyword("keyword", wrong)
	m.Executor = c.text("executor")
	if method := c.text("create_method"); method != "" {
		m.Methods = []string{method}
	}
	if template := c.text("template_id"); template != "" {
		m.Templates = templateIDs(template)
	}
	m.States = c.startedAndFinished()
	if c.route.endpoint.name == "get_task_list" {
		if templates := c.text("template_ids"); templates != "" {
			m.Templates = both(m.Templates, templateIDs(strings.Split(templates, ",")...))
		}
		if child, given := c.formFlag("is_child_taskflow"); given {
			m.Child = &child
		}
		m.CreatedFrom = c.moment("create_time_start", false, wrong)
		m.CreatedTo = c.moment("create_time_end", true, wrong)
	}
	return m, wrong.refusal(stdops.CodeInvalidForm)
}

// startedAndFinished gives the stored states that two filters leave, nil when neither was given. A revoked task was
// started and is not finished.
func (c *call) startedAndFinished() []stdops.State {
	started, askStarted := c.formFlag("is_started")
	finished, askFinished := c.formFlag("is_finished")
	if !askStarted && !askFinished {
		return nil
	}
	return statesOf(func(s stdops.State) bool {
		return (!askStarted || isStarted(s) == started) && (!askFinished || isFinished(s) == finished)
	})
}

func isStarted(s stdops.State) bool { return s != stdops.StateCreated }

func isFinished(s stdops.State) bool { return s == stdops.StateFinished }

// statesOf gives the stored states of tasks that fit; none is not the same as nil.
func statesOf(fits func(stdops.State) bool) []stdops.State {
	states := []stdops.State{}
	for _, s := range service.StoredStates() {
		if fits(s) {
			states = append(states, s)
		}
	}
	return states
}

// templateIDs reads ids of flows; a text that is no id stands for no flow. A task without a flow has the id "".
func templateIDs(texts ...string) []stdops.TemplateID {
	ids := []stdops.TemplateID{}
	for _, text := range texts {
		if id := number(strings.TrimSpace(text)); id > 0 {
			ids = append(ids, stdops.TemplateID(id))
		}
	}
	return ids
}

// both gives the ids that stand in two lists; one that is nil holds all.
func both(a, b []stdops.TemplateID) []stdops.TemplateID {
	if a == nil {
		return b
	}
	return slices.DeleteFunc(a, func(id stdops.TemplateID) bool { return !slices.Contains(b, id) })
}

// taskActions lists what the caller may do with tasks of the project.
func taskActions(access *service.Access) []any {
	return allowed(access, service.TaskView, service.TaskEdit, service.TaskOperate, service.TaskDelete)
}

func allowed(access *service.Access, actions ...service.Permission) []any {
	list := []any{}
	for _, action := range actions {
		if access.Require(action) == nil {
			list = append(list, string(action))
		}
	}
	return list
}

func (c *call) listedTask(t *service.TaskStatus, access *service.Access, zone *time.Location, actions []any) *stdops.Object {
	task, root := &t.Task, t.Task.Root.State
	template := ""
	if task.Template != 0 {
		template = strconv.FormatInt(int64(task.Template), 10)
	}
	item := stdops.NewObject(
		"id", int64(task.ID), "name", task.Name, "category", nameOf(categories, task.Category),
		"create_method", task.CreateMethod, "creator", task.Creator, "executor", task.Executor,
		"create_time", listTime(task.Created, zone), "start_time", listTime(task.Root.Started, zone),
		"finish_time", listTime(task.Root.Finished, zone), "is_started", isStarted(root), "is_finished", isFinished(root),
		"is_revoked", root == stdops.StateRevoked, "state", t.Status.State.String(),
		"template_source", task.TemplateSource, "template_id", template, "is_child_taskflow", task.Parent.Task != 0,
	)
	setProject(item, access)
	item.Set("auth_actions", actions)
	return item
}

// setProject adds the keys by which an entry of a list names its project.
func setProject(item *stdops.Object, access *service.Access) {
	item.Set("project_id", int64(access.Project()))
	item.Set("project_name", access.ProjectName())
	item.Set("bk_biz_id", access.Biz())
	if item.Set("bk_biz_name", nil); access.Bound() {
		item.Set("bk_biz_name", access.ProjectName())
	}
}
