package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
)

// batch holds the statements of [Store.Commit], prepared once on the connection that writes. They are those of the
// library itself: a commit runs thousands of them, and what database/sql adds to each is a quarter of the time.
type batch struct {
	root, rootLive     *sqlite3.Stmt
	archive, attempt   *sqlite3.Stmt
	node, data, inputs *sqlite3.Stmt
	variable           *sqlite3.Stmt
	variableGone       *sqlite3.Stmt
	fork, forkGone     *sqlite3.Stmt
	event, eventGone   *sqlite3.Stmt
	tell               *sqlite3.Stmt
	transition         *sqlite3.Stmt
	keyTaken, key      *sqlite3.Stmt
}

func (b *batch) close() error { return closeTexts(b.texts()) }

// raw runs fn with the library's connection inside of conn.
func raw(conn *sql.Conn, fn func(*sqlite3.Conn) error) error {
	return conn.Raw(func(c any) error { return fn(c.(driver.Conn).Raw()) })
}

func prepareBatch(conn *sql.Conn) (*batch, error) {
	b := &batch{}
	err := raw(conn, func(c *sqlite3.Conn) error {
		return prepareTexts(c, b.texts())
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the batch commit: %w", err), b.close())
	}
	return b, nil
}

// statementText is a statement to be prepared, and where it goes.
type statementText struct {
	to   **sqlite3.Stmt
	text string
}

func closeTexts(texts []statementText) error {
	var errs []error
	for _, p := range texts {
		errs = append(errs, (*p.to).Close())
	}
	return errors.Join(errs...)
}

func prepareTexts(c *sqlite3.Conn, texts []statementText) error {
	for _, p := range texts {
		st, _, err := c.Prepare(p.text)
		if err != nil {
			return err
		}
		*p.to = st
	}
	return nil
}

func (b *batch) texts() []statementText {
	return []statementText{
		// Naming the column in SET touches the index of live tasks, so that most changes are tried without.
		{&b.root, `
			UPDATE task SET state = $1, version = $2, started_at = $3, finished_at = $4, revision = revision + 1,
				epoch = $5, wake_at = $6, executor = CASE WHEN $7 = '' THEN executor ELSE $7 END
			WHERE live = $8 AND id = $9 AND project_id = $10 AND revision = $11 AND epoch <= $5`},
		{&b.rootLive, `
			UPDATE task SET state = $1, version = $2, started_at = $3, finished_at = $4, revision = revision + 1,
				epoch = $5, wake_at = $6, executor = CASE WHEN $7 = '' THEN executor ELSE $7 END, live = $8
			WHERE id = $9 AND project_id = $10 AND revision = $11 AND epoch <= $5`},
		{&b.archive, `
			INSERT INTO node_attempt (project_id, task_id, node, ord, state, phase, call, loop, inner_loop, retry,
				auto_retries, skip, error_ignored, version, token, started_at, finished_at, due_at, deadline, called_at,
				inputs, outputs, template, archived_at)
			SELECT s.project_id, s.task_id, s.node, s.ord, s.state, s.phase, s.call, s.loop, s.inner_loop, s.retry,
				s.auto_retries, s.skip, s.error_ignored, s.version, s.token, s.started_at, s.finished_at, s.due_at, s.deadline, s.called_at,
				d.inputs, d.outputs, d.template, $1
			FROM node_state s LEFT JOIN node_data d ON d.task_id = s.task_id AND d.node = s.node
			WHERE s.task_id = $2 AND s.node = $3`},
		{&b.attempt, `
			INSERT INTO node_attempt (project_id, task_id, node, ord, state, phase, call, loop, inner_loop, retry,
				auto_retries, skip, error_ignored, version, token, started_at, finished_at, due_at, deadline, called_at,
				inputs, outputs, template, archived_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`},
		{&b.node, `
			INSERT INTO node_state (project_id, task_id, node, ord, state, phase, call, loop, inner_loop, retry,
				auto_retries, skip, error_ignored, version, token, started_at, finished_at, due_at, deadline, called_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
			ON CONFLICT (task_id, node) DO UPDATE SET ord = excluded.ord, state = excluded.state, phase = excluded.phase,
				call = excluded.call, loop = excluded.loop, inner_loop = excluded.inner_loop, retry = excluded.retry,
				auto_retries = excluded.auto_retries, skip = excluded.skip, error_ignored = excluded.error_ignored,
				version = excluded.version, token = excluded.token, started_at = excluded.started_at,
				finished_at = excluded.finished_at, due_at = excluded.due_at, deadline = excluded.deadline,
				called_at = excluded.called_at`},
		{&b.data, `
			INSERT INTO node_data (project_id, task_id, node, inputs, outputs, template) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (task_id, node) DO UPDATE SET inputs = excluded.inputs, outputs = excluded.outputs,
				template = excluded.template`},
		{&b.inputs, `UPDATE task_input SET inputs = $1 WHERE task_id = $2 AND project_id = $3`},
		{&b.variableGone, `DELETE FROM variable WHERE task_id = $1 AND scope = $2 AND key = $3`},
		{&b.variable, `
			INSERT INTO variable (project_id, task_id, scope, key, value) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (task_id, scope, key) DO UPDATE SET value = excluded.value`},
		{&b.fork, `
			INSERT INTO fork (project_id, task_id, token, parent, destination, need, have, next, stopped, suspended_by, moving)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
			ON CONFLICT (task_id, token) DO UPDATE SET parent = excluded.parent, destination = excluded.destination,
				need = excluded.need, have = excluded.have, next = excluded.next, stopped = excluded.stopped,
				suspended_by = excluded.suspended_by, moving = excluded.moving`},
		{&b.forkGone, `DELETE FROM fork WHERE task_id = $1 AND token = $2`},
		{&b.event, `
			INSERT INTO event (project_id, task_id, seq, node, version, data) VALUES ($1, $2, $3, $4, $5, $6)`},
		{&b.eventGone, `DELETE FROM event WHERE task_id = $1 AND seq = $2`},
		// A driver numbers callbacks from 1 on, so that what others write down here can never take a number that it gives.
		{&b.tell, `
			INSERT INTO event (project_id, task_id, node, version, data, seq)
			SELECT t.project_id, t.id, $1, $2, $3,
				(SELECT MIN(COALESCE(MIN(e.seq), 0), 0) - 1 FROM event e WHERE e.task_id = t.id)
			FROM task t WHERE t.id = $4 AND t.project_id = $5 AND t.live = 1`},
		{&b.transition, `
			INSERT INTO transition (project_id, task_id, revision, n, node, from_state, to_state, actor, reason, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULLIF($9, ''), $10)`},
		{&b.keyTaken, `
			SELECT 1 FROM request_key WHERE project_id = $1 AND owner = $2 AND key = $3 AND expires_at > $4`},
		{&b.key, `
			INSERT INTO request_key (project_id, owner, key, request, made, answer, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (project_id, owner, key) DO UPDATE SET request = excluded.request, made = excluded.made,
				answer = excluded.answer, expires_at = excluded.expires_at`},
	}
}

// binding gives a statement its parameters, one after the other.
type binding struct {
	st  *sqlite3.Stmt
	n   int
	err error
}

func bind(st *sqlite3.Stmt) *binding { return &binding{st: st} }

func (b *binding) number(v int64) *binding {
	b.n++
	b.note(b.st.BindInt64(b.n, v))
	return b
}

func (b *binding) flag(v bool) *binding {
	b.n++
	b.note(b.st.BindBool(b.n, v))
	return b
}

func (b *binding) text(v string) *binding {
	b.n++
	b.note(b.st.BindText(b.n, v))
	return b
}

func (b *binding) bytes(v []byte) *binding {
	b.n++
	if v == nil {
		b.note(b.st.BindNull(b.n))
	} else {
		b.note(b.st.BindBlob(b.n, v))
	}
	return b
}

func (b *binding) instant(v time.Time) *binding {
	b.n++
	if v.IsZero() {
		b.note(b.st.BindNull(b.n))
	} else {
		b.note(b.st.BindInt64(b.n, v.UnixMicro()))
	}
	return b
}

func (b *binding) note(err error) {
	if b.err == nil {
		b.err = err
	}
}

// found executes a statement that asks for a row, and tells whether there is one.
func (b *binding) found() (bool, error) {
	if err := b.check(); err != nil {
		return false, err
	}
	found := b.st.Step()
	return found, b.st.Reset()
}

// run executes the statement.
func (b *binding) run() error {
	if err := b.check(); err != nil {
		return err
	}
	return b.st.Exec()
}

// check holds back a statement that cannot be meant. One that was given too few parameters would go on with those of its last run, so that is
// an error.
func (b *binding) check() error {
	if b.err == nil && b.n != b.st.BindCount() {
		b.err = fmt.Errorf("%d parameters for %d: %s", b.n, b.st.BindCount(), b.st.SQL())
	}
	return b.err
}
