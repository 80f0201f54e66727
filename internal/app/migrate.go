package app

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/store"
)

// Place is where a server keeps its data: in the database that DB names, else in its data directory.
type Place struct{ DataDir, DB string }

// Schema tells how far the schema of the data is from that of this program.
type Schema = store.Schema

// SchemaOf reads the schema of the data, whether a server has them or not.
func SchemaOf(ctx context.Context, at Place) (*Schema, error) {
	if at.DB != "" {
		return schemaOfDB(ctx, at.DB)
	}
	data, err := store.OpenBeside(at.DataDir)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	return data.Schema(ctx)
}

// schemaOfDB counts the tables of the queue as a step of their own.
func schemaOfDB(ctx context.Context, url string) (*Schema, error) {
	s, err := store.PostgresSchema(ctx, url)
	if err != nil {
		return nil, err
	}
	current, target, err := queue.RiverVersions(ctx, url)
	if err != nil {
		return nil, err
	}
	if current < target {
		s.Steps = append(s.Steps, fmt.Sprintf("tables of the queue from version %d to %d", current, target))
	}
	return s, nil
}

// Upgrade brings the schema of data that no server has up to that of this program, as a start of a server does. One that was
// interrupted goes on where it was.
func Upgrade(ctx context.Context, at Place, log *slog.Logger) error {
	if at.DB != "" {
		return store.MigratePostgres(ctx, at.DB, log, queue.MigrateRiver)
	}
	return store.Upgrade(ctx, at.DataDir, log)
}
