package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// TestArchivedTasksStandAsBefore: tasks of every shape, of all examples, finished, revoked on the way and never started
// give the same answers about how they stand before and after they are archived, and say of all else that it is gone.
func TestArchivedTasksStandAsBefore(t *testing.T) {
	t.Parallel()
	c := newCrash(t)
	c.mustStart()
	for i := range shapes {
		c.createShape(&shapes[i])
	}
	c.finishAll()
	have := slices.Collect(maps.Keys(c.tasks))
	others := map[string]any{}
	for i := range shapes {
		others[shapes[i].name] = shapes[i].flow.tree()
	}
	files, err := filepath.Glob("../../examples/*.json")
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "shell_script") { // needs a server that runs scripts
			others[filepath.Base(file)] = json.RawMessage(text)
		}
	}
	for name, tree := range others {
		never, revoked := c.createTree(name, tree), c.createTree(name, tree)
		have = append(have, never)
		c.must(fmt.Sprintf("/apigw/start_task/%d/2/", revoked), map[string]any{})
		c.call(fmt.Sprintf("/apigw/operate_task/%d/2/", revoked), map[string]any{"action": "revoke"}) // some have ended already
	}
	c.endChildren()
	c.stop()
	ids := c.settled()
	c.mustStart()
	before := c.standing(ids)
	c.stop()
	archived := c.archiveAll()
	for _, id := range slices.Concat(have, ids) {
		if !slices.Contains(archived, id) {
			t.Errorf("task %d was not archived", id)
		}
	}
	if len(ids) < len(have)+3 {
		t.Errorf("only %d tasks were compared", len(ids))
	}
	c.verify()
	c.mustStart()
	after := c.standing(ids)
	for question, want := range before {
		if diff := cmp.Diff(want, after[question]); diff != "" {
			t.Errorf("%s (-before +after):\n%s", question, diff)
		}
	}
	c.goneFrom(ids, have[len(have)-1])
	c.stop()
	c.verify()
	const archivedOne = `(SELECT MAX(id) FROM task WHERE archived_at IS NOT NULL AND state = 5)`
	for change, problem := range map[string]string{
		`DELETE FROM task_archive WHERE task_id = ` + archivedOne:                                                           "can not be read",
		`UPDATE task_archive SET body = x'00' WHERE task_id = ` + archivedOne:                                               "can not be read",
		`UPDATE task SET archived_at = NULL WHERE id = ` + archivedOne:                                                      "has an archive, but was not archived",
		`INSERT INTO variable (project_id, task_id, scope, key, value) VALUES (1, ` + archivedOne + `, 0, 'x', x'31')`:      "which was archived",
		`UPDATE task SET state = 3, live = 1 WHERE id = ` + archivedOne:                                                     "but was archived",
		`UPDATE task SET archived_at = finished_at - 1 WHERE id = ` + archivedOne:                                           "archived before it ended",
		`UPDATE task_archive SET body = (SELECT body FROM task_archive ORDER BY length(body) DESC LIMIT 1) WHERE nodes = 3`: "task ",
	} {
		verifyFinds(t, content(t, c.dir)["stdops.db"], change, problem)
	}
}

// must sends a request that has to succeed.
func (c *caller) must(path string, body any) json.RawMessage {
	c.t.Helper()
	got, ok := c.call(path, body)
	if !ok || !got.Result {
		c.t.Fatalf("%s: %+v", path, got)
	}
	return got.Data
}

func (c *caller) createTree(name string, tree any) int64 {
	c.t.Helper()
	var made struct {
		TaskID int64 `json:"task_id"`
	}
	data := c.must("/apigw/fast_create_task/2/", map[string]any{"name": name, "pipeline_tree": tree})
	if err := json.Unmarshal(data, &made); err != nil {
		c.t.Fatal(err)
	}
	return made.TaskID
}

// standing gives the answers to all questions about how tasks stand.
func (c *caller) standing(ids []int64) map[string]string {
	c.t.Helper()
	answers := map[string]string{}
	ask := func(question string, got answer, ok bool) {
		if !ok || !got.Result {
			c.t.Errorf("%s: %+v", question, got)
		}
		answers[question] = string(got.Data)
	}
	for part := range slices.Chunk(ids, 50) {
		for _, children := range []bool{false, true} {
			got, ok := c.call("/apigw/get_tasks_status/2/", map[string]any{"task_id_list": part, "include_children_status": children})
			ask(fmt.Sprintf("statuses from %d on, with children %t", part[0], children), got, ok)
		}
	}
	for _, id := range ids {
		for _, with := range []string{"", "?with_failed_node_info=1&with_auto_retry_status=1"} {
			path := fmt.Sprintf("/apigw/get_task_status/%d/2/%s", id, with)
			got, ok := c.get(path)
			ask(path, got, ok)
		}
	}
	for _, path := range []string{"/apigw/get_task_list/2/?limit=100", "/apigw/get_task_list/2/?is_finished=true&limit=100"} {
		got, ok := c.get(path)
		ask(path, got, ok)
	}
	got, ok := c.call("/apigw/query_task_count/2/", map[string]any{"group_by": "status"})
	ask("counts", got, ok)
	return answers
}

// goneFrom makes sure that what is gone of archived tasks is told, wherever it is asked for.
func (c *crash) goneFrom(ids []int64, never int64) {
	c.t.Helper()
	for _, id := range ids {
		node := stdops.NodeID(stdops.TaskID(id), 1)
		for _, path := range []string{
			fmt.Sprintf("/apigw/get_task_detail/%d/2/", id),
			fmt.Sprintf("/apigw/get_task_node_detail/%d/2/?node_id=%s", id, node),
			fmt.Sprintf("/apigw/get_task_node_data/2/%d/?node_id=%s", id, node),
			fmt.Sprintf("/apigw/get_task_node_log/%d/2/?node_id=%s", id, node),
		} {
			c.isGone(path, func() (answer, bool) { return c.get(path) })
		}
	}
	for path, body := range map[string]any{
		fmt.Sprintf("/apigw/start_task/%d/2/", never):                map[string]any{},
		fmt.Sprintf("/apigw/modify_constants_for_task/%d/2/", never): map[string]any{"constants": map[string]any{}},
	} {
		c.isGone(path, func() (answer, bool) { return c.call(path, body) })
	}
}

func (c *crash) isGone(what string, ask func() (answer, bool)) {
	c.t.Helper()
	got, ok := ask()
	if !ok || got.Result || got.Code != 3540400 || !strings.Contains(got.Message, "was archived on") {
		c.t.Errorf("%s: %+v", what, got)
	}
}

// endChildren waits for tasks that go on although the one that made them was revoked.
func (c *crash) endChildren() {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		got, _ := c.get("/apigw/get_task_list/2/?is_child_taskflow=true&is_started=true&is_finished=false&is_revoked=false&limit=200")
		var list []listedTask
		if err := json.Unmarshal(got.Data, &list); err != nil {
			c.t.Fatal(err)
		}
		if !slices.ContainsFunc(list, func(l listedTask) bool { return l.State == "RUNNING" }) {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("children go on: %+v", list)
		}
	}
}

// settled lists the tasks of a server that is down in which nothing will happen any more. Others that were revoked wait for a
// call or a timer.
func (c *crash) settled() (ids []int64) {
	c.t.Helper()
	db := openDatabase(c.t, filepath.Join(c.dir, "stdops.db"))
	var list string
	if err := db.QueryRowContext(c.t.Context(), `SELECT json_group_array(id) FROM task WHERE live = 0`).Scan(&list); err != nil {
		c.t.Fatal(err)
	}
	if err := errors.Join(json.Unmarshal([]byte(list), &ids), db.Close()); err != nil {
		c.t.Fatal(err)
	}
	return ids
}

// archiveAll archives what a server that is down has left, and gives which tasks these are.
func (c *crash) archiveAll() []int64 {
	c.t.Helper()
	s, err := store.Open(c.t.Context(), store.Options{Dir: c.dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.t.Fatal(err)
	}
	for n := -1; n != 0; {
		if n, err = s.Archive(c.t.Context(), time.Now().Add(time.Hour), 10); err != nil {
			c.t.Fatal(err)
		}
	}
	found, err := s.Statuses(c.t.Context(), 1, store.StatusQuery{Newest: 1000})
	if err != nil {
		c.t.Fatal(err)
	}
	var ids []int64
	for i := range found.Tasks {
		if task := &found.Tasks[i].Task; !task.Archived.IsZero() {
			ids = append(ids, int64(task.ID))
		}
	}
	if err := s.Close(); err != nil {
		c.t.Fatal(err)
	}
	return ids
}
