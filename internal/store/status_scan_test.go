package store

import (
	"fmt"
	"testing"

	"github.com/stdops/stdops"
)

// A scan must read what Statuses reads, or a comparison of the two says nothing.
func TestStatusScan_reads_the_same_rows(t *testing.T) {
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
	scan, err := s.PrepareScan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := scan.Run(t.Context(), 1, ids)
	if err := scan.Close(); err != nil {
		t.Error(err)
	}
	if err != nil || got != want || want <= 3 {
		t.Errorf("%d rows, %v, want %d", got, err, want)
	}
}
