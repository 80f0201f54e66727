package app

import (
	"context"
	"errors"
	"log/slog"

	"github.com/stdops/stdops/internal/store"
)

// Place is where a server keeps its data: in the database that DB names, else in its data directory.
type Place struct{ DataDir, DB string }

// errNoDB is what there is to say of DB as long as no server can keep its data there.
var errNoDB = errors.New("--db: this version keeps its data in the data directory only")

// Schema tells how far the schema of the data is from that of this program.
type Schema = store.Schema

// SchemaOf reads the schema of the data, whether a server has them or not.
func SchemaOf(ctx context.Context, at Place) (*Schema, error) {
	if at.DB != "" {
		return nil, errNoDB
	}
	data, err := store.OpenBeside(at.DataDir)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	return data.Schema(ctx)
}

// Upgrade brings the schema of data that no server has up to that of this program, as a start of a server does. One that was
// interrupted goes on where it was.
func Upgrade(ctx context.Context, at Place, log *slog.Logger) error {
	if at.DB != "" {
		return errNoDB
	}
	return store.Upgrade(ctx, at.DataDir, log)
}
