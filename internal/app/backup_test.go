package app_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
)

// TestBackupUnderLoad backs up a server that works: nothing is wrong with any backup, and a server on the last one brings all
// tasks to their end that were acknowledged before it was made.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	c := newCrash(t)
	c.mustStart()
	stop := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				c.load(50 * time.Millisecond)
			}
		}
	})
	var last string
	var before []int64
	for i := range 3 {
		for len(c.pick(1<<20)) < 20*(i+1) {
			time.Sleep(5 * time.Millisecond)
		}
		before = c.pick(1 << 20)
		last = filepath.Join(t.TempDir(), "backup")
		if _, err := app.CreateBackup(t.Context(), c.dir, last); err != nil {
			t.Fatal(err)
		}
		verified, err := app.VerifyBackup(t.Context(), last, func(task stdops.TaskID, problem string) {
			t.Errorf("backup %d: task %d: %s", i, task, problem)
		})
		if err != nil || verified.Tasks < len(before) {
			t.Errorf("backup %d: %+v of %d tasks, %v", i, verified, len(before), err)
		}
	}
	close(stop)
	load.Wait()
	c.stop()
	restored := filepath.Join(t.TempDir(), "data")
	if _, err := app.RestoreBackup(t.Context(), last, restored, func(task stdops.TaskID, problem string) {
		t.Errorf("task %d: %s", task, problem)
	}); err != nil {
		t.Fatal(err)
	}
	again := newCrash(t)
	again.dir = restored
	again.mustStart()
	for _, id := range before {
		again.created(id, c.known([]int64{id})[id].shape, false)
		again.tasks[id].said["pause"], again.tasks[id].said["start"] = said{unknown: 1}, said{unknown: 1}
	}
	again.finishAll()
	again.stop()
	again.verify()
}
