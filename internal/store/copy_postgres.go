package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// OpenDatabase opens a PostgreSQL database to read it as it is at this moment, whatever servers do to it meanwhile. A schema
// other than that of this program is refused.
func OpenDatabase(ctx context.Context, url string) (c *Copy, err error) {
	c = &Copy{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
			c = nil
		}
	}()
	if c.db, err = openPool(url, poolOptions{most: 1, settings: readSettings + `SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;`}); err != nil {
		return c, err
	}
	if err := checkPostgresSchema(ctx, c.db); err != nil {
		return c, err
	}
	if err := c.openUnzip(); err != nil {
		return c, err
	}
	if c.conn, err = c.db.Conn(ctx); err != nil {
		return c, fmt.Errorf("connect to the database: %w", explain(err))
	}
	c.tx, err = c.conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return c, fmt.Errorf("begin to read: %w", explain(err))
	}
	return c, nil
}

// checkDatabase makes sure that each task is driven, or will be, by whoever is to drive it (docs/cluster.md).
func (c *Copy) checkDatabase(look func(what, query string) []string) []string {
	return look("who drives the tasks", `
		SELECT 'task ' || id || ' is not live, but is driven or is to be' FROM task WHERE live = 0 AND (owner IS NOT NULL OR queue_at IS NOT NULL)
		UNION ALL
		SELECT 'task ' || id || ' is driven and is to be taken' FROM task WHERE owner IS NOT NULL AND queue_at IS NOT NULL
		UNION ALL
		SELECT 'task ' || id || ' has something to do, but nobody will drive it' FROM task
		WHERE live = 1 AND owner IS NULL AND queue_at IS NULL AND wake_at IS NOT NULL`)
}

const postgresTablesOfTasks = `
	SELECT c.table_name::text FROM information_schema.columns c
	JOIN information_schema.columns p ON p.table_schema = c.table_schema AND p.table_name = c.table_name AND p.column_name = 'project_id'
	WHERE c.table_schema = current_schema() AND c.column_name = 'task_id' ORDER BY 1`
