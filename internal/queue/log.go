package queue

import (
	"context"
	"log/slog"
)

// quiet is the log that River gets. What it tells as information, at every start and every few seconds while there are jobs,
// is nothing that an operator has to know.
type quiet struct{ slog.Handler }

// Enabled fulfils slog.Handler.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, lower(level))
}

// Handle fulfils slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lower(r.Level)
	return q.Handler.Handle(ctx, r)
}

// WithAttrs fulfils slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup fulfils slog.Handler.
func (q quiet) WithGroup(group string) slog.Handler { return quiet{q.Handler.WithGroup(group)} }

func lower(level slog.Level) slog.Level {
	if level == slog.LevelInfo {
		return slog.LevelDebug
	}
	return level
}
