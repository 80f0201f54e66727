package examples

import (
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// builtin are the plugins that an example may need: those that every server has, and scripts, which the demo allows.
var builtin = map[string]bool{"sleep_timer": true, "pause_node": true, "bk_display": true, "shell_script": true, "subprocess_plugin": true}

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

// A bundle has the trees of its flows in a JSON that is base64.
func TestBundleNeedsNoOtherPlugins(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("rollout.dat")
	if err != nil {
		t.Fatal(err)
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	var bundle struct {
		Content struct {
			Data struct {
				Flows map[string]struct {
					Name    string
					Tree    json.RawMessage
					Schemes []json.RawMessage
				} `json:"template"`
			} `json:"pipeline_template_data"`
		} `json:"template_data"`
	}
	if err := json.Unmarshal(data, &bundle); err != nil {
		t.Fatal(err)
	}
	kinds, schemes := map[string]bool{}, 0
	for id, flow := range bundle.Content.Data.Flows {
		if len(id) != 32 || id[0] != 'n' {
			t.Errorf("the id %s is none of bk-sops", id)
		}
		checkPlugins(t, flow.Name, flow.Tree)
		schemes += len(flow.Schemes)
		for _, kind := range []string{"SubProcess", "ExclusiveGateway", "ParallelGateway", "ConditionalParallelGateway", `"hook": true`} {
			kinds[kind] = kinds[kind] || strings.Contains(string(flow.Tree), kind)
		}
	}
	for kind, shown := range kinds {
		if !shown || schemes == 0 {
			t.Errorf("the bundle shows no %s, or no scheme (%d)", kind, schemes)
		}
	}
}

func checkPlugins(t *testing.T, where string, tree []byte) {
	t.Helper()
	var parsed struct {
		Activities map[string]struct {
			Type      string
			Component *struct {
				Code string
				Data struct {
					Subprocess struct {
						Value struct{ Pipeline json.RawMessage }
					}
				}
			}
			Pipeline json.RawMessage
		}
	}
	if err := json.Unmarshal(tree, &parsed); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	for id, activity := range parsed.Activities {
		switch {
		case activity.Pipeline != nil:
			checkPlugins(t, where+" "+id, activity.Pipeline)
		case activity.Type == "SubProcess":
		case activity.Component == nil || !builtin[activity.Component.Code]:
			t.Errorf("%s: %s uses %+v", where, id, activity.Component)
		case activity.Component.Data.Subprocess.Value.Pipeline != nil:
			checkPlugins(t, where+" "+id, activity.Component.Data.Subprocess.Value.Pipeline)
		}
	}
}

func TestReadmeTellsAboutEachExample(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("*.*")
	if err != nil || len(names) < 8 {
		t.Fatalf("examples %v: %v", names, err)
	}
	for _, name := range names {
		if end := filepath.Ext(name); end != ".json" && end != ".dat" {
			continue
		}
		if !strings.Contains(string(readme), "| `"+name+"` |") {
			t.Errorf("README.md does not tell about %s", name)
		}
	}
}
