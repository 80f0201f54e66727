package sops

import (
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/status"
)

func TestTimeText(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 8*3600)
	moment := time.Date(2026, 5, 4, 23, 59, 59, 999_999_000, time.UTC)
	if got := timeText(moment, zone); got != "2026-05-05 07:59:59 +0800" {
		t.Error(got)
	}
	if got := timeText(time.Time{}, zone); got != "" {
		t.Error(got)
	}
	c := clock{zone: time.UTC}
	for _, c2 := range []struct {
		t    time.Time
		want string
	}{
		{moment, `"2026-05-04 23:59:59 +0000"`},
		{moment.Add(-900 * time.Millisecond), `"2026-05-04 23:59:59 +0000"`},
		{time.Time{}, `""`},
		{moment.Add(time.Second), `"2026-05-05 00:00:00 +0000"`},
		{moment, `"2026-05-04 23:59:59 +0000"`},
	} {
		if got := string(c.append(nil, c2.t)); got != c2.want {
			t.Errorf("%s, want %s", got, c2.want)
		}
	}
}

// sample is the status of a task with n finished nodes.
func sample(n int) service.TaskStatus {
	began := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	t := service.TaskStatus{Task: stdops.Task{ID: 7, Project: 1, Name: "rotate logs", FlowType: stdops.FlowCommon, Created: began}}
	t.Task.Root = stdops.RootState{State: stdops.StateRunning, Started: began}
	t.Status = status.Status{State: stdops.StateRunning, Name: "rotate logs", Loop: 1, Started: began}
	for i := range n {
		t.Status.Children = append(t.Status.Children, status.Status{
			Node: stdops.NodeIndex(i + 1), State: stdops.StateFinished, Name: "run a script", Loop: 1,
			Version: "v0f9e8d7c6b5a49382716051403f2e1d0", Started: began, Finished: began, Elapsed: 3,
		})
	}
	return t
}

func BenchmarkEntry(b *testing.B) {
	s := &sops{svc: &service.Service{Surroundings: &service.Surroundings{}}, zone: time.UTC}
	t := sample(20)
	b.ReportAllocs()
	for b.Loop() {
		f := s.entry(&t, true)
		b.SetBytes(int64(len(f.text)))
	}
}
