package bench

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stdops/stdops"
)

// TestWatch runs the whole bench. It looks at what was missed, and never at how fast or how much.
func TestWatch(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("the memory of another process can be measured on Linux only")
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	report, err := Watch(t.Context(), WatchOptions{
		Program: program, Connections: 8, Tasks: 10, IDs: 5, Changes: 50, Duration: time.Second, Reconnects: 4,
		Progress: func(string) { steps++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	if steps != 4 || len(report.Figures) != 9 {
		t.Fatalf("%d steps, %d figures", steps, len(report.Figures))
	}
	for _, f := range report.Figures {
		switch f.Name {
		case "deliveries":
			if f.Median != 50*8*5/10 {
				t.Errorf("%v deliveries of 50 changes, of tasks with 4 readers each", f.Median)
			}
		case "changes that a reader missed", "changes missed by streams that went on", "tasks that they were told once more":
			if f.Median != 0 {
				t.Errorf("%s: %v", f.Name, f.Median)
			}
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestReader_takes_what_an_event_tells(t *testing.T) {
	t.Parallel()
	r := &reader{has: map[stdops.TaskID]int64{}, changed: make(chan struct{}, 1), again: true}
	for range 2 {
		r.take([]byte(`data: {"tasks":[{"id":7,"name":"a","run":{"revision":3,"x":1}},{"id":9,"run":{"revision":12}}],"now":""}`), "c")
	}
	if len(r.told) != 4 || r.has[7] != 3 || r.has[9] != 12 || r.repeated != 2 || r.cursor != "c" {
		t.Errorf("%+v, repeated %d", r.has, r.repeated)
	}
	if n := r.behind(map[stdops.TaskID]int64{7: 4, 9: 12}); n != 0 {
		t.Errorf("behind in %d tasks that it does not watch", n)
	}
	r.ids = []stdops.TaskID{7, 9}
	if n := r.behind(map[stdops.TaskID]int64{7: 4, 9: 12}); n != 1 {
		t.Errorf("behind in %d tasks, want 1", n)
	}
}
