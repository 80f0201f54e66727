package sops

import (
	"slices"
	"strings"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// taskGroup is one line of a count: the tasks with one of the values in the column.
type taskGroup struct {
	choice
	values []any
}

// groupings are what query_task_count counts by.
var groupings = map[string]struct {
	by     service.TaskColumn
	groups []taskGroup
}{
	"category":      {service.ByCategory, groupsOf(categories)},
	"create_method": {service.ByMethod, groupsOf(createMethods)},
	"flow_type":     {service.ByFlowType, groupsOf(flowTypes)},
	"status": {service.ByState, []taskGroup{
		{choice{"CREATED", "Not started"}, states(stdops.StateCreated)},
		{choice{"EXECUTING", "Running"}, states(stdops.StateRunning, stdops.StateSuspended)},
		{choice{"FINISHED", "Finished"}, states(stdops.StateFinished)},
		{choice{"REVOKED", "Revoked"}, states(stdops.StateRevoked)},
	}},
}

func groupsOf(choices []choice) []taskGroup {
	groups := make([]taskGroup, len(choices))
	for i, c := range choices {
		groups[i] = taskGroup{c, []any{c.code}}
	}
	return groups
}

func states(list ...stdops.State) []any {
	values := make([]any, len(list))
	for i, state := range list {
		values[i] = int64(state)
	}
	return values
}

// queryTaskCount counts the tasks of a project by groups (docs/spec/api.md 4.5, 24).
func queryTaskCount(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	if err := access.Require(service.ProjectView); err != nil {
		return err
	}
	body, err := requiredBody(c.body)
	if err != nil {
		return err
	}
	given, ok := body.Get("conditions")
	conditions, isObject := given.(*stdops.Object)
	if ok && !isObject {
		return invalid("[API] query_task_list params conditions[%s] are invalid dict data", shown(given))
	}
	by, _ := body.Get("group_by")
	word, _ := by.(string)
	grouping, ok := groupings[word]
	if !ok {
		return invalid("[API] query_task_list params group_by[%s] is invalid", shown(by))
	}
	m, err := c.countConditions(conditions)
	if err != nil {
		return err
	}
	var values []any
	for _, g := range grouping.groups {
		values = append(values, g.values...)
	}
	counts, err := c.sops.svc.CountTasks(c.ctx, access, m, grouping.by, values...)
	if err != nil {
		return err
	}
	list, rest := make([]any, len(grouping.groups)), counts.Of
	for i, g := range grouping.groups {
		var n int64
		for _, one := range rest[:len(g.values)] {
			n += one
		}
		rest = rest[len(g.values):]
		list[i] = stdops.NewObject("code", g.code, "name", g.name, "value", n)
	}
	c.out.Data(stdops.NewObject("total", counts.Total, "groups", list), "", nil)
	return nil
}

// countCondition reads one condition of a count into m; ok is false when the value is none for it.
type countCondition func(c *call, m *service.TaskMatch, value any) (ok bool)

// countConditions are all that a count can be asked under. In bk-sops a key goes into the query as it is, with whatever
// tables and columns it names; here nothing else than these is known.
var countConditions = map[string]countCondition{
	"name":      textCondition(func(m *service.TaskMatch) *string { return &m.Name }),
	"creator":   textCondition(func(m *service.TaskMatch) *string { return &m.Creator }),
	"executor":  textCondition(func(m *service.TaskMatch) *string { return &m.Executor }),
	"category":  textCondition(func(m *service.TaskMatch) *string { return &m.Category }),
	"flow_type": textCondition(func(m *service.TaskMatch) *string { return (*string)(&m.FlowType) }),

	"create_time__gte": from(momentText(false), func(m *service.TaskMatch) *time.Time { return &m.CreatedFrom }),
	"create_time__lte": to(momentText(true), func(m *service.TaskMatch) *time.Time { return &m.CreatedTo }),
	"start_time__gte":  from(momentText(false), func(m *service.TaskMatch) *time.Time { return &m.StartedFrom }),
	"start_time__lte":  to(momentText(true), func(m *service.TaskMatch) *time.Time { return &m.StartedTo }),
	// Both of these are about the creation, in milliseconds; the second names a day that belongs to the time.
	"create_time": from(momentStamp(0), func(m *service.TaskMatch) *time.Time { return &m.CreatedFrom }),
	"finish_time": to(momentStamp(24*time.Hour-time.Microsecond), func(m *service.TaskMatch) *time.Time { return &m.CreatedTo }),

	"is_started":    stateCondition(isStarted),
	"is_finished":   stateCondition(isFinished),
	"create_method": methodCondition,
	"template_id":   templateCondition,
	"project_id":    func(*call, *service.TaskMatch, any) bool { return true }, // the project is that of the address, always
}

// countConditions reads the conditions; empty ones count as absent, as in bk-sops.
func (c *call) countConditions(conditions *stdops.Object) (m service.TaskMatch, err error) {
	for _, key := range conditions.Keys() {
		read := countConditions[key]
		if read == nil {
			return m, invalid("[API] query_task_count conditions[%s] is unknown", shown(key))
		}
		value, _ := conditions.Get(key)
		if value == nil || value == "" || value == "None" {
			continue
		}
		if !read(c, &m, value) {
			return m, invalid("[API] query_task_count conditions[%s] is invalid: %s", key, shown(value))
		}
	}
	return m, nil
}

func textCondition(field func(*service.TaskMatch) *string) countCondition {
	return func(_ *call, m *service.TaskMatch, value any) (ok bool) {
		*field(m), ok = value.(string)
		return ok
	}
}

// from reads a moment from which on tasks count: the later one of two.
func from(read momentReader, field func(*service.TaskMatch) *time.Time) countCondition {
	return func(c *call, m *service.TaskMatch, value any) bool {
		moment, ok := read(c, value)
		if at := field(m); at.IsZero() || moment.After(*at) {
			*at = moment
		}
		return ok
	}
}

// to reads a moment up to which tasks count: the earlier one of two.
func to(read momentReader, field func(*service.TaskMatch) *time.Time) countCondition {
	return func(c *call, m *service.TaskMatch, value any) bool {
		moment, ok := read(c, value)
		if at := field(m); at.IsZero() || moment.Before(*at) {
			*at = moment
		}
		return ok
	}
}

type momentReader func(c *call, value any) (moment time.Time, ok bool)

func momentText(end bool) momentReader {
	return func(c *call, value any) (time.Time, bool) {
		text, ok := value.(string)
		if !ok {
			return time.Time{}, false
		}
		return parseMoment(text, c.sops.zone, end)
	}
}

// momentStamp reads milliseconds since 1970.
func momentStamp(later time.Duration) momentReader {
	return func(_ *call, value any) (time.Time, bool) {
		stamp, ok := value.(int64)
		if text, isText := value.(string); isText && allDigits(text) {
			stamp, ok = number(text), true
		}
		moment := time.UnixMilli(stamp).Add(later)
		return moment, ok && stamp >= 0 && moment.Year() < 10_000
	}
}

func stateCondition(has func(stdops.State) bool) countCondition {
	return func(_ *call, m *service.TaskMatch, value any) bool {
		on, known := boolean(value)
		before := m.States
		m.States = statesOf(func(s stdops.State) bool {
			return has(s) == on && (before == nil || slices.Contains(before, s))
		})
		return known
	}
}

func methodCondition(_ *call, m *service.TaskMatch, value any) bool {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	m.Methods = []string{}
	for _, item := range list {
		method, ok := item.(string)
		if !ok {
			return false
		}
		m.Methods = append(m.Methods, method)
	}
	return true
}

func templateCondition(_ *call, m *service.TaskMatch, value any) bool {
	digits, ok := idDigits(value)
	if text, isText := value.(string); isText && !ok {
		digits, ok = strings.TrimSpace(text), true // no flow has such an id, so no task is one of it
	}
	m.Templates = templateIDs(digits)
	return ok
}
