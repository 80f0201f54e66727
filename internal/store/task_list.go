package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stdops/stdops"
)

// TaskMatch is what tasks have to fulfil to be listed or counted; what is zero asks for nothing. Of a list one has to
// fit: nil asks for nothing, and an empty one finds nothing. Tasks that are deleted are never found.
type TaskMatch struct {
	Keyword string // part of the name, in any case of ASCII letters
	Name    string // the whole name
	States  []stdops.State
	Holding []stdops.State // a node in one of these states

	Templates []stdops.TemplateID
	Methods   []string // ways in which tasks are created
	Creator   string
	Executor  string
	Category  string
	FlowType  stdops.FlowType
	Child     *bool // whether another task made it

	// Moments from and to which tasks were created and started, the ends included.
	CreatedFrom, CreatedTo, StartedFrom, StartedTo time.Time
}

// TaskFilter says which tasks of a project are listed, newest first.
type TaskFilter struct {
	TaskMatch
	Limit  int           // at most so many; 0 means 100
	Offset int64         // how many are passed over
	Before stdops.TaskID // older than that one: the last of the page before
}

const defaultTaskLimit = 100

func (f *TaskFilter) limit() int { return cmp.Or(f.Limit, defaultTaskLimit) }

// query runs the statement of a list; its rows are those of taskColumns.
func (f *TaskFilter) query(ctx context.Context, q querier, c *conditions, project stdops.ProjectID) (*sql.Rows, error) {
	f.apply(c, project)
	if f.Before != 0 {
		c.and(`id < ?`, int64(f.Before))
	}
	text := `SELECT ` + taskColumns + ` FROM task WHERE ` + c.text() +
		` ORDER BY id DESC LIMIT ` + c.param(int64(f.limit())) + ` OFFSET ` + c.param(f.Offset)
	return q.QueryContext(ctx, text, c.args...)
}

// apply adds what the tasks have to fulfil, wherever in a list they stand. A filter that hardly a task fits looks at each
// of the project, at a million of them in some tenths of a second; flows and creators have an index, and names and times
// of creation stand in the one of the project.
func (m *TaskMatch) apply(c *conditions, project stdops.ProjectID) {
	if m.underWay() {
		c.and(`live = 1 AND +project_id = ? AND deleted = 0`, int64(project)) // the sign keeps SQLite from the longer index
	} else {
		c.and(`project_id = ? AND deleted = 0`, int64(project))
	}
	if m.Keyword != "" {
		c.and(c.partOf(`name`), likePattern(m.Keyword))
	}
	c.equal(`name`, m.Name)
	c.equal(`creator`, m.Creator)
	c.equal(`executor`, m.Executor)
	c.equal(`category`, m.Category)
	c.equal(`flow_type`, string(m.FlowType))
	if m.States != nil {
		c.oneOf(`state`, ids(c.dialect, m.States))
	}
	if m.Holding != nil {
		c.all = append(c.all, `EXISTS (SELECT 1 FROM node_state n WHERE n.task_id = task.id AND n.state `+c.anyOf(c.param(ids(c.dialect, m.Holding)))+`)`)
	}
	if len(m.Templates) == 1 { // for one, the index has them in the order of the list
		c.and(`template_id = ?`, int64(m.Templates[0]))
	} else if m.Templates != nil {
		c.oneOf(`template_id`, ids(c.dialect, m.Templates))
	}
	if m.Methods != nil {
		c.oneOf(`create_method`, c.texts(m.Methods))
	}
	if m.Child != nil {
		c.and(`(parent_id <> 0) = ?`, *m.Child)
	}
	c.bound(`created_at >= ?`, m.CreatedFrom)
	c.bound(`created_at <= ?`, m.CreatedTo)
	c.bound(`started_at >= ?`, m.StartedFrom)
	c.bound(`started_at <= ?`, m.StartedTo)
}

// underWay reports whether only tasks are meant that were started and have not ended. These are few, and live: they have
// an index of their own.
func (m *TaskMatch) underWay() bool {
	return len(m.States) > 0 && !slices.ContainsFunc(m.States, func(s stdops.State) bool {
		return s != stdops.StateRunning && s != stdops.StateSuspended
	})
}

// TaskColumn is what tasks can be counted by.
type TaskColumn string

// The columns.
const (
	ByState    TaskColumn = "state"
	ByCategory TaskColumn = "category"
	ByMethod   TaskColumn = "create_method"
	ByFlowType TaskColumn = "flow_type"
)

// TaskCounts is how many tasks there are, in all and for each of the values that were asked about.
type TaskCounts struct {
	Total int64
	Of    []int64
}

// CountTasks counts the tasks that match, and among them those with each of the values in a column: numbers of
// states, or texts.
func (s *Store) CountTasks(ctx context.Context, project stdops.ProjectID, m TaskMatch, by TaskColumn, values ...any) (TaskCounts, error) {
	counts := TaskCounts{Of: make([]int64, len(values))}
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return countTasks(ctx, tx, s.conditions(), project, m, by, &counts, values...)
	})
	if err != nil {
		return TaskCounts{}, fmt.Errorf("count tasks of project %d: %w", project, err)
	}
	return counts, nil
}

// countTasks counts in one pass. (Grouping would sort, and hold a value of every task for it.)
func countTasks(
	ctx context.Context, q querier, c *conditions, project stdops.ProjectID, m TaskMatch, by TaskColumn, counts *TaskCounts, values ...any,
) error {
	text, dest := `COUNT(*)`, []any{&counts.Total}
	for i, value := range values {
		text += `, COUNT(*) FILTER (WHERE ` + string(by) + ` = ` + c.param(value) + `)`
		dest = append(dest, &counts.Of[i])
	}
	m.apply(c, project)
	return q.QueryRowContext(ctx, `SELECT `+text+` FROM task WHERE `+c.text(), c.args...).Scan(dest...)
}

// conditions are what a statement asks for, with its parameters, which are added in the order in which the text names
// them: SQLite counts them by that.
type conditions struct {
	dialect
	all  []string
	args []any
}

func (s *Store) conditions() *conditions { return &conditions{dialect: s.dialect()} }

// param adds a parameter and gives its name.
func (c *conditions) param(value any) string {
	c.args = append(c.args, value)
	return "$" + strconv.Itoa(len(c.args))
}

// and adds a condition about one value, whose place has a question mark.
func (c *conditions) and(condition string, value any) {
	c.all = append(c.all, strings.Replace(condition, "?", c.param(value), 1))
}

// equal asks for a text, unless it is empty.
func (c *conditions) equal(column, value string) {
	if value != "" {
		c.and(column+` = ?`, value)
	}
}

// oneOf asks for one of a list, which is made by ids or texts.
func (c *conditions) oneOf(column string, list any) {
	c.all = append(c.all, column+` `+c.anyOf(c.param(list)))
}

// bound asks for a moment on one side of another, unless that is zero.
func (c *conditions) bound(condition string, moment time.Time) {
	if !moment.IsZero() {
		c.and(condition, micros(moment))
	}
}

func (c *conditions) text() string { return strings.Join(c.all, ` AND `) }
