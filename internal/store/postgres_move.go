package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/stdops/stdops"
)

// moved are the tables that an embedded store and one on PostgreSQL have in common, each after those that it refers to.
var moved = []string{
	"project", "tree", "task", "task_input", "task_archive", "node_state", "node_data", "node_attempt", "variable", "fork", "event", "transition",
	"log_chunk", "request_key", "template", "template_version", "scheme", "app", "app_secret", "app_trust", "users", "role",
	"user_token", "session", "login_link",
}

// Moved is how many rows of a table were copied.
type Moved struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	// Mended is how many texts held a NUL, or what is not UTF-8, which PostgreSQL does not store: U+FFFD stands for it.
	Mended int64 `json:"mended,omitempty"`
}

// CopyToPostgres copies all that is stored in the data directory of a stopped server into an empty database with the schema
// of this program: everything, with the ids that it has, or nothing. key is that of the data directory, under which secrets
// are hashed. What was live is looked at by the first worker that comes. told is told of each table.
func CopyToPostgres(ctx context.Context, dir, url string, key []byte, told func(Moved)) (err error) {
	from, err := OpenCopy(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if err := mustFit(ctx, url); err != nil {
		return err
	}
	to, err := connectToCopy(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", explain(err))
	}
	defer to.Close(context.WithoutCancel(ctx))
	return explain(pgx.BeginFunc(ctx, to, func(tx pgx.Tx) error { return move(ctx, from.db, tx, key, told) }))
}

// connectToCopy connects to a database into which all is copied, which may take hours.
func connectToCopy(ctx context.Context, url string) (*pgx.Conn, error) {
	to, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	if _, err := to.PgConn().Exec(ctx, sessionSettings()+noHurry).ReadAll(); err != nil {
		return nil, errors.Join(err, to.Close(context.WithoutCancel(ctx)))
	}
	return to, nil
}

// mustFit refuses a database of another schema than that of this program.
func mustFit(ctx context.Context, url string) (err error) {
	db, err := openPool(url, poolOptions{most: 1})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return checkPostgresSchema(ctx, db)
}

func move(ctx context.Context, from *sql.DB, tx pgx.Tx, key []byte, told func(Moved)) error {
	if err := takeEmpty(ctx, tx); err != nil {
		return err
	}
	for _, table := range moved {
		m := Moved{Table: table}
		if err := m.move(ctx, from, tx); err != nil {
			return fmt.Errorf("copy table %s: %w", table, err)
		}
		told(m)
	}
	if err := moveSequences(ctx, from, tx); err != nil {
		return fmt.Errorf("copy which ids are used: %w", err)
	}
	_, err := tx.Exec(ctx, `UPDATE task SET queue_at = `+present+` WHERE live = 1`)
	if err == nil {
		_, err = tx.Exec(ctx, `INSERT INTO secret_key (id, key) VALUES (1, $1)`, key)
	}
	return err
}

// takeEmpty keeps others out of the database, and refuses one that holds anything but the project of a new one.
func takeEmpty(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, writeLock); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `LOCK TABLE project, task, template, app, users, secret_key, worker IN ACCESS EXCLUSIVE MODE`)
	if err != nil {
		return err
	}
	var used bool
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM task) OR EXISTS (SELECT 1 FROM template) OR EXISTS (SELECT 1 FROM app) OR EXISTS (SELECT 1 FROM users)
			OR EXISTS (SELECT 1 FROM secret_key) OR EXISTS (SELECT 1 FROM worker) OR (SELECT count(*) FROM project) > 1`).Scan(&used)
	if err != nil {
		return err
	}
	if used {
		return stdops.Errorf(stdops.CodeRefused, "the database is used: copy into one that is empty but for its schema, before any server was started on it")
	}
	_, err = tx.Exec(ctx, `DELETE FROM project`)
	return err
}

func (m *Moved) move(ctx context.Context, from *sql.DB, tx pgx.Tx) error {
	rows, err := from.QueryContext(ctx, `SELECT * FROM "`+m.Table+`"`) //nolint:sqlclosecheck // what follows closes it
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, dest := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		dest[i] = &values[i]
	}
	m.Rows, err = tx.CopyFrom(ctx, pgx.Identifier{m.Table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		if !rows.Next() {
			return nil, rows.Err()
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		m.mend(values)
		return values, nil
	}))
	return err
}

// mend lets the texts of a row be stored: SQLite takes any bytes for one.
func (m *Moved) mend(row []any) {
	for i := range row {
		text, ok := row[i].(string)
		if !ok || utf8.ValidString(text) && !strings.Contains(text, "\x00") {
			continue
		}
		row[i] = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
		m.Mended++
	}
}

// moveSequences lets no id be given that was given before, also of rows that are gone.
func moveSequences(ctx context.Context, from *sql.DB, tx pgx.Tx) error {
	type sequence struct {
		table string
		last  int64
	}
	rows, err := from.QueryContext(ctx, `SELECT name, seq FROM sqlite_sequence WHERE seq > 0 ORDER BY name`)
	all, err := collect(rows, err, func(s *sequence) []any { return []any{&s.table, &s.last} })
	if err != nil {
		return err
	}
	for _, s := range all {
		if _, err := tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence($1, 'id'), $2)`, s.table, s.last); err != nil {
			return fmt.Errorf("of table %s: %w", s.table, err)
		}
	}
	_, err = tx.Exec(ctx, `SELECT setval('tell', GREATEST(1, (SELECT -MIN(seq) FROM event)))`)
	return err
}
