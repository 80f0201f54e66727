package script

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whoever is killed with those below has no time left to start others, so all of them are found at once.
func TestDescendants(t *testing.T) {
	t.Parallel()
	all := []process{{pid: 9, parent: 8}, {pid: 2, parent: 1}, {pid: 3, parent: 2}, {pid: 8, parent: 3}, {pid: 4, parent: 2}, {pid: 5, parent: 1}}
	var found []int
	for _, p := range descendants(all, 2) {
		found = append(found, p.pid)
	}
	slices.Sort(found)
	if diff := cmp.Diff([]int{3, 4, 8, 9}, found); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
