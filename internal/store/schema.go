package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/pressly/goose/v3"
)

// Schema tells how far the schema of a database is from that of this program.
type Schema struct {
	Data    int64    // version of the database, 0: it has no tables yet
	Program int64    // version that this program knows
	Steps   []string // that would bring the database up to date, in their order
}

// Newer is the refusal of data that a newer stdops wrote, nil for any other. What names the data.
func (s *Schema) Newer(what string) error {
	if s.Data <= s.Program {
		return nil
	}
	return fmt.Errorf("%s was written by a newer stdops (schema %d, this program knows %d): "+
		"use that version or a backup made before its upgrade", what, s.Data, s.Program)
}

// Schema tells how far the schema of the data is from that of this program.
func (c *Copy) Schema(ctx context.Context) (*Schema, error) {
	s := &Schema{}
	err := c.db.QueryRowContext(ctx, `SELECT MAX(version_id) FROM goose_db_version`).Scan(&s.Data)
	if errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.NOTADB) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read schema version of %s: %w", c.file, err)
	}
	return s, s.compare(sqliteSteps)
}

// PostgresSchema tells how far the schema of a PostgreSQL database is from that of this program.
func PostgresSchema(ctx context.Context, url string) (s *Schema, err error) {
	db, err := openPool(url, poolOptions{most: 1, settings: readSettings})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s = &Schema{}
	var made bool
	err = db.QueryRowContext(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&made)
	if err == nil && made {
		err = db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version`).Scan(&s.Data)
	}
	if err != nil {
		return nil, advised(fmt.Errorf("read schema version: %w", err)) // all of it: this is for who runs the command
	}
	return s, s.compare(postgresSteps)
}

// compare finds the steps that are to be taken.
func (s *Schema) compare(directory string) error {
	steps, err := migrations(directory)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	names, err := fs.Glob(steps, "*.sql") // sorted, as their numbers are
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	for _, name := range names {
		if s.Program, err = goose.NumericComponent(name); err != nil {
			return fmt.Errorf("read migrations: %w", err)
		}
		if s.Program > s.Data {
			s.Steps = append(s.Steps, name)
		}
	}
	return nil
}

// File is the path of the database file.
func (c *Copy) File() string { return c.file }

// Upgrade brings the schema of a data directory that no server has up to that of this program, as a start of a server does:
// the database is checked and copied before. Each step is a transaction of its own, so that one that was interrupted goes on
// where it was.
func Upgrade(ctx context.Context, dir string, log *slog.Logger) error {
	steps, err := migrations(sqliteSteps)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	return upgrade(ctx, dir, steps, log)
}

func upgrade(ctx context.Context, dir string, steps fs.FS, log *slog.Logger) (err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("open data directory: %w", err)
	}
	file := filepath.Join(dir, databaseFile)
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	release, err := Hold(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := checkFiles(ctx, file, "", log); err != nil {
		return err
	}
	if err := createPrivate(file + "-shm"); err != nil {
		return fmt.Errorf("open database %s: %w", file, err)
	}
	db, err := driver.Open(address(file, "rw", ""), func(c *sqlite3.Conn) error { return c.Exec(writerSettings) })
	if err != nil {
		return fmt.Errorf("open database %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	return migrate(ctx, db, steps, file, log)
}
