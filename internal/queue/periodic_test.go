package queue_test

import (
	"context"
	"errors"
	"flag"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/store/pgtest"
)

func TestPostgresPeriodicWorkIsDoneOnceAtATime(t *testing.T) {
	t.Parallel()
	url, db := database(t, pgtest.Shared(t))
	begun, end := make(chan struct{}, 100), make(chan struct{})
	work := queue.Periodic{Name: "sweep", Every: time.Second, Limit: time.Minute, Do: func(ctx context.Context) error {
		begun <- struct{}{}
		select {
		case <-end:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	for range 2 {
		start(t, newRiver(t, url, work))
	}
	<-begun
	// Each job that the leader wants to insert takes a number, also when there is one of its kind.
	const numbers = `SELECT last_value FROM river_job_id_seq`
	before := count(t, db, numbers)
	await(t, "the time for the next ones has come", func() bool { return count(t, db, numbers) >= before+3 })
	if n := count(t, db, `SELECT count(*) FROM river_job`); n != 1 || len(begun) > 0 {
		t.Errorf("there are %d jobs, %d more were begun, while one is at it", n, len(begun))
	}
	close(end)
	<-begun
}

func TestPostgresPeriodicWorkThatFails(t *testing.T) {
	t.Parallel()
	url, _ := database(t, pgtest.Shared(t))
	done := make(chan struct{})
	var times atomic.Int64
	q := newRiver(t, url, queue.Periodic{Name: "sweep", Every: time.Second, Limit: time.Minute, Do: func(context.Context) error {
		switch times.Add(1) {
		case 1:
			return errors.New("not today")
		case 2:
			panic("neither")
		case 3:
			close(done)
		}
		return nil
	}})
	start(t, q)
	<-done
	want := []queue.JobCount{{State: "discarded", Kind: "periodic:sweep", Jobs: 2}}
	await(t, "it is counted", func() bool {
		b, err := q.Backlog(t.Context())
		f := q.Figures().Periodic
		return err == nil && cmp.Equal(want, b.Jobs) && len(f) == 1 && f[0].Name == "sweep" && f[0].Done >= 1 && f[0].Failed == 2
	})
}

var lease = flag.Bool("lease", false, "TestPostgresPeriodicWorkGoesOnWithoutItsLeader waits until the lease of the leader ends by itself")

// When the leader cannot be reached any more, another process does what is periodic. That takes as long as a leader is
// trusted, fifteen seconds, and five or six more until the next election.
func TestPostgresPeriodicWorkGoesOnWithoutItsLeader(t *testing.T) {
	t.Parallel()
	address, db := database(t, pgtest.Shared(t))
	execute(t, db, `CREATE ROLE leader SUPERUSER LOGIN`)
	defer execute(t, db, `DROP ROLE leader`)
	work := func(done chan<- struct{}) queue.Periodic {
		return queue.Periodic{Name: "sweep", Every: time.Second, Limit: time.Second, Do: func(context.Context) error {
			select {
			case done <- struct{}{}:
			default:
			}
			return nil
		}}
	}
	first, second := make(chan struct{}, 1), make(chan struct{}, 1)
	leader, follower := newRiver(t, strings.Replace(address, "stdops@", "leader@", 1), work(first)), newRiver(t, address, work(second))
	start(t, leader)
	await(t, "there is a leader", func() bool { return leads(t, leader) })
	start(t, follower)
	<-first
	await(t, "nobody is at work", func() bool { return count(t, db, `SELECT count(*) FROM river_job WHERE state <> 'completed'`) == 0 })
	execute(t, db, `ALTER ROLE leader NOLOGIN`)
	defer execute(t, db, `ALTER ROLE leader LOGIN`)
	execute(t, db, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'leader'`)
	if !*lease {
		execute(t, db, `UPDATE river_leader SET expires_at = now()`)
	}
	await(t, "another one is the leader", func() bool { return leads(t, follower) })
	for len(second) > 0 { // what the old one had inserted
		<-second
	}
	<-second
	<-second
}

// A leader whose process is known to be dead is followed by another one at once, however long its term still is.
func TestPostgresPeriodicWorkGoesOnWhenItsLeaderIsKnownToBeDead(t *testing.T) {
	t.Parallel()
	address, db := database(t, pgtest.Shared(t))
	// What happens to a leader is said in the same words on the same channel, whoever says it.
	said := hear(t, address)
	first := newRiver(t, address)
	start(t, first)
	await(t, "there is a leader", func() bool { return leads(t, first) })
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(<-said, first.ID(), "ID", 1)

	execute(t, db, `CREATE ROLE dead SUPERUSER LOGIN`)
	defer execute(t, db, `DROP ROLE dead`)
	done := make(chan struct{}, 100)
	work := queue.Periodic{Name: "sweep", Every: time.Second, Limit: time.Second, Do: func(context.Context) error {
		done <- struct{}{}
		return nil
	}}
	dead, follower := newRiver(t, strings.Replace(address, "stdops@", "dead@", 1)), newRiver(t, address, work)
	start(t, dead)
	await(t, "there is a leader again", func() bool { return leads(t, dead) })
	start(t, follower)
	execute(t, db, `ALTER ROLE dead NOLOGIN`)
	defer execute(t, db, `ALTER ROLE dead LOGIN`)
	execute(t, db, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'dead'`)
	execute(t, db, `UPDATE river_leader SET expires_at = now() + interval '1 hour'`)
	for _, names := range [][]string{{"nobody"}, {first.ID(), dead.ID()}, {dead.ID()}} {
		if err := follower.Resign(t.Context(), names); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Replace(<-said, dead.ID(), "ID", 1); got != own || len(said) > 0 {
		t.Errorf("said: %s and %d more, when a leader resigns itself: %s", got, len(said), own)
	}
	<-done
	if !leads(t, follower) {
		t.Error("the other one is not the leader")
	}
}

// hear gives what is said to clients of River of their leader.
func hear(t *testing.T, address string) <-chan string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `LISTEN "public.river_leadership"`); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 100)
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); <-ended })
	go func() {
		defer close(ended)
		defer conn.Close(context.WithoutCancel(ctx))
		for {
			n, err := conn.WaitForNotification(ctx)
			if err != nil {
				return
			}
			said <- n.Channel + " " + n.Payload
		}
	}()
	return said
}
