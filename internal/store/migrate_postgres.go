package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
)

// migrationLock is the number of the advisory lock of those who change the schema: one at a time.
const migrationLock = 0x7374646f7073_01

// How a step of the schema gets at a table that others use. Whoever waits to change a table keeps all others from it that
// come later, so that it must not wait for long: a process that cannot renew its lease ends its calls after some seconds. A
// dump or a check reads for hours; it is asked for the table again and again.
const (
	tableLimit = 500 * time.Millisecond
	tablePause = 2 * time.Second
)

// migrateSettings let a step take as long as its tables are large.
func migrateSettings() string {
	return fmt.Sprintf(`SET statement_timeout = 0; SET lock_timeout = %d;`, tableLimit.Milliseconds())
}

// MigratePostgres brings the schema of a PostgreSQL database up to the one of this program, while nobody else does, and then
// lets others bring up to date what they have in it. A schema of a newer stdops is refused. Servers may be at work: what it
// cannot have at once it waits for without being in their way.
func MigratePostgres(ctx context.Context, url string, log *slog.Logger, others ...func(context.Context, *sql.DB, *slog.Logger) error) (err error) {
	db, err := openPool(url, poolOptions{most: 2, settings: migrateSettings()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	lock, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer lock.Close()
	if err := checkEncoding(ctx, db); err != nil {
		return err
	}
	if err := migrateAlone(ctx, lock, log); err != nil {
		return err
	}
	// What gives the lock back is also the end of the connection, whatever becomes of this statement.
	defer func() {
		_, _ = lock.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, migrationLock)
	}()
	for {
		err := migrateAll(ctx, db, log, others)
		if refusal(err) != lockNotAvailable {
			return advised(err)
		}
		log.Warn("store: others use a table that is to be changed, trying again until it is free", "error", err, "longest", longestOther(ctx, lock))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(tablePause):
		}
	}
}

// checkEncoding refuses a database that cannot store every text, or takes for one what is none.
func checkEncoding(ctx context.Context, db *sql.DB) error {
	var name, encoding string
	err := db.QueryRowContext(ctx, `SELECT current_database(), current_setting('server_encoding')`).Scan(&name, &encoding)
	if err != nil {
		return fmt.Errorf("read the encoding of the database: %w", err)
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the encoding of the database %s is %s, it has to be UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
			name, encoding)
	}
	return nil
}

// migrateAlone waits until nobody else migrates.
func migrateAlone(ctx context.Context, conn *sql.Conn, log *slog.Logger) error {
	var got bool
	err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, migrationLock).Scan(&got)
	if err == nil && !got {
		log.Info("store: somebody else changes the schema, waiting for the end of it")
		_, err = conn.ExecContext(ctx, `SET lock_timeout = 0`)
		if err == nil {
			_, err = conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrationLock)
		}
	}
	if err != nil {
		return fmt.Errorf("wait for others who migrate: %w", err)
	}
	return nil
}

// longestOther names who has been at work in the database for longest; "" when that cannot be told.
func longestOther(ctx context.Context, conn *sql.Conn) (who string) {
	_ = conn.QueryRowContext(ctx, `
		SELECT format('process %s of the database server, %s of %s, for %s', pid, COALESCE(NULLIF(application_name, ''), 'a program'),
			COALESCE(usename, 'somebody'), date_trunc('second', clock_timestamp() - xact_start))
		FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'
		ORDER BY xact_start LIMIT 1`).Scan(&who)
	return who
}

func migrateAll(ctx context.Context, db *sql.DB, log *slog.Logger, others []func(context.Context, *sql.DB, *slog.Logger) error) error {
	if err := migrateOwn(ctx, db, log); err != nil {
		return err
	}
	for _, migrate := range others {
		if err := migrate(ctx, db, log); err != nil {
			return err
		}
	}
	return nil
}

func migrateOwn(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	steps, err := migrations(postgresSteps)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	p, current, target, err := stepsOf(ctx, goose.DialectPostgres, db, steps, log)
	switch {
	case err != nil:
		return err
	case current > target:
		return newerSchema(current, target)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("upgrade schema from %d to %d: %w", current, target, err)
	}
	return nil
}

func newerSchema(current, target int64) error {
	return fmt.Errorf("the database was written by a newer stdops (schema %d, this program knows %d): use that version", current, target)
}

// checkPostgresSchema refuses a database of another schema than that of this program: a server does not migrate it, others
// may be at work on it.
func checkPostgresSchema(ctx context.Context, db *sql.DB) error {
	target, err := lastStep(postgresSteps)
	if err != nil {
		return err
	}
	var current int64
	err = db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version`).Scan(&current)
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) && refused.Code == undefinedTable {
		err = nil
	}
	switch {
	case err != nil:
		return advised(fmt.Errorf("read schema version: %w", err))
	case current == target:
		return nil
	case current > target:
		return newerSchema(current, target)
	case current == 0:
		return errors.New("the database has no schema yet: run `stdops migrate up`")
	default:
		return fmt.Errorf("the database has schema %d, this program needs %d: run `stdops migrate up`", current, target)
	}
}
