package store

import (
	"fmt"
	"testing"

	"github.com/stdops/stdops"
)

// ScanStatuses must read what Statuses reads, or a comparison of the two says nothing.
func TestScanStatuses_reads_the_same_rows(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ids := []stdops.TaskID{999}
	for i := range 3 {
		task := createTask(t, s, newTask(fmt.Sprint(i)))
		commit(t, s, fullChange(s, task))
		ids = append(ids, task.ID)
	}
	want := 0
	for _, r := range statuses(t, s, StatusQuery{IDs: ids, Children: true}).Tasks {
		want += 1 + len(r.Nodes)
	}
	got, err := s.ScanStatuses(t.Context(), 1, ids)
	if err != nil || got != want || want <= 3 {
		t.Errorf("%d rows, %v, want %d", got, err, want)
	}
}
