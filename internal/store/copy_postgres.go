package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stdops/stdops"
)

// noHurry are the settings of those who go through all that there is, which may take hours.
const noHurry = `SET statement_timeout = 0; SET idle_in_transaction_session_timeout = '10min';`

// OpenDatabase opens a PostgreSQL database to read it, whatever servers do to it meanwhile. A schema other than that of this
// program is refused.
func OpenDatabase(ctx context.Context, url string) (c *Copy, err error) {
	c = &Copy{pg: true, live: true}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
			c = nil
		}
	}()
	if c.db, err = openPool(url, poolOptions{most: 1, settings: readSettings + noHurry}); err != nil {
		return c, err
	}
	if err := checkPostgresSchema(ctx, c.db); err != nil {
		return c, err
	}
	return c, c.openUnzip()
}

func (c *Copy) momentOfDatabase(ctx context.Context, fn func() error) (err error) {
	if c.conn, err = c.db.Conn(ctx); err != nil {
		return fmt.Errorf("connect to the database: %w", explain(err))
	}
	defer func() {
		err = errors.Join(err, c.conn.Close())
		c.conn = nil
	}()
	c.tx, err = c.conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin to read: %w", explain(err))
	}
	defer func() {
		err = errors.Join(err, c.tx.Rollback())
		c.tx = nil
	}()
	return fn()
}

// Misled is a task whose row says something wrong of who drives it (docs/cluster.md).
type Misled struct {
	Ref  stdops.TaskRef
	What string
	// Forgotten: it has something to do, but nobody will drive it.
	Forgotten bool
}

// forgotten is the condition that a task has something to do, but that nobody drives it or will.
const forgotten = `live = 1 AND owner IS NULL AND queue_at IS NULL AND wake_at IS NOT NULL`

// Misled lists the tasks of a database that processes share of which their rows say something wrong about who drives them.
func (c *Copy) Misled(ctx context.Context) ([]Misled, error) {
	if !c.pg {
		return nil, nil
	}
	rows, err := c.from().QueryContext(ctx, `
		SELECT project_id, id, 'it is not live, but is driven or is to be', FALSE FROM task
		WHERE live = 0 AND (owner IS NOT NULL OR queue_at IS NOT NULL)
		UNION ALL
		SELECT project_id, id, 'it is driven and is to be taken', FALSE FROM task WHERE owner IS NOT NULL AND queue_at IS NOT NULL
		UNION ALL
		SELECT project_id, id, 'it has something to do, but nobody will drive it', TRUE FROM task WHERE `+forgotten+`
		ORDER BY 2`)
	all, err := collect(rows, err, func(m *Misled) []any {
		return []any{number(&m.Ref.Project), number(&m.Ref.Task), &m.What, &m.Forgotten}
	})
	if err != nil {
		return nil, fmt.Errorf("look who drives the tasks: %w", explain(err))
	}
	return all, nil
}

const postgresTablesOfTasks = `
	SELECT c.table_name::text FROM information_schema.columns c
	JOIN information_schema.columns p ON p.table_schema = c.table_schema AND p.table_name = c.table_name AND p.column_name = 'project_id'
	WHERE c.table_schema = current_schema() AND c.column_name = 'task_id' ORDER BY 1`
