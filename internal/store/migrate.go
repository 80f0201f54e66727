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

//go:embed migrations/*.sql
var embedded embed.FS

// migrations is the directory of the schema's steps, forward only.
func migrations() (fs.FS, error) { return fs.Sub(embedded, "migrations") }

// migrate brings the schema of the database in file up to the last of steps. An older one is copied first, one of a
// newer stdops is refused.
func migrate(ctx context.Context, db *sql.DB, steps fs.FS, file string, log *slog.Logger) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, steps,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(log))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	current, target, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read schema version: %w", err)
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
