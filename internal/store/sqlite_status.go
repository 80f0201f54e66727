package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/stdops/stdops"
)

// hotReads are the statements of [Store.Statuses] and [Store.Load], prepared on each connection that reads when it is opened. They are
// those of the library itself: a status reads a thousand rows, and what database/sql adds to each is most of the time.
type hotReads struct {
	of sync.Map // from *sqlite3.Conn to *statusReads
}

// prepare is told of each new connection, forget when it is closed.
func (h *hotReads) prepare(c *sqlite3.Conn) error {
	r := &statusReads{}
	if err := prepareTexts(c, r.texts()); err != nil {
		return errors.Join(fmt.Errorf("prepare the reads: %w", err), r.close())
	}
	h.of.Store(c, r)
	return nil
}

func (h *hotReads) forget(c *sqlite3.Conn) error {
	r, ok := h.of.LoadAndDelete(c)
	if !ok {
		return nil
	}
	return r.(*statusReads).close()
}

// run runs fn with the statements of a connection, inside of the transaction that it has open.
func (h *hotReads) run(ctx context.Context, conn *sql.Conn, fn func(*statusReads) error) error {
	err := raw(conn, func(c *sqlite3.Conn) error {
		r, ok := h.of.Load(c)
		if !ok {
			return errors.New("a connection has no statements for statuses")
		}
		defer c.SetInterrupt(c.SetInterrupt(ctx))
		return fn(r.(*statusReads))
	})
	if ctx.Err() != nil && errors.Is(err, sqlite3.INTERRUPT) {
		return ctx.Err()
	}
	return err
}

// statusReads are the statements on one connection.
type statusReads struct {
	byIDs, newest, skeletons *sqlite3.Stmt
	counts, nodes, openNodes *sqlite3.Stmt
	doneNodes, archived      *sqlite3.Stmt
	updates                  *sqlite3.Stmt

	snapshot snapshotReads
}

// What reads all of a status is also what [StatusScan] runs.
var (
	tasksByIDs = `SELECT ` + taskColumns + ` FROM task WHERE project_id = $1 AND id ` + anyOf("$2") + ` ORDER BY id DESC`
	nodesOf    = `SELECT task_id, ` + nodeColumns + ` FROM node_state WHERE task_id ` + anyOf("$1")
)

func (r *statusReads) texts() []statementText {
	return append([]statementText{
		{&r.byIDs, tasksByIDs},
		{&r.newest, `SELECT ` + taskColumns + ` FROM task WHERE project_id = $1 AND deleted = 0 ORDER BY id DESC LIMIT $2`},
		{&r.counts, `
			SELECT task_id, COUNT(*) FROM node_state WHERE task_id ` + anyOf("$1") + ` GROUP BY task_id
			UNION ALL SELECT task_id, nodes FROM task_archive WHERE task_id ` + anyOf("$1")},
		{&r.nodes, nodesOf},
		{&r.openNodes, `SELECT task_id, ` + nodeColumns + ` FROM node_state WHERE task_id ` + anyOf("$1") + ` AND state <> $2`},
		{&r.doneNodes, `SELECT task_id, node FROM node_state WHERE task_id ` + anyOf("$1") + ` AND state = $2`},
		{&r.archived, `SELECT task_id, format, body, calls FROM task_archive WHERE task_id ` + anyOf("$1")},
		{&r.updates, `
			SELECT value, (SELECT at FROM transition WHERE task_id = value ORDER BY revision DESC, n DESC LIMIT 1)
			FROM json_each($1)`},
		{&r.skeletons, `SELECT hash, skeleton FROM tree WHERE hash ` + anyOf("$1")},
	}, r.snapshot.texts()...)
}

func (r *statusReads) close() error { return closeTexts(r.texts()) }

func (r *statusReads) countsOf(tasks []stdops.TaskID, each func(stdops.TaskID, int)) error {
	return bind(r.counts).text(idList(tasks)).rows(func(c *columns) {
		var task stdops.TaskID
		var n int64
		next(c, &task)
		next(c, &n)
		each(task, int(n))
	})
}

func (r *statusReads) nodesOf(tasks []stdops.TaskID, each func(stdops.TaskID) *stdops.NodeState) error {
	return bind(r.nodes).text(idList(tasks)).nodes(each)
}

func (r *statusReads) openNodesOf(tasks []stdops.TaskID, each func(stdops.TaskID) *stdops.NodeState) error {
	return bind(r.openNodes).text(idList(tasks)).number(int64(stdops.StateFinished)).nodes(each)
}

func (r *statusReads) doneNodesOf(tasks []stdops.TaskID, each func(stdops.TaskID, stdops.NodeIndex)) error {
	return bind(r.doneNodes).text(idList(tasks)).number(int64(stdops.StateFinished)).rows(func(c *columns) {
		var task stdops.TaskID
		var node stdops.NodeIndex
		next(c, &task)
		next(c, &node)
		each(task, node)
	})
}

// nodes runs a statement whose rows are a task and nodeColumns, and puts each node where it is told.
func (b *binding) nodes(each func(stdops.TaskID) *stdops.NodeState) error {
	return b.rows(func(c *columns) {
		var task stdops.TaskID
		next(c, &task)
		c.node(each(task))
	})
}

func (r *statusReads) archivesOf(tasks []stdops.TaskID, each func(stdops.TaskID, packedNodes)) error {
	return bind(r.archived).text(idList(tasks)).rows(func(c *columns) {
		var task stdops.TaskID
		var p packedNodes
		next(c, &task)
		next(c, &p.format)
		p.body, p.calls = c.bytes(), c.bytes()
		each(task, p)
	})
}

func (r *statusReads) updatesOf(tasks []stdops.TaskID, each func(stdops.TaskID, time.Time)) error {
	return bind(r.updates).text(idList(tasks)).rows(func(c *columns) {
		var task stdops.TaskID
		var at time.Time
		next(c, &task)
		c.instant(&at)
		each(task, at)
	})
}

func (r *statusReads) skeletonsOf(hashes []string, each func(hash string, packed []byte)) error {
	return bind(r.skeletons).text(textList(hashes)).rows(func(c *columns) {
		var hash string
		c.text(&hash)
		each(hash, c.bytes())
	})
}

// rows runs a statement whose parameters are bound, and calls row for each of its rows.
func (b *binding) rows(row func(*columns)) error {
	if b.err != nil {
		return b.err
	}
	c := columns{st: b.st}
	for b.st.Step() {
		c.n = 0
		row(&c)
	}
	return errors.Join(b.st.Err(), b.st.Reset(), c.err)
}

// columns gives the columns of the row that a statement stands on, one after the other. The tables are STRICT, so a
// column has its type or is NULL.
type columns struct {
	st  *sqlite3.Stmt
	n   int
	err error
}

// next takes a whole number into any integer type.
func next[T ~int8 | ~int16 | ~int32 | ~int64 | ~uint8](c *columns, to *T) {
	v := c.st.ColumnInt64(c.n)
	c.n++
	if *to = T(v); int64(*to) != v && c.err == nil {
		c.err = fmt.Errorf("a number is stored as %d", v)
	}
}

func (c *columns) flag(to *bool) {
	*to = c.st.ColumnInt64(c.n) != 0
	c.n++
}

func (c *columns) text(to *string) {
	*to = c.st.ColumnText(c.n)
	c.n++
}

// bytes gives what is valid until the next row only.
func (c *columns) bytes() []byte {
	c.n++
	return c.st.ColumnRawBlob(c.n - 1)
}

// instant takes 0 for NULL, as the batch on PostgreSQL does: to ask which of them it is costs as much as the value, and most times
// of a node are NULL while it runs.
func (c *columns) instant(to *time.Time) {
	*to = time.Time{}
	if v := c.st.ColumnInt64(c.n); v != 0 {
		*to = time.UnixMicro(v).UTC()
	}
	c.n++
}

// task reads taskColumns.
func (c *columns) task(t *stdops.Task) {
	next(c, &t.ID)
	next(c, &t.Project)
	c.text(&t.Name)
	c.text(&t.TreeHash)
	c.text((*string)(&t.FlowType))
	c.flag(&t.Claimed)
	c.flag(&t.Deleted)
	next(c, &t.Template)
	c.text(&t.TemplateSource)
	c.text(&t.CreateMethod)
	c.text(&t.App)
	c.text(&t.Creator)
	c.text(&t.Executor)
	c.text(&t.Description)
	c.text(&t.Category)
	c.instant(&t.Created)
	next(c, &t.Parent.Task)
	next(c, &t.Parent.Node)
	c.text((*string)(&t.Parent.Version))
	next(c, &t.Root.State)
	c.text((*string)(&t.Root.Version))
	c.instant(&t.Root.Started)
	c.instant(&t.Root.Finished)
	next(c, &t.Root.Revision)
	next(c, &t.Root.Epoch)
	c.flag(&t.Root.Live)
	c.instant(&t.Root.WakeAt)
	c.instant(&t.Archived)
}

// node reads nodeColumns.
func (c *columns) node(n *stdops.NodeState) {
	next(c, &n.Node)
	next(c, &n.Order)
	next(c, &n.State)
	next(c, &n.Phase)
	next(c, &n.Call)
	next(c, &n.Loop)
	next(c, &n.InnerLoop)
	next(c, &n.Retry)
	next(c, &n.AutoRetries)
	c.flag(&n.Skip)
	c.flag(&n.ErrorIgnored)
	c.text((*string)(&n.Version))
	next(c, &n.Token)
	c.instant(&n.Started)
	c.instant(&n.Finished)
	c.instant(&n.Due)
	c.instant(&n.Deadline)
	c.instant(&n.Called)
}
