package sops_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// commonBundle gives the example as a bundle of common flows. The rows of the parent and of the child stand under parent
// and child, the child has the schemes, and the parent's subprocess asks for those that are listed.
func commonBundle(t *testing.T, parent, child string, asked, schemes []any) string {
	t.Helper()
	return exampleBundle(t, func(o *stdops.Object) {
		content := at(o, "template_data")
		content.Set("template_source", "common")
		rows := at(content, "template")
		for old, id := range map[string]string{"41": parent, "42": child} {
			row := at(rows, old)
			rows.Delete(old)
			row.Delete("id")
			rows.Set(id, row)
		}
		flows := at(content, "pipeline_template_data", "template")
		at(flows, "nparent", "tree", "activities", "np1").Set("scheme_id_list", asked)
		at(flows, "nchild").Set("schemes", schemes)
	})
}

func bundledScheme(id int, name, nodes string) *stdops.Object {
	return stdops.NewObject("id", id, "unique_id", fmt.Sprint("u", id), "name", name, "data", nodes)
}

// commonSchemes lists the schemes of a common flow.
func (s *server) commonSchemes(flow string) []store.Scheme {
	s.t.Helper()
	var id stdops.TemplateID
	_, err := fmt.Sscan(flow, &id)
	must(s.t, err)
	list, err := s.store.Schemes(s.t.Context(), store.TemplateRef{Project: store.CommonProject, Template: id})
	must(s.t, err)
	return list
}

// An import that overrides keeps the ids of schemes of the same name, gives them the nodes of the file, and leaves others.
func TestOverrideReplacesSchemes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	first := s.call("POST", "/import_common_template/", stdops.NewObject("template_data", commonBundle(t, "41", "42",
		[]any{7}, []any{bundledScheme(7, "night", `["nc1"]`), bundledScheme(8, "gone", `["nc1"]`)})))
	if !first.ok() {
		t.Fatal(first.raw)
	}
	ids := at(first.data(), "flows").Keys()
	child, parent := ids[0], ids[1]
	had := s.commonSchemes(child)
	if len(had) != 2 || len(had[0].Nodes) != 1 || had[0].Nodes[0] == "nc1" {
		t.Fatalf("schemes %v", had)
	}
	over := stdops.NewObject("override", true, "template_data", commonBundle(t, parent, child,
		[]any{70, "u71"}, []any{bundledScheme(71, "day", `[]`), bundledScheme(70, "night", `["nc1"]`)}))
	for range 2 {
		if a := s.call("POST", "/import_common_template/", over); !a.ok() || !cmp.Equal(ids, at(a.data(), "flows").Keys()) {
			t.Fatal(a.raw)
		}
		got := s.commonSchemes(child)
		want := []store.Scheme{{ID: had[0].ID, Name: "night", Nodes: []string{"nc1"}}, had[1], {ID: had[1].ID + 1, Name: "day"}}
		if len(got) == 3 && len(got[2].Nodes) == 0 {
			got[2].Nodes = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("schemes (-want +got)\n%s", diff)
		}
		info := s.call("GET", "/get_common_template_info/"+parent+"/", nil)
		asked, _ := at(info.data(), "pipeline_tree", "activities", "np1").Get("scheme_id_list")
		if diff := cmp.Diff(fmt.Sprint([]int64{had[0].ID, had[1].ID + 1}), fmt.Sprint(asked)); diff != "" {
			t.Errorf("the subprocess asks for (-want +got)\n%s", diff)
		}
		a := s.call("POST", "/create_task/"+child+"/2/", stdops.NewObject("name", "x", "template_source", "common", "template_schemes_id", had[0].ID))
		if !a.ok() || !cmp.Equal([]string{"pause"}, names(at(a.data(), "pipeline_tree"))) {
			t.Error(a.raw)
		}
		if a := s.call("POST", "/create_task/"+parent+"/2/", stdops.NewObject("name", "x", "template_source", "common")); !a.ok() {
			t.Error(a.raw)
		}
	}
}
