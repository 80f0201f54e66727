package app_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
)

// TestClusterLog follows by one server the log of a node that another one runs: each line comes once and in order, before the
// node ends, and the stream ends with the attempt.
func TestClusterLog(t *testing.T) {
	t.Parallel()
	const lines = 60
	c := newCluster(t, app.Roles{}, app.Roles{NoWorker: true})
	gate := filepath.Join(t.TempDir(), "gate")
	script := fmt.Sprintf(`i=0
while [ $i -lt %d ]; do
	i=$((i+1)); echo "line $i"; sleep 0.02
	[ $i -ne %d ] || until [ -e '%s' ]; do sleep 0.02; done
done`, lines, lines/2, gate)
	tree, err := json.Marshal(chain(act("write", "shell_script", "script", script)).tree())
	if err != nil {
		t.Fatal(err)
	}
	reader := c.client(1)
	task, err := reader.CreateTask(t.Context(), 1, client.NewTask{Name: "writes", Tree: tree})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Do(t.Context(), 1, task.ID, client.Command{Command: "start"}); err != nil {
		t.Fatal(err)
	}
	var text string
	var next int64
	last := &client.NodeLog{}
	for part, err := range reader.FollowLog(t.Context(), 1, task.ID, client.LogPage{Node: "write"}) {
		if err != nil {
			t.Fatal(err)
		}
		if part.From != next {
			t.Errorf("a part begins at %d, the one before ended at %d", part.From, next)
		}
		text, next, last = text+part.Text, part.Next, part
		if strings.Contains(text, fmt.Sprintf("line %d\n", lines/2)) {
			if err := os.WriteFile(gate, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	var want strings.Builder
	for i := range lines {
		fmt.Fprintf(&want, "line %d\n", i+1)
	}
	_, got, _ := strings.Cut(text, "\n") // the plugin says how it starts
	if got, _, ok := strings.Cut(got, fmt.Sprint("line ", lines, "\n")); !ok || got+fmt.Sprint("line ", lines, "\n") != want.String() {
		t.Errorf("it was told %q, want all of %q", text, want.String())
	}
	if last.Next != last.Size || last.Attempt != 1 {
		t.Errorf("the end is %d of %d, of attempt %d", last.Next, last.Size, last.Attempt)
	}
	if got := settled(t, reader, task.ID); got != client.Finished {
		t.Errorf("the task is %s", got)
	}
}
