package sops_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/store"
)

// optionalChain makes a tree of activities node0, node1, … in a row, each with a constant of its own as input; those
// named are not optional.
func optionalChain(count int, needed ...int) *stdops.Object {
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprint("N", i)
	}
	tree, constants := chain(names...), &stdops.Object{}
	for i := range names {
		node, key := at(tree, "activities", fmt.Sprint("node", i)), fmt.Sprintf("${c%d}", i)
		node.Set("optional", true)
		at(node, "component", "data").Set("x", stdops.NewObject("hook", false, "value", key))
		constants.Set(key, stdops.NewObject("key", key, "name", key, "index", i, "value", "", "show_type", "show", "source_type", "custom", "custom_type", "input"))
	}
	for _, i := range needed {
		at(tree, "activities", fmt.Sprint("node", i)).Set("optional", false)
	}
	tree.Set("constants", constants)
	return tree
}

func (s *server) putScheme(flow int64, name string, nodes ...string) service.Scheme {
	s.t.Helper()
	caller, err := s.svc.Authenticate(s.t.Context(), service.Credentials{AppCode: "trusted", AppSecret: "trusted-secret", Username: "admin"})
	must(s.t, err)
	access, err := s.svc.Access(s.t.Context(), caller, service.ProjectRef{ID: "2", Scope: service.ScopeBiz})
	must(s.t, err)
	scheme, err := s.svc.PutScheme(s.t.Context(), access, stdops.TemplateID(flow), service.Scheme{Name: name, Nodes: nodes})
	must(s.t, err)
	return scheme
}

func TestTemplateSchemes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	flow := s.storeFlow("f", optionalChain(4, 3))
	night, day := s.putScheme(flow, "night", "node0", "node1"), s.putScheme(flow, "day", "node1", "node2")
	a := s.call("GET", fmt.Sprintf("/get_template_schemes/2/%d/", flow), nil)
	want := `[{"id":"1-1","name":"night","data":"[\"node0\",\"node1\"]"},{"id":"1-2","name":"day","data":"[\"node1\",\"node2\"]"}]`
	list, _ := a.body.Get("data")
	if got := encoded(t, list); got != want {
		t.Errorf("schemes\n got %s\nwant %s", got, want)
	}
	items := s.call("GET", fmt.Sprintf("/get_template_schemes/2/%d/?with_constants=true", flow), nil).items("name")
	if got, want := at(items["night"], "detail", "constants").Keys(), []string{"${c0}", "${c1}", "${c3}"}; !cmp.Equal(got, want) {
		t.Errorf("constants of night: %v, want %v", got, want)
	}
	for _, c := range []struct {
		schemes any
		want    []string
	}{
		{night.Unique, []string{"N0", "N1", "N3"}},
		{night.ID, []string{"N0", "N1", "N3"}},
		{fmt.Sprint(night.ID), []string{"N0", "N1", "N3"}},
		{[]any{night.Unique, day.ID}, []string{"N0", "N1", "N2", "N3"}},
		{[]any{}, []string{"N0", "N1", "N2", "N3"}},
	} {
		for _, endpoint := range []string{"create_task", "create_and_start_task"} {
			a := s.call("POST", fmt.Sprintf("/%s/%d/2/", endpoint, flow), stdops.NewObject("name", "t", "template_schemes_id", c.schemes, "template_source", "business"))
			if !a.ok() {
				t.Errorf("%s with %v: %s", endpoint, c.schemes, a.raw)
				continue
			}
			if got := names(at(a.data(), "pipeline_tree")); !cmp.Equal(got, c.want) {
				t.Errorf("%s with %v runs %v, want %v", endpoint, c.schemes, got, c.want)
			}
		}
	}
	other := s.storeFlow("g", optionalChain(1))
	for _, path := range []string{fmt.Sprintf("/create_task/%d/2/", other), fmt.Sprintf("/create_task/%d/2/", flow)} {
		a = s.call("POST", path, stdops.NewObject("name", "t", "template_schemes_id", []any{"1-99", int64(77)}))
		if a.code() != 3540000 || a.message() != "unknown template_schemes_id: 1-99, 77" {
			t.Errorf("%s: %s", path, a.raw)
		}
	}
	if a := s.call("GET", "/get_template_schemes/2/99/", nil); a.code() != 3540400 {
		t.Errorf("a flow that there is not: %s", a.raw)
	}
}

// TestSchemesOfASubprocess looks at a parent that asks for a scheme of its child.
func TestSchemesOfASubprocess(t *testing.T) {
	t.Parallel()
	s := setup(t)
	child := optionalChain(3)
	child.Set("outputs", []any{"${c1}", "${c2}"})
	id := s.storeFlow("child", child)
	scheme := s.putScheme(id, "first", "node0")
	parent := subprocess(id, "")
	at(parent, "activities", "node0").Set("scheme_id_list", []any{scheme.ID})
	a := s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", "t", "pipeline_tree", parent))
	if !a.ok() {
		t.Fatal(a.raw)
	}
	activities := at(a.data(), "pipeline_tree", "activities")
	inner := at(activities, activities.Keys()[0], "pipeline")
	if got, want := names(inner), []string{"N0"}; !cmp.Equal(got, want) {
		t.Errorf("the child runs %v, want %v", got, want)
	}
	outputs, _ := inner.Get("outputs")
	if got := fmt.Sprint(outputs, at(inner, "constants").Keys()); got != "[${c1} ${c2}] [${c0} ${c1} ${c2}]" {
		t.Errorf("outputs and constants of the child: %s", got)
	}
	at(parent, "activities", "node0").Set("scheme_id_list", []any{scheme.Unique, "1-9"})
	a = s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", "t", "pipeline_tree", parent))
	want := "[API] fast_create_task get invalid pipeline_tree: activities.node0.scheme_id_list: template 1 has no scheme 1-9"
	if a.code() != 3540000 || a.message() != want {
		t.Errorf("an unknown scheme: %s", a.raw)
	}
	at(parent, "activities", "node0").Set("scheme_id_list", "1")
	if a := s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", "t", "pipeline_tree", parent)); a.code() != 3540000 {
		t.Errorf("a list that is none: %s", a.raw)
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	s := setup(t)
	flow := s.storeFlow("f", optionalChain(3, 2))
	first := s.call("GET", fmt.Sprintf("/get_template_info/%d/2/", flow), nil)
	if !first.ok() {
		t.Fatal(first.raw)
	}
	path := fmt.Sprintf("/preview_task_tree/2/%d/", flow)
	a := s.call("POST", path, stdops.NewObject("exclude_task_nodes_id", []any{"node1"}))
	if got, want := names(at(a.data(), "pipeline_tree")), []string{"N0", "N2"}; !cmp.Equal(got, want) {
		t.Errorf("left: %v, want %v", got, want)
	}
	if got := at(a.data(), "constants_not_referred").Keys(); !cmp.Equal(got, []string{"${c1}"}) {
		t.Errorf("not referred to: %v", got)
	}
	if _, drawn := at(a.data(), "pipeline_tree").Get("location"); !drawn {
		t.Error("the drawing is gone")
	}
	common, err := s.store.CreateTemplate(t.Context(), store.Template{Project: store.CommonProject, Name: "c", Created: s.store.Now()},
		[]byte(encoded(t, at(a.data(), "pipeline_tree"))))
	must(t, err)
	if a := s.call("POST", fmt.Sprintf("/preview_common_task_tree/2/%d/", common.ID), stdops.NewObject("version", common.Version)); !a.ok() {
		t.Errorf("a common flow: %s", a.raw)
	}
	for _, c := range []struct {
		body    *stdops.Object
		code    int64
		message string
	}{
		{stdops.NewObject("exclude_task_nodes_id", []any{"x"}), 3599999, "preview_task_tree fail: task node[id=x] is not in template pipeline tree"},
		{stdops.NewObject("exclude_task_nodes_id", []any{"node2"}), 3599999, "preview_task_tree fail: task node[id=node2] is not optional"},
		{stdops.NewObject("exclude_task_nodes_id", "node2"), 3540000, "invalid exclude_task_nodes_id: must be an array"},
		{stdops.NewObject("exclude_task_nodes_id", []any{int64(1)}), 3540000, "invalid exclude_task_nodes_id.0: must be a string"},
		{stdops.NewObject("version", "v1"), 3599999, "preview_task_tree fail: template 1 has no version v1"},
	} {
		if a := s.call("POST", path, c.body); a.code() != c.code || a.message() != c.message {
			t.Errorf("%s: code %d, message %q", encoded(t, c.body), a.code(), a.message())
		}
	}
}
