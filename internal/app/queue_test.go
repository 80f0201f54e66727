package app

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/store"
	"github.com/stdops/stdops/internal/store/pgtest"
)

func TestPostgresQueueFigures(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	log := slog.New(slog.DiscardHandler)
	url := s.Database(t, "all", func(ctx context.Context, url string) error {
		return store.MigratePostgres(ctx, url, log, queue.MigrateRiver)
	})
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	q, err := queue.NewRiver(queue.RiverOptions{Database: url, Now: time.Now, Log: log, Periodic: []queue.Periodic{{Name: "sweep"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := q.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	later := stdops.Wake{Ref: stdops.TaskRef{Project: 1, Task: 1}, At: time.Now().Add(time.Hour)}
	if err := q.Enqueue(t.Context(), tx, []stdops.Wake{later, later}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}

	r := prometheus.NewPedanticRegistry()
	r.MustRegister(queueFigures{q})
	figures := func() []string {
		w := httptest.NewRecorder()
		promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		var lines []string
		for line := range strings.Lines(w.Body.String()) {
			if !strings.HasPrefix(line, "#") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return lines
	}
	own := []string{
		`stdops_periodic_work_total{outcome="done",work="sweep"} 0`,
		`stdops_periodic_work_total{outcome="failed",work="sweep"} 0`,
		`stdops_queue_claims_total 0`,
		`stdops_queue_fetches_total 0`,
		`stdops_queue_jobs{kind="wake",state="scheduled"} 2`,
		`stdops_queue_leader 0`,
		`stdops_queue_oldest_job_seconds 0`,
		`stdops_queue_wakes_total 0`,
	}
	if diff := cmp.Diff(own, figures()); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	alone := append(own[:4:4], own[7])
	if diff := cmp.Diff(alone, figures()); diff != "" {
		t.Errorf("figures without the database (-want +got):\n%s", diff)
	}
}
