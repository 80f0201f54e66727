package sops_test

import (
	"strings"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// TestStoredFlowsAreNoOracle: who may not look at the flows of a project learns nothing of them by a tree that refers to
// one (docs/spec/api.md 3.4).
func TestStoredFlowsAreNoOracle(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ask := func(role service.Role, source, template string) answer {
		tree := chain("A")
		node := at(tree, "activities", "node0")
		node.Set("type", "SubProcess")
		node.Set("template_id", template)
		node.Set("template_source", source)
		text, err := stdops.NewObject("name", "x", "pipeline_tree", tree).MarshalJSON()
		must(t, err)
		return f.send("POST", "/fast_create_task/2/", f.real(string(text)), map[string][]string{"X-Bkapi-Authorization": {f.as(t, role)}})
	}
	for _, c := range []struct{ source, template, action string }{
		{"project", "11", "flow_view"}, {"project", "999", "flow_view"}, {"common", "11", "common_flow_view"},
	} {
		a := ask("", c.source, c.template)
		if a.code() != 3599999 || !strings.HasSuffix(a.message(), "action:"+c.action) {
			t.Errorf("%s flow %s for a stranger: code %d, message %q", c.source, c.template, a.code(), a.message())
		}
	}
	if a := ask(service.Viewer, "project", "999"); a.code() != 3540000 || !strings.Contains(a.message(), "should belong to current project") {
		t.Errorf("a missing flow for a viewer: %s", a.raw)
	}
	if a := ask(service.Editor, "project", "11"); !a.ok() {
		t.Errorf("a flow for an editor: %s", a.raw)
	}
}
