package service

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// A task that was revoked with a failed node, and archived, stands as before; in place of the error texts stands why there
// are none.
func TestArchivedTaskSaysWhyThereAreNoTexts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.access(t)
	node := stdops.NodeState{
		Node: 3, Order: 1, State: stdops.StateFailed, AutoRetries: 1, Version: "v", Started: time.Unix(2, 0).UTC(), Finished: time.Unix(3, 0).UTC(),
	}
	id := b.running(t, node)
	task, err := b.store.Task(t.Context(), a.ref(id))
	must(t, err)
	root := task.Root
	root.State, root.Live, root.Finished = stdops.StateRevoked, false, time.Unix(4, 0).UTC()
	_, err = b.store.Commit(t.Context(), []stdops.Change{{
		Task: id, Project: 1, Revision: 2, Epoch: 1, Root: root,
		Data: []stdops.NodeData{{Node: 3, Outputs: []byte(`{"ex_data":"broken"}`)}},
	}})
	must(t, err)
	single := SingleQuery{Node: stdops.NodeID(id, 3), ExData: true, Failed: true}
	before, err := b.TaskStatus(t.Context(), a, id, single)
	must(t, err)
	sheet, err := b.Sheet(t.Context(), a, id)
	must(t, err)
	if before.ExData[0].Text != "broken" || sheet.Failures[3] != "broken" {
		t.Fatalf("before: %v, %v", before.ExData, sheet.Failures)
	}
	n, err := b.store.Archive(t.Context(), b.store.Now(), 9)
	must(t, err)
	if n != 1 {
		t.Fatalf("%d tasks were archived", n)
	}
	after, err := b.TaskStatus(t.Context(), a, id, single)
	must(t, err)
	if text, _ := after.ExData[0].Text.(string); !strings.Contains(text, "was archived on 2026-05-04") {
		t.Errorf("the text is %q", after.ExData[0].Text)
	}
	if diff := cmp.Diff(before.Status, after.Status) + cmp.Diff(before.Failed, after.Failed); diff != "" {
		t.Error("(-before +after)\n" + diff)
	}
	sheet, err = b.Sheet(t.Context(), a, id)
	must(t, err)
	if len(sheet.Failures) != 1 || !strings.Contains(sheet.Failures[3], "was archived on 2026-05-04") || sheet.Task.Archived.IsZero() {
		t.Errorf("the sheet has %v", sheet.Failures)
	}
	_, err = b.Node(t.Context(), a, id, NodeQuery{Node: single.Node})
	refused(t, err, stdops.CodeGone)
	_, err = b.TaskDetail(t.Context(), a, id)
	refused(t, err, stdops.CodeGone)
	must(t, b.DeleteTask(t.Context(), a, id))
}
