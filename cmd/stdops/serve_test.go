package main

import (
	"testing"

	"github.com/stdops/stdops/internal/app"
)

// What a server tells of its database holds no password, wherever the address has one.
func TestDataOf(t *testing.T) {
	t.Parallel()
	for db, want := range map[string]string{
		"":                                     "/data",
		"postgres://ann:secret@db:5432/stdops": "postgres://db:5432/stdops",
		"postgresql://db/stdops?user=ann&password=secret":         "postgresql://db/stdops",
		"postgres://ann:secret@one:5432,two:5432/stdops":          "postgres://one:5432,two:5432/stdops",
		"postgres://ann:se%zzcret@db/stdops?sslpassword=secret#x": "a PostgreSQL database",
	} {
		if got := dataOf(&app.Options{DataDir: "/data", DB: db}); got != want {
			t.Errorf("%s is told as %s, want %s", db, got, want)
		}
	}
}
