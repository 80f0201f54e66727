package service

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stdops/stdops"
)

// yamlOf gives a flow whose one node is a subprocess with the fields.
func yamlOf(fields string) NewImport {
	return NewImport{Format: FormatYAML, Text: `
schema_version: v1
meta: {name: outer}
spec:
  nodes:
  - {id: s, type: EmptyStartEvent}
  - {id: n, type: SubProcess, name: x, ` + fields + `}
  - {id: e, type: EmptyEndEvent}
`}
}

// treeWith gives a tree whose one node is a subprocess that names a flow and where it comes from.
func treeWith(id stdops.TemplateID, source string) *stdops.Object {
	tree := &stdops.Object{}
	if err := tree.UnmarshalJSON(fmt.Appendf(nil, `{
		"start_event": {"id": "s", "type": "EmptyStartEvent", "name": "", "incoming": "", "outgoing": "l1"},
		"end_event": {"id": "e", "type": "EmptyEndEvent", "name": "", "incoming": ["l2"], "outgoing": ""},
		"activities": {"n": {"id": "n", "type": "SubProcess", "name": "x", "incoming": ["l1"], "outgoing": "l2",
			"template_id": %d, "template_source": %q, "constants": {}}},
		"flows": {"l1": {"id": "l1", "source": "s", "target": "n", "is_default": false},
			"l2": {"id": "l2", "source": "n", "target": "e", "is_default": false}},
		"gateways": {}, "constants": {}, "outputs": []}`, id, source)); err != nil {
		panic(err)
	}
	return tree
}

// Whatever a sender writes as the source of a flow, only the reader of a file can mean a flow of that file.
func TestNoSourceMeansAFlowOfTheFile(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"file", "\\xfffile", "project", "business"} {
		b := setup(t)
		a := b.project(t)
		made, err := b.ImportTemplates(t.Context(), a, NewImport{Text: exampleBundle(t, asItIs)})
		must(t, err)
		child := made.Flows[1].ID
		direct := yamlOf(fmt.Sprintf("template_id: %d, template_source: %q", child, source))
		made, err = b.ImportTemplates(t.Context(), a, direct)
		if err != nil || len(made.Flows) != 1 {
			t.Errorf("%s: %+v, %v", source, made, err)
		}
		through, err := b.CreateTemplate(t.Context(), a, NewTemplate{Name: "t"}, treeWith(child, strings.ReplaceAll(source, `\`, "")))
		must(t, err)
		if _, err := b.ImportTemplates(t.Context(), a, yamlOf(fmt.Sprintf("template_id: %d", through.ID))); err != nil {
			t.Errorf("through a stored flow with the source %s: %v", source, err)
		}
	}
}

func TestCheckTellsOfSchemesThatAreNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.project(t)
	with := func(asked ...any) NewImport {
		return NewImport{Text: exampleBundle(t, func(o *stdops.Object) {
			flows := inside(o, "template_data pipeline_template_data template")
			inside(flows, "nchild").Set("schemes", []any{stdops.NewObject("id", int64(7), "unique_id", "u", "name", "night", "data", "[]")})
			inside(flows, "nparent tree activities np1").Set("scheme_id_list", asked)
		})}
	}
	checked, err := b.CheckImport(t.Context(), a, with(int64(7), "7", "u", int64(8)))
	must(t, err)
	want := Finding{Blocks, "activities.np1.scheme_id_list", "the template that it runs has no scheme 8"}
	if got := checked[1].Findings; len(got) != 1 || got[0] != want {
		t.Errorf("%+v", got)
	}
	made, err := b.ImportTemplates(t.Context(), a, with(int64(7), "7", "u"))
	must(t, err)
	view, err := b.ViewTemplate(t.Context(), a, made.Flows[1].ID, false)
	must(t, err)
	activities := inside(view.Tree(), "activities")
	asked, _ := inside(activities, activities.Keys()[0]).Get("scheme_id_list")
	if got := fmt.Sprint(asked); got != "[1 1 1]" {
		t.Errorf("the subprocess asks for %s", got)
	}
}
