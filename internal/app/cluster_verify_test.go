package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
)

// TestVerifyDatabase changes single values in a database that a server works on: each is found, and what the server itself
// has written is sound.
func TestVerifyDatabase(t *testing.T) {
	t.Parallel()
	c := newCluster(t, app.Roles{})
	task, err := c.client(0).CreateTask(t.Context(), 1, client.NewTask{Name: "one", Tree: wireTree(t, &shapes[1]), Start: true})
	if err != nil {
		t.Fatal(err)
	}
	waits, err := c.client(0).CreateTask(t.Context(), 1, client.NewTask{Name: "two", Tree: wireTree(t, &shapes[8]), Start: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := settled(t, c.client(0), task.ID); got != client.Finished {
		t.Fatal(got)
	}
	look := func() (found []string) {
		t.Helper()
		v, err := app.VerifyDatabase(t.Context(), c.db, func(task stdops.TaskID, problem string) { found = append(found, fmt.Sprint(task, ": ", problem)) })
		if err != nil || v.Tasks != 2 || v.Transitions == 0 {
			t.Fatalf("%+v, %v", v, err)
		}
		return found
	}
	if found := look(); len(found) > 0 {
		t.Errorf("what a server has written: %q", found)
	}
	conn, err := pgx.Connect(t.Context(), c.db)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, damage := range []struct{ change, undo, found string }{
		{
			fmt.Sprintf(`UPDATE node_state SET loop = loop + 1 WHERE task_id = %d`, task.ID),
			fmt.Sprintf(`UPDATE node_state SET loop = loop - 1 WHERE task_id = %d`, task.ID), "loop",
		},
		{`UPDATE task SET state = 3 WHERE state = 5`, `UPDATE task SET state = 5 WHERE id = ` + fmt.Sprint(task.ID), "RUNNING"},
		{`UPDATE node_data SET task_id = task_id + 100`, `UPDATE node_data SET task_id = task_id - 100`, "table node_data has rows of task"},
		{
			fmt.Sprintf(`UPDATE task SET queue_at = 1 WHERE id = %d`, task.ID),
			fmt.Sprintf(`UPDATE task SET queue_at = NULL WHERE id = %d`, task.ID), "is not live",
		},
		{
			fmt.Sprintf(`UPDATE task SET wake_at = 1, owner = NULL, queue_at = NULL WHERE id = %d`, waits.ID),
			fmt.Sprintf(`UPDATE task SET wake_at = NULL WHERE id = %d`, waits.ID), "nobody will drive it",
		},
	} {
		if _, err := conn.Exec(t.Context(), damage.change); err != nil {
			t.Fatal(err)
		}
		if found := look(); !strings.Contains(strings.Join(found, "\n"), damage.found) {
			t.Errorf("%s: found %q", damage.change, found)
		}
		if _, err := conn.Exec(t.Context(), damage.undo); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStepsFromOutsideLeaveSoundRecords: nobody drives the task, and each command is a step on what the one before has stored.
func TestStepsFromOutsideLeaveSoundRecords(t *testing.T) {
	t.Parallel()
	c := newCluster(t, app.Roles{NoWorker: true})
	task, err := c.client(0).CreateTask(t.Context(), 1, client.NewTask{Name: "one", Tree: wireTree(t, &shapes[1]), Start: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, do := range []string{"created", "pause", "resume", "pause", "revoke"} {
		if do != "created" {
			if _, err := c.client(0).Do(t.Context(), 1, task.ID, client.Command{Command: do}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := app.VerifyDatabase(t.Context(), c.db, func(_ stdops.TaskID, problem string) { t.Errorf("%s: %s", do, problem) })
		if err != nil {
			t.Fatal(err)
		}
	}
}
