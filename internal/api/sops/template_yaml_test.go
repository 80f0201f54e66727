package sops_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

const yamlFlow = `
schema_version: v1
meta: {name: from yaml, id: template1, description: about}
spec:
  nodes:
  - {id: s, type: EmptyStartEvent}
  - id: a
    type: ServiceActivity
    name: wait
    component:
      code: sleep_timer
      data:
        bk_timing: {key: "${wait}", name: wait, value: "0"}
  - {id: e, type: EmptyEndEvent}
`

func TestTemplateOfYAML(t *testing.T) {
	t.Parallel()
	s := setup(t)
	body := stdops.NewObject("format", "yaml", "pipeline_tree", yamlFlow)
	first, second := s.keyed("k", "/create_template/2/", body), s.keyed("k", "/create_template/2/", body)
	if !first.ok() || withoutTrace(first) != withoutTrace(second) || first.data().Text("template_name") != "from yaml" {
		t.Fatalf("%s then %s", first.raw, second.raw)
	}
	id, _ := first.data().Get("template_id")
	created := s.call("POST", fmt.Sprintf("/create_and_start_task/%d/2/", id), stdops.NewObject("name", "x"))
	task, _ := created.data().Get("task_id")
	if !created.ok() {
		t.Fatal(created.raw)
	}
	s.await(task.(int64), "FINISHED")

	body.Set("name", "another")
	body.Set("pipeline_tree", strings.ReplaceAll(yamlFlow, "sleep_timer", "job"))
	named := s.call("POST", "/create_template/2/", body)
	warnings, _ := named.data().Get("warnings")
	list, _ := warnings.([]any)
	if named.data().Text("template_name") != "another" || len(list) != 1 || list[0].(*stdops.Object).Text("path") != "activities.a.component.code" {
		t.Error(named.raw)
	}

	parent := fmt.Sprintf("schema_version: v1\nmeta: {name: p}\nspec:\n  nodes:\n  - {id: s, type: EmptyStartEvent}\n"+
		"  - {id: x, type: SubProcess, name: x, template_id: %d, data: {\"${wait}\": {value: '1'}}}\n  - {id: e, type: EmptyEndEvent}\n", id)
	made := s.call("POST", "/create_template/2/", stdops.NewObject("format", "yaml", "pipeline_tree", parent))
	if !made.ok() {
		t.Fatal(made.raw)
	}
	gone := s.call("POST", "/create_template/2/", stdops.NewObject("format", "yaml", "pipeline_tree", strings.ReplaceAll(parent, fmt.Sprint("template_id: ", id), "template_id: 999")))
	if gone.code() != 3540000 || !strings.HasPrefix(gone.message(), "invalid YAML: line 6, column ") {
		t.Error(gone.raw)
	}
	two := s.call("POST", "/create_template/2/", stdops.NewObject("format", "yaml", "pipeline_tree", yamlFlow+"---"+strings.Replace(yamlFlow, "template1", "b", 1)))
	if two.code() != 3540000 || !strings.HasPrefix(two.message(), "create_template only supports creating a single template.") {
		t.Error(two.raw)
	}
}

func TestTemplateInfoAsYAML(t *testing.T) {
	t.Parallel()
	s := setup(t)
	imported := s.call("POST", "/import_project_template/2/", stdops.NewObject("template_data", exampleBundle(t, asItIs)))
	id := at(imported.data(), "flows").Keys()[1]
	a := s.call("GET", "/get_template_info/"+id+"/2/?format=yaml", nil)
	want, err := os.ReadFile("testdata/rotate-logs.yaml")
	must(t, err)
	if diff := cmp.Diff(string(want), a.data().Text("pipeline_tree")); diff != "" || !a.ok() {
		t.Errorf("%s (-want +got)\n%s", a.message(), diff)
	}
}
