package queue_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/store/pgtest"
)

func TestPostgresRiverBacklog(t *testing.T) {
	t.Parallel()
	url, db := database(t, pgtest.Shared(t))
	q := newRiver(t, url)
	tx := begin(t, db)
	enqueue(t, q, tx, time.Now(), 1, 2, 3)
	enqueue(t, q, tx, time.Now().Add(time.Hour), 4)
	commit(t, tx)
	execute(t, db, `UPDATE river_job SET scheduled_at = scheduled_at - interval '1 hour' WHERE args->>'task' = '2'`)
	b, err := q.Backlog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []queue.JobCount{{State: "available", Kind: "wake", Jobs: 3}, {State: "scheduled", Kind: "wake", Jobs: 1}}
	if diff := cmp.Diff(want, b.Jobs); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	if b.Oldest < time.Hour || b.Oldest > 2*time.Hour || b.Leader {
		t.Errorf("oldest %v, leader %v", b.Oldest, b.Leader)
	}
	start(t, q)
	await(t, "it leads", func() bool { return leads(t, q) })
	await(t, "its jobs are done", func() bool {
		b, err := q.Backlog(t.Context())
		return err == nil && len(b.Jobs) == 1 && b.Oldest == 0
	})
}
