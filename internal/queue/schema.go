package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"
)

// MigrateRiver brings the tables of River in a PostgreSQL database up to the version that this program has, forward only. The
// caller sees to it that nobody else migrates at the same time.
func MigrateRiver(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	current, target, err := versions(ctx, db)
	if err != nil {
		return err
	}
	if current > target {
		return newerTables(current, target)
	}
	m, err := migrator(db, log)
	if err != nil {
		return err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("upgrade tables of river: %w", err)
	}
	return nil
}

func newerTables(current, target int) error {
	return fmt.Errorf("the database was written by a newer stdops (tables of river %d, this program knows %d): use that version", current, target)
}

// RiverVersions gives the version of the tables of River in a database, 0 when there are none, and that of this program.
func RiverVersions(ctx context.Context, url string) (current, target int, err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return 0, 0, fmt.Errorf("read the address of the database: %w", err)
	}
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	return versions(ctx, db)
}

// checkTables refuses a database whose tables of River are of another version: a server does not migrate them.
func checkTables(ctx context.Context, db *sql.DB) error {
	current, target, err := versions(ctx, db)
	switch {
	case err != nil:
		return err
	case current > target:
		return newerTables(current, target)
	case current < target:
		return fmt.Errorf("the database has tables of river %d, this program needs %d: run `stdops migrate up`", current, target)
	}
	return nil
}

func versions(ctx context.Context, db *sql.DB) (current, target int, err error) {
	m, err := migrator(db, slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, 0, err
	}
	all := m.AllVersions()
	target = all[len(all)-1].Version
	var exists bool
	err = db.QueryRowContext(ctx, `SELECT to_regclass('river_migration') IS NOT NULL`).Scan(&exists)
	if err == nil && exists {
		err = db.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM river_migration`).Scan(&current)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read version of the tables of river: %w", err)
	}
	return current, target, nil
}

func migrator(db *sql.DB, log *slog.Logger) (*rivermigrate.Migrator[*sql.Tx], error) {
	m, err := rivermigrate.New(riverdatabasesql.New(db), &rivermigrate.Config{Logger: log})
	if err != nil {
		return nil, fmt.Errorf("read migrations of river: %w", err)
	}
	return m, nil
}
