package store

import (
	"bytes"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/stdops/stdops"
)

// snapshotReads are the statements of [Store.Load] on one connection: when many tasks start at the same time, to prepare
// them would take as long as all the rest.
type snapshotReads struct {
	task, inputs, nodes, data *sqlite3.Stmt
	variables, forks, events  *sqlite3.Stmt
}

func (r *snapshotReads) texts() []statementText {
	return []statementText{
		{&r.task, `SELECT ` + taskColumns + ` FROM task WHERE id = $1 AND project_id = $2`},
		{&r.inputs, `SELECT inputs FROM task_input WHERE task_id = $1 AND project_id = $2`},
		{&r.nodes, `SELECT ` + nodeColumns + ` FROM node_state WHERE task_id = $1 ORDER BY node`},
		{&r.data, `
			SELECT d.node, d.inputs, d.outputs, d.template
			FROM node_data d LEFT JOIN node_state s ON s.task_id = d.task_id AND s.node = d.node
			WHERE d.task_id = $1 AND (s.state IS NULL OR s.state <> $2 OR d.template IS NOT NULL)
			ORDER BY d.node`},
		{&r.variables, `SELECT scope, key, value FROM variable WHERE task_id = $1 ORDER BY scope, key`},
		{&r.forks, `
			SELECT token, parent, destination, need, have, next, stopped, suspended_by, moving
			FROM fork WHERE task_id = $1 ORDER BY token`},
		{&r.events, `SELECT seq, node, version, data FROM event WHERE task_id = $1 ORDER BY abs(seq), seq`}, // each kind in its own order
	}
}

// read reads all of a task, inside of one transaction.
func (r *snapshotReads) read(ref stdops.TaskRef, snap *stdops.Snapshot) error {
	task, exists, complete := int64(ref.Task), false, false
	err := bind(r.task).number(task).number(int64(ref.Project)).rows(func(c *columns) { c.task(&snap.Task); exists = true })
	if err != nil {
		return fmt.Errorf("load task %d: %w", ref.Task, err)
	}
	err = bind(r.inputs).number(task).number(int64(ref.Project)).rows(func(c *columns) { snap.Inputs = c.blob(); complete = true })
	if err != nil {
		return fmt.Errorf("load inputs of task %d: %w", ref.Task, err)
	}
	switch {
	case !exists:
		return noTask(ref.Task)
	case !snap.Task.Archived.IsZero():
		return archived(&snap.Task)
	case !complete:
		return noInputs(ref.Task)
	}
	for _, part := range []struct {
		what string
		rows *binding
		row  func(*columns)
	}{
		{"nodes", bind(r.nodes).number(task), func(c *columns) { c.node(added(&snap.Nodes)) }},
		{"data", bind(r.data).number(task).number(int64(stdops.StateFinished)), func(c *columns) { c.nodeData(added(&snap.Data)) }},
		{"variables", bind(r.variables).number(task), func(c *columns) { c.variable(added(&snap.Variables)) }},
		{"forks", bind(r.forks).number(task), func(c *columns) { c.fork(added(&snap.Forks)) }},
		{"callbacks", bind(r.events).number(task), func(c *columns) { c.callback(added(&snap.Callbacks)) }},
	} {
		if err := part.rows.rows(part.row); err != nil {
			return fmt.Errorf("load %s of task %d: %w", part.what, ref.Task, err)
		}
	}
	return nil
}

// added makes room for one more at the end of a list.
func added[T any](list *[]T) *T {
	*list = append(*list, *new(T))
	return &(*list)[len(*list)-1]
}

// blob gives bytes that stay valid; only NULL gives nil.
func (c *columns) blob() []byte {
	raw := c.bytes()
	if len(raw) == 0 && c.st.ColumnType(c.n-1) != sqlite3.NULL {
		return []byte{}
	}
	return bytes.Clone(raw)
}

func (c *columns) nodeData(d *stdops.NodeData) {
	next(c, &d.Node)
	d.Inputs, d.Outputs, d.Template = c.blob(), c.blob(), c.blob()
}

func (c *columns) variable(v *stdops.Variable) {
	next(c, &v.Scope)
	c.text(&v.Key)
	v.Value = c.blob()
}

func (c *columns) fork(f *stdops.Fork) {
	next(c, &f.Token)
	next(c, &f.Parent)
	next(c, &f.Destination)
	next(c, &f.Need)
	next(c, &f.Have)
	next(c, &f.Next)
	c.flag(&f.Stopped)
	next(c, &f.SuspendedBy)
	c.flag(&f.Moving)
}

func (c *columns) callback(e *stdops.Callback) {
	next(c, &e.Seq)
	next(c, &e.Node)
	c.text((*string)(&e.Version))
	e.Data = c.blob()
}
