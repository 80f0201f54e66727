package sops_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"
)

// TestTaskWithoutInputsStaysKnown: its record has lost the values of its constants. How it stands is still told; what needs
// the values is a defect of ours and no task that does not exist.
func TestTaskWithoutInputsStaysKnown(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, _ := s.create(chain("A"))
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(s.dir, "stdops.db"))
	must(t, err)
	_, err = db.ExecContext(t.Context(), `DELETE FROM task_input`)
	must(t, err)
	must(t, db.Close())

	if state := s.state(id); state != "CREATED" {
		t.Errorf("the task is %s", state)
	}
	for path, method := range map[string]string{"/start_task/%d/2/": "POST", "/get_task_detail/%d/2/": "GET"} {
		if a := s.call(method, fmt.Sprintf(path, id), nil); a.status != 500 || a.code() != 3599999 {
			t.Errorf("%s: %d %s", path, a.status, a.raw)
		}
	}
	if state := s.state(id); state != "CREATED" {
		t.Errorf("after a command the task is %s", state)
	}
}
