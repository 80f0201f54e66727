package bare

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/stdops/stdops"
)

// fillAtOnce is how many tasks one statement makes.
const fillAtOnce = 10_000

// Fill makes n copies of tasks, in turn, each with all rows of one of the tables named. A copy that is live is driven by
// nobody and due when that of which it is a copy is, or up to spread microseconds later.
func (d *DB) Fill(ctx context.Context, samples []stdops.TaskID, n int, spread int64, tables ...string) ([]stdops.TaskID, error) {
	columns, err := d.columns(ctx, "task", "id")
	if err != nil {
		return nil, err
	}
	values := strings.Replace(columns, "queue_at", fmt.Sprintf("queue_at + (random() * %d)::bigint", spread), 1)
	filled := make([]stdops.TaskID, 0, n)
	for len(filled) < n {
		part := min(fillAtOnce, n-len(filled))
		ids, err := d.fillPart(ctx, samples, part, columns, values, tables)
		if err != nil {
			return nil, fmt.Errorf("fill the database: %w", err)
		}
		filled = append(filled, ids...)
	}
	return filled, nil
}

// fillPart makes some copies in one transaction.
func (d *DB) fillPart(ctx context.Context, samples []stdops.TaskID, n int, columns, values string, tables []string) ([]stdops.TaskID, error) {
	tx, err := d.sql.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(ctx, `
		CREATE TEMPORARY TABLE filled ON COMMIT DROP AS
		SELECT nextval(pg_get_serial_sequence('task', 'id')) AS id, ($1::bigint[])[1 + i % cardinality($1::bigint[])] AS sample
		FROM generate_series(1, $2) i`, numbers(samples), n)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO task (id, `+columns+`) SELECT filled.id, `+values+` FROM filled JOIN task t ON t.id = filled.sample ORDER BY filled.id`)
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		columns, err := d.columns(ctx, table, "task_id")
		if err != nil {
			return nil, err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO `+table+` (task_id, `+columns+`)
			SELECT filled.id, `+columns+` FROM filled JOIN `+table+` t ON t.task_id = filled.sample ORDER BY filled.id`)
		if err != nil {
			return nil, err
		}
	}
	rows, err := tx.QueryContext(ctx, `SELECT id FROM filled ORDER BY id`)
	if err != nil {
		return nil, err
	}
	ids, err := idsOf(rows)
	if err != nil {
		return nil, err
	}
	return ids, tx.Commit()
}

func idsOf(rows *sql.Rows) (ids []stdops.TaskID, err error) {
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, stdops.TaskID(id))
	}
	return ids, rows.Err()
}

// columns lists those of a table but the one that names the task.
func (d *DB) columns(ctx context.Context, table, but string) (string, error) {
	return one[string](ctx, d, `
		SELECT string_agg(quote_ident(column_name::text), ', ' ORDER BY ordinal_position) FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = $1 AND column_name <> $2`, table, but)
}
