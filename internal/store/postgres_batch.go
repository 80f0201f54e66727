package store

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// batchPart is one of the statements that the statement of a batch is put together of. In its text {name} stands for rows that
// belong to changes, as a table r whose first column is the number of the change. A part without rows is left out.
type batchPart struct {
	rows []rowsOf
	text string
}

// rowsOf are rows of one kind, with the types of their columns.
type rowsOf struct {
	name    string
	columns string
}

const nodeValues = `node bigint, ord bigint, state bigint, phase bigint, call bigint, loop bigint, inner_loop bigint, retry bigint,
	auto_retries bigint, skip bigint, error_ignored bigint, version text, token bigint, started_at bigint, finished_at bigint,
	due_at bigint, deadline bigint, called_at bigint`

// The columns of a node as they are stored of the rows of a batch, which have 0 for a time that there is not.
const (
	nodeNames = `node, ord, state, phase, call, loop, inner_loop, retry, auto_retries, skip, error_ignored, version, token,
	started_at, finished_at, due_at, deadline, called_at`
	nodeOfRow = `r.node, r.ord, r.state, r.phase, r.call, r.loop, r.inner_loop, r.retry, r.auto_retries, r.skip, r.error_ignored,
	r.version, r.token, NULLIF(r.started_at, 0), NULLIF(r.finished_at, 0), NULLIF(r.due_at, 0), NULLIF(r.deadline, 0),
	NULLIF(r.called_at, 0)`
	nodeOfStored = `(k.s).node, (k.s).ord, (k.s).state, (k.s).phase, (k.s).call, (k.s).loop, (k.s).inner_loop, (k.s).retry,
	(k.s).auto_retries, (k.s).skip, (k.s).error_ignored, (k.s).version, (k.s).token, (k.s).started_at, (k.s).finished_at,
	(k.s).due_at, (k.s).deadline, (k.s).called_at`
)

// want are the tasks of the changes. Its rows are the first, so $2 is the list of their ids.
var want = rowsOf{"want", `id bigint, project_id bigint, revision bigint, epoch bigint, state bigint, version text, started_at bigint,
	finished_at bigint, wake_at bigint, executor text, live bigint, outside bigint, now bigint, commit_id bigint`}

// batchHead finds the tasks that are as their changes expect them and that nobody holds, takes them in the order of their
// ids, and stores their rows. Whatever else there is to store is joined to won. All parts see the moment before: a task
// whose row was changed since is passed over.
const batchHead = `
WITH want AS (SELECT r.* FROM {want}),
held AS (
	SELECT w.change, t.id FROM task t JOIN want w ON w.id = t.id
	WHERE t.id = ANY ($2) AND t.project_id = w.project_id AND t.revision = w.revision AND t.epoch = w.epoch
	ORDER BY t.id FOR NO KEY UPDATE OF t SKIP LOCKED),
won AS (
	UPDATE task t SET state = w.state, version = w.version, started_at = NULLIF(w.started_at, 0), finished_at = NULLIF(w.finished_at, 0),
		revision = t.revision + 1, wake_at = NULLIF(w.wake_at, 0), executor = CASE WHEN w.executor = '' THEN t.executor ELSE w.executor END,
		live = w.live, commit_id = w.commit_id,
		owner = CASE WHEN w.live = 1 THEN t.owner END,
		queue_at = CASE WHEN w.live = 0 THEN NULL WHEN w.outside = 1 AND t.owner IS NULL THEN w.now ELSE t.queue_at END,
		touched_at = CASE WHEN w.live = 1 AND w.outside = 1 AND t.owner IS NOT NULL THEN w.now END
	FROM held h JOIN want w ON w.change = h.change
	WHERE t.id = h.id AND t.id = ANY ($2)
	RETURNING w.change, t.id, t.project_id, t.revision)`

// batchParts are in the order in which they are named to PostgreSQL, which may run them in any.
var batchParts = []batchPart{
	{[]rowsOf{{"kept", `n bigint, node bigint, at bigint`}, {"attempts", `n bigint, at bigint, ` + nodeValues + `, inputs bytea, outputs bytea, template bytea`}}, `
kept AS MATERIALIZED (
	SELECT r.change, r.n, r.at, won.id, won.project_id,
		(SELECT s FROM node_state s WHERE s.task_id = won.id AND s.node = r.node) AS s,
		(SELECT d FROM node_data d WHERE d.task_id = won.id AND d.node = r.node) AS d
	FROM {kept} JOIN won ON won.change = r.change),
attempts AS (
	INSERT INTO node_attempt (project_id, task_id, ` + nodeNames + `, inputs, outputs, template, archived_at)
	SELECT project_id, id, ` + nodeNames + `, inputs, outputs, template, at FROM (
		SELECT k.change, 0 AS kind, k.n, k.project_id, k.id, ` + nodeOfStored + `, (k.d).inputs, (k.d).outputs, (k.d).template, k.at
		FROM kept k WHERE (k.s).task_id IS NOT NULL
		UNION ALL
		SELECT r.change, 1, r.n, won.project_id, won.id, ` + nodeOfRow + `, r.inputs, r.outputs, r.template, r.at
		FROM {attempts} JOIN won ON won.change = r.change
	) a ORDER BY change, kind, n)`},
	{[]rowsOf{{"inputs", `inputs bytea`}}, `
inputs AS (
	UPDATE task_input i SET inputs = r.inputs FROM {inputs} JOIN won ON won.change = r.change
	WHERE i.task_id = won.id AND i.task_id = ANY ($2))`},
	{[]rowsOf{{"nodes", nodeValues}}, `
nodes AS (
	INSERT INTO node_state (project_id, task_id, ` + nodeNames + `)
	SELECT won.project_id, won.id, ` + nodeOfRow + ` FROM {nodes} JOIN won ON won.change = r.change
	ON CONFLICT (task_id, node) DO UPDATE SET ord = excluded.ord, state = excluded.state, phase = excluded.phase,
		call = excluded.call, loop = excluded.loop, inner_loop = excluded.inner_loop, retry = excluded.retry,
		auto_retries = excluded.auto_retries, skip = excluded.skip, error_ignored = excluded.error_ignored,
		version = excluded.version, token = excluded.token, started_at = excluded.started_at,
		finished_at = excluded.finished_at, due_at = excluded.due_at, deadline = excluded.deadline,
		called_at = excluded.called_at)`},
	{[]rowsOf{{"data", `node bigint, inputs bytea, outputs bytea, template bytea`}}, `
data AS (
	INSERT INTO node_data (project_id, task_id, node, inputs, outputs, template)
	SELECT won.project_id, won.id, r.node, r.inputs, r.outputs, r.template FROM {data} JOIN won ON won.change = r.change
	ON CONFLICT (task_id, node) DO UPDATE SET inputs = excluded.inputs, outputs = excluded.outputs, template = excluded.template)`},
	{[]rowsOf{{"variables", `scope bigint, key text, value bytea`}}, `
variables AS (
	INSERT INTO variable (project_id, task_id, scope, key, value)
	SELECT won.project_id, won.id, r.scope, r.key, r.value FROM {variables} JOIN won ON won.change = r.change
	ON CONFLICT (task_id, scope, key) DO UPDATE SET value = excluded.value)`},
	{[]rowsOf{{"variables_gone", `scope bigint, key text`}}, `
variables_gone AS (
	DELETE FROM variable v USING {variables_gone} JOIN won ON won.change = r.change
	WHERE v.task_id = won.id AND v.scope = r.scope AND v.key = r.key AND v.task_id = ANY ($2))`},
	{[]rowsOf{{"forks", `token bigint, parent bigint, destination bigint, need bigint, have bigint, next bigint, stopped bigint,
		suspended_by bigint, moving bigint`}}, `
forks AS (
	INSERT INTO fork (project_id, task_id, token, parent, destination, need, have, next, stopped, suspended_by, moving)
	SELECT won.project_id, won.id, r.token, r.parent, r.destination, r.need, r.have, r.next, r.stopped, r.suspended_by, r.moving
	FROM {forks} JOIN won ON won.change = r.change
	ON CONFLICT (task_id, token) DO UPDATE SET parent = excluded.parent, destination = excluded.destination,
		need = excluded.need, have = excluded.have, next = excluded.next, stopped = excluded.stopped,
		suspended_by = excluded.suspended_by, moving = excluded.moving)`},
	{[]rowsOf{{"forks_gone", `token bigint`}}, `
forks_gone AS (
	DELETE FROM fork f USING {forks_gone} JOIN won ON won.change = r.change
	WHERE f.task_id = won.id AND f.token = r.token AND f.task_id = ANY ($2))`},
	{[]rowsOf{{"events", `seq bigint, node bigint, version text, data bytea`}}, `
events AS (
	INSERT INTO event (project_id, task_id, seq, node, version, data)
	SELECT won.project_id, won.id, r.seq, r.node, r.version, r.data FROM {events} JOIN won ON won.change = r.change)`},
	{[]rowsOf{{"events_gone", `seq bigint`}}, `
events_gone AS (
	DELETE FROM event e USING {events_gone} JOIN won ON won.change = r.change
	WHERE e.task_id = won.id AND e.seq = r.seq AND e.task_id = ANY ($2))`},
	// A driver numbers callbacks from 1 on. The row of the parent is not touched: two statements that hold tasks and wait for
	// each other's would never end.
	{[]rowsOf{{"tells", `n bigint, task bigint, node bigint, version text, data bytea`}}, `
tells AS (
	INSERT INTO event (project_id, task_id, seq, node, version, data)
	SELECT o.project_id, o.id, -nextval('tell'), o.node, o.version, o.data FROM (
		SELECT t.project_id, t.id, r.node, r.version, r.data
		FROM {tells} JOIN won ON won.change = r.change JOIN task t ON t.id = r.task
		WHERE t.project_id = won.project_id AND t.live = 1 AND t.id = ANY ({tells.task})
		ORDER BY r.change, r.n) o)`},
	{[]rowsOf{{"transitions", `n bigint, node bigint, from_state bigint, to_state bigint, actor text, reason text, at bigint`}}, `
transitions AS (
	INSERT INTO transition (project_id, task_id, revision, n, node, from_state, to_state, actor, reason, at)
	SELECT won.project_id, won.id, won.revision, r.n, r.node, r.from_state, r.to_state, r.actor, NULLIF(r.reason, ''), NULLIF(r.at, 0)
	FROM {transitions} JOIN won ON won.change = r.change)`},
}

// batchTail gives the changes that were not stored, with how their tasks stood: a task that does not exist has no revision.
const batchTail = `
SELECT w.change, t.revision, t.epoch, COALESCE(t.commit_id = w.commit_id, false)
FROM want w LEFT JOIN task t ON t.id = w.id AND t.project_id = w.project_id AND t.id = ANY ($2)
WHERE NOT EXISTS (SELECT 1 FROM won WHERE won.change = w.change)`

// batchTexts keeps the statements that were put together, by the parts that they have.
type batchTexts struct{ made sync.Map } // from uint32 to string

// rows are values of one kind, by column. They are given to it row by row, as parameters are to a statement of SQLite.
type rows struct {
	columns []any // *[]int64, *[]string or *[][]byte
	n       int
}

func newRows(of rowsOf) *rows {
	r := &rows{columns: []any{&[]int64{}}}
	for _, column := range strings.Split(of.columns, ",") {
		_, kind, _ := strings.Cut(strings.TrimSpace(column), " ")
		switch kind {
		case "bigint":
			r.columns = append(r.columns, &[]int64{})
		case "text":
			r.columns = append(r.columns, &[]string{})
		default:
			r.columns = append(r.columns, &[][]byte{})
		}
	}
	return r
}

// add begins a row of a change.
func (r *rows) add(change int) *rows {
	r.n = 0
	return r.number(int64(change))
}

func (r *rows) number(v int64) *rows {
	list := r.columns[r.n].(*[]int64)
	*list = append(*list, v)
	r.n++
	return r
}

func (r *rows) flag(v bool) *rows { return r.number(asNumber(v)) }

func (r *rows) text(v string) *rows {
	list := r.columns[r.n].(*[]string)
	*list = append(*list, v)
	r.n++
	return r
}

func (r *rows) bytes(v []byte) *rows {
	list := r.columns[r.n].(*[][]byte)
	*list = append(*list, v)
	r.n++
	return r
}

// instant adds a time, 0 for the zero time.
func (r *rows) instant(v time.Time) *rows {
	if v.IsZero() {
		return r.number(0)
	}
	return r.number(v.UnixMicro())
}

func (r *rows) empty() bool { return len(*r.columns[0].(*[]int64)) == 0 }

// args gives the columns as parameters.
func (r *rows) args() []any {
	args := make([]any, len(r.columns))
	for i, column := range r.columns {
		switch list := column.(type) {
		case *[]int64:
			args[i] = *list
		case *[]string:
			args[i] = *list
		case *[][]byte:
			args[i] = *list
		}
	}
	return args
}

// statement puts the statement of some parts together, and gives the kinds of rows that are its parameters in turn.
type statement struct {
	text strings.Builder
	args int
}

// table gives the rows of a kind as a table r, and the places of its columns among the parameters.
func (s *statement) table(of rowsOf) *strings.Replacer {
	var kinds, names []string
	replaced := []string{}
	for _, column := range strings.Split("change bigint, "+of.columns, ",") {
		name, kind, _ := strings.Cut(strings.TrimSpace(column), " ")
		s.args++
		param := "$" + strconv.Itoa(s.args) + "::" + kind + "[]"
		kinds, names = append(kinds, param), append(names, name)
		replaced = append(replaced, "{"+of.name+"."+name+"}", param)
	}
	table := fmt.Sprintf("unnest(%s) AS r (%s)", strings.Join(kinds, ", "), strings.Join(names, ", "))
	return strings.NewReplacer(append(replaced, "{"+of.name+"}", table)...)
}

// with gives the statement with the parts of which the bit is set.
func (t *batchTexts) with(parts uint32) string {
	if text, made := t.made.Load(parts); made {
		return text.(string)
	}
	s := &statement{}
	s.text.WriteString(s.table(want).Replace(batchHead))
	for i, part := range batchParts {
		if parts&(1<<i) == 0 {
			continue
		}
		text := part.text
		for _, of := range part.rows {
			text = s.table(of).Replace(text)
		}
		s.text.WriteString("," + text)
	}
	s.text.WriteString(batchTail)
	t.made.Store(parts, s.text.String())
	return s.text.String()
}
