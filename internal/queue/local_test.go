package queue_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/queue"
)

func ref(task int64) stdops.TaskRef { return stdops.TaskRef{Project: 1, Task: stdops.TaskID(task)} }

func TestLocalWakesASleepingRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue.NewLocal(time.Now)
		ctx, stop := context.WithCancel(t.Context())
		fired := make(chan time.Time, 1)
		done := make(chan struct{})
		go func() {
			defer close(done)
			q.Run(ctx, func(stdops.TaskRef) { fired <- time.Now() })
		}()
		synctest.Wait() // Run sleeps, with nothing to wait for
		due := time.Now().Add(time.Second)
		q.Wake(stdops.Wake{Ref: ref(1), At: due})
		if got := <-fired; !got.Equal(due) {
			t.Errorf("fired at %v, due at %v", got, due)
		}
		stop()
		<-done
	})
}

func TestLocalWakesInTheOrderOfTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue.NewLocal(time.Now)
		ctx, stop := context.WithCancel(t.Context())
		began := time.Now()
		fired := make(map[stdops.TaskID]time.Duration)
		done := make(chan struct{})
		go func() {
			defer close(done)
			q.Run(ctx, func(r stdops.TaskRef) { fired[r.Task] = time.Since(began) })
		}()
		q.Wake(stdops.Wake{Ref: ref(1), At: began.Add(3 * time.Second)})
		q.Wake(stdops.Wake{Ref: ref(2), At: began.Add(time.Second)})
		q.Wake(stdops.Wake{Ref: ref(3), At: began.Add(2 * time.Second)})
		q.Wake(stdops.Wake{Ref: ref(4), At: began.Add(time.Second)})
		q.Wake(stdops.Wake{Ref: ref(4)})                               // taken back
		q.Wake(stdops.Wake{Ref: ref(1), At: began.Add(2 * time.Hour)}) // put off
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		stop()
		<-done
		want := map[stdops.TaskID]time.Duration{1: 2 * time.Hour, 2: time.Second, 3: 2 * time.Second}
		if diff := cmp.Diff(want, fired); diff != "" {
			t.Errorf("fired (-want +got):\n%s", diff)
		}
		if q.Len() != 0 {
			t.Errorf("%d wake-ups are left", q.Len())
		}
	})
}
