package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*/*.sql
var embedded embed.FS

// The directories of the schemas' steps.
const (
	sqliteSteps   = "migrations/sqlite"
	postgresSteps = "migrations/postgres"
)

// migrations is one of these directories. Its steps go forward only.
func migrations(dir string) (fs.FS, error) { return fs.Sub(embedded, dir) }

// lastStep is the number of the schema that this program knows.
func lastStep(dir string) (int64, error) {
	names, err := fs.Glob(embedded, dir+"/*.sql")
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	number, err := goose.NumericComponent(names[len(names)-1])
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	return number, nil
}

// stepsOf makes what carries out steps, and tells at which of them a database is and which is the last.
func stepsOf(ctx context.Context, of goose.Dialect, db *sql.DB, steps fs.FS, log *slog.Logger) (p *goose.Provider, current, target int64, err error) {
	p, err = goose.NewProvider(of, db, steps, goose.WithDisableGlobalRegistry(true), goose.WithSlog(log))
	if err != nil {
		return nil, 0, 0, fmt.Errorf("read migrations: %w", err)
	}
	if current, target, err = p.GetVersions(ctx); err != nil {
		return nil, 0, 0, fmt.Errorf("read schema version: %w", err)
	}
	return p, current, target, nil
}

// migrate brings the schema of the database in file up to the last of steps. An older one is copied first, one of a
// newer stdops is refused.
func migrate(ctx context.Context, db *sql.DB, steps fs.FS, file string, log *slog.Logger) error {
	p, current, target, err := stepsOf(ctx, goose.DialectSQLite3, db, steps, log)
	switch {
	case err != nil:
		return err
	case current == target:
		return nil
	case current > target:
		return fmt.Errorf("%s was written by a newer stdops (schema %d, this program knows %d): "+
			"use that version or a copy made before its upgrade", file, current, target)
	}
	if current > 0 {
		if err := backupSchema(ctx, db, file, current); err != nil {
			return err
		}
		log.Info("store: schema upgrade", "from", current, "to", target, "copy", backupName(file, current))
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("upgrade schema from %d to %d: %w", current, target, err)
	}
	return nil
}

// checkSchema refuses a database of another schema than that of this program.
func checkSchema(ctx context.Context, db *sql.DB, file string) error {
	target, err := lastStep(sqliteSteps)
	if err != nil {
		return err
	}
	var current int64
	if err := db.QueryRowContext(ctx, `SELECT MAX(version_id) FROM goose_db_version`).Scan(&current); err != nil {
		return fmt.Errorf("read schema version of %s: %w", file, err)
	}
	if current == target {
		return nil
	}
	return fmt.Errorf("%s has schema %d, this program knows %d: use the version that wrote it, or let a server of this version "+
		"bring it up to date", file, current, target)
}

func backupName(file string, version int64) string { return fmt.Sprintf("%s.schema%d", file, version) }

// backupSchema leaves a copy of the database beside it. It gets its name when it is whole.
func backupSchema(ctx context.Context, db *sql.DB, file string, version int64) error {
	name := backupName(file, version)
	part := name + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("copy database before upgrade: %w", err)
	}
	if err := createPrivate(part); err != nil {
		return fmt.Errorf("copy database before upgrade: %w", err)
	}
	if err := vacuumInto(ctx, db, part); err != nil {
		return fmt.Errorf("copy database before upgrade: %w", err)
	}
	if err := os.Rename(part, name); err != nil {
		return fmt.Errorf("copy database before upgrade: %w", err)
	}
	if err := syncDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("copy database before upgrade: %w", err)
	}
	return nil
}
