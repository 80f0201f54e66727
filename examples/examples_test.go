package examples

import (
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// builtin are the plugins that an example may need: those that every server has, and scripts, which the demo allows.
var builtin = map[string]bool{"sleep_timer": true, "pause_node": true, "bk_display": true, "shell_script": true}

func TestExamplesNeedNoOtherPlugins(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(files, "*.json")
	if err != nil || len(names) < 6 {
		t.Fatalf("examples %v: %v", names, err)
	}
	for _, name := range names {
		text, err := Tree(strings.TrimSuffix(name, ".json"))
		if err != nil {
			t.Fatal(err)
		}
		checkPlugins(t, name, text)
	}
}

func checkPlugins(t *testing.T, where string, tree []byte) {
	t.Helper()
	var parsed struct {
		Activities map[string]struct {
			Component *struct{ Code string }
			Pipeline  json.RawMessage
		}
	}
	if err := json.Unmarshal(tree, &parsed); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	for id, activity := range parsed.Activities {
		switch {
		case activity.Pipeline != nil:
			checkPlugins(t, where+" "+id, activity.Pipeline)
		case activity.Component == nil || !builtin[activity.Component.Code]:
			t.Errorf("%s: %s uses %+v", where, id, activity.Component)
		}
	}
}

func TestReadmeTellsAboutEachExample(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.Contains(string(readme), "| `"+name+"` |") {
			t.Errorf("README.md does not tell about %s", name)
		}
	}
}
