package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
)

// migrationLock is the number of the advisory lock of those who change the schema: one at a time.
const migrationLock = 0x7374646f7073_01

// MigratePostgres brings the schema of a PostgreSQL database up to the one of this program, while nobody else does, and then
// lets others bring up to date what they have in it. A schema of a newer stdops is refused.
func MigratePostgres(ctx context.Context, url string, log *slog.Logger, others ...func(context.Context, *sql.DB, *slog.Logger) error) (err error) {
	db, err := openPool(url, poolOptions{most: 2})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	lock, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer lock.Close()
	if _, err := lock.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrationLock); err != nil {
		return fmt.Errorf("wait for others who migrate: %w", err)
	}
	// What gives the lock back is also the end of the connection, whatever becomes of this statement.
	defer func() {
		_, _ = lock.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, migrationLock)
	}()
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
		return fmt.Errorf("read schema version: %w", err)
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
