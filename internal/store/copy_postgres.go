package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

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
	if c.db, err = openPool(url, poolOptions{most: 1, settings: readSettings + `SET statement_timeout = 0;`}); err != nil {
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

// postgresUndriven finds tasks that are not driven, nor will be, by whoever is to drive them (docs/cluster.md).
const postgresUndriven = `
	SELECT 'task ' || id || ' is not live, but is driven or is to be' FROM task WHERE live = 0 AND (owner IS NOT NULL OR queue_at IS NOT NULL)
	UNION ALL
	SELECT 'task ' || id || ' is driven and is to be taken' FROM task WHERE owner IS NOT NULL AND queue_at IS NOT NULL
	UNION ALL
	SELECT 'task ' || id || ' has something to do, but nobody will drive it' FROM task
	WHERE live = 1 AND owner IS NULL AND queue_at IS NULL AND wake_at IS NOT NULL`

const postgresTablesOfTasks = `
	SELECT c.table_name::text FROM information_schema.columns c
	JOIN information_schema.columns p ON p.table_schema = c.table_schema AND p.table_name = c.table_name AND p.column_name = 'project_id'
	WHERE c.table_schema = current_schema() AND c.column_name = 'task_id' ORDER BY 1`
