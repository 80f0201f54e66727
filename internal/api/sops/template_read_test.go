package sops_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// storeFlow stores a flow in the project of business 2 and gives its id.
func (s *server) storeFlow(name string, tree *stdops.Object) int64 {
	s.t.Helper()
	a := s.call("POST", "/create_template/2/", stdops.NewObject("name", name, "category", "OpsTools", "description", "d", "pipeline_tree", tree))
	if !a.ok() {
		s.t.Fatalf("create_template: %s", a.raw)
	}
	id, _ := a.data().Get("template_id")
	return id.(int64)
}

// subprocess makes a tree of one activity that runs a stored flow.
func subprocess(template int64, version string) *stdops.Object {
	tree := chain("S")
	node := at(tree, "activities", "node0")
	node.Set("type", "SubProcess")
	node.Delete("component")
	node.Set("template_id", template)
	if version != "" {
		node.Set("version", version)
		node.Set("always_use_latest", false)
	}
	return tree
}

func TestTemplateList(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.storeFlow("Rotate logs", chain("A"))
	s.storeFlow("100%", chain("A"))
	s.storeFlow("gone", chain("A"))
	must(t, s.store.DeleteTemplate(t.Context(), store.TemplateRef{Project: 1, Template: 3}))
	_, err := s.store.CreateTemplate(t.Context(), store.Template{Project: store.CommonProject, Name: "for all", Created: s.store.Now()}, []byte("{}"))
	must(t, err)
	for _, c := range []struct{ path, ids string }{
		{"/get_template_list/2/", "[2 1]"},
		{"/get_template_list/2/?template_source=business", "[2 1]"},
		{"/get_template_list/2/?template_source=common", "[4]"},
		{"/get_template_list/2/?template_source=any", "[4]"},
		{"/get_template_list/2/?name_keyword=LOG", "[1]"},
		{"/get_template_list/2/?name_keyword=%25", "[2]"},
		{"/get_template_list/2/?id_in=1,3,99", "[1]"},
		{"/get_template_list/2/?id_in=1,%202&name_keyword=0", "[2]"},
		{"/get_template_list/2/?id_in=4", "[]"},
		{"/get_template_list/2/?id_in=99999999999999999999", "[]"},
		{"/get_common_template_list/", "[4]"},
		{"/get_common_template_list/?id_in=1", "[]"},
		{"/v2/sops/get_common_template_list/", "[4]"},
	} {
		if a := s.call("GET", c.path, nil); a.ids() != c.ids {
			t.Errorf("%s: %s, want %s: %s", c.path, a.ids(), c.ids, a.message())
		}
	}
	items := s.call("GET", "/get_template_list/2/?include_executor_proxy=1&include_notify=true&include_labels=true&expected_timezone=Asia/Shanghai", nil).items("name")
	item := items["Rotate logs"]
	for _, key := range []string{"create_time", "edit_time"} {
		if !timeText.MatchString(item.Text(key)) || !strings.HasSuffix(item.Text(key), " +0800") {
			t.Errorf("%s: %s", key, item.Text(key))
		}
		item.Set(key, "T")
	}
	want := `{"id":1,"name":"Rotate logs","creator":"admin","create_time":"T","editor":null,"edit_time":"T","category":"OpsTools","description":"d",` +
		`"project_id":1,"project_name":"default","bk_biz_id":2,"bk_biz_name":"default",` +
		`"auth_actions":["flow_view","flow_create","flow_edit","flow_create_task"],"executor_proxy":"",` +
		`"notify_type":{"success":[],"fail":[]},"notify_receivers":{"receiver_group":[],"more_receiver":""},"labels":[]}`
	if got := encoded(t, item); got != want {
		t.Errorf("item\n got %s\nwant %s", got, want)
	}
	common := s.call("GET", "/get_common_template_list/?include_notify=1", nil).items("name")["for all"]
	wantKeys := []string{"id", "name", "creator", "create_time", "editor", "edit_time", "category", "description", "auth_actions", "notify_type", "notify_receivers"}
	if diff := cmp.Diff(wantKeys, common.Keys()); diff != "" {
		t.Errorf("common (-want +got)\n%s", diff)
	}
}

func TestTemplateListRefusals(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, c := range []struct {
		query   string
		code    int64
		message string
	}{
		{"id_in=1,x", 3540000, "id_in: Enter numbers with commas between them."},
		{"id_in=,", 3540000, "id_in: Enter numbers with commas between them."},
		{"include_notify=maybe", 3540000, "include_notify: Must be a valid boolean."},
		{"unfold_subprocess=maybe", 3540000, "unfold_subprocess: Must be a valid boolean."},
		{"name_keyword=" + strings.Repeat("x", 129), 3540000, "name_keyword: Ensure this value has at most 128 characters."},
		{"expected_timezone=Mars/X", 3546100, "expected_timezone Mars/X is unknown."},
	} {
		for _, path := range []string{"/get_template_list/2/?", "/get_common_template_list/?"} {
			if a := s.call("GET", path+c.query, nil); a.status != 200 || a.code() != c.code || a.message() != c.message {
				t.Errorf("%s%s: status %d, code %d, message %q", path, c.query, a.status, a.code(), a.message())
			}
		}
	}
}

func TestTemplateInfo(t *testing.T) {
	t.Parallel()
	s := setup(t)
	tree := chain("A:sleep_timer", "B")
	tree.Set("constants", stdops.NewObject(
		"${wait}", stdops.NewObject("key", "${wait}", "name", "wait", "index", 0, "value", "5", "show_type", "show",
			"source_type", "component_inputs", "source_tag", "sleep_timer.bk_timing", "source_info", stdops.NewObject("node0", []any{"bk_timing"})),
		"${who}", stdops.NewObject("key", "${who}", "name", "who", "index", 1, "value", "ann", "show_type", "hide",
			"source_type", "custom", "custom_type", "input", "source_tag", "input.input"),
		"${idle}", stdops.NewObject("key", "${idle}", "name", "idle", "index", 2, "value", "", "source_type", "custom", "custom_type", "input"),
	))
	at(tree, "activities", "node0", "component", "data").Set("bk_timing", stdops.NewObject("hook", true, "value", "${wait}"))
	at(tree, "activities", "node0", "component", "data").Set("x", stdops.NewObject("hook", false, "value", "${wait} for ${who}"))
	at(tree, "activities", "node1", "component", "data").Set("x", stdops.NewObject("hook", false, "value", "${who}"))
	id := s.storeFlow("a flow", tree)
	info := s.call("GET", fmt.Sprintf("/get_template_info/%d/2/?include_constants=1&include_subprocess=1", id), nil).data()
	wantKeys := []string{
		"id", "name", "creator", "create_time", "editor", "edit_time", "category", "description", "has_subprocess", "subprocess_has_update",
		"pipeline_tree", "template_constants", "project_id", "project_name", "bk_biz_id", "bk_biz_name",
	}
	if diff := cmp.Diff(wantKeys, info.Keys()); diff != "" {
		t.Errorf("keys (-want +got)\n%s", diff)
	}
	shown := at(info, "pipeline_tree")
	wantTree := []string{"activities", "constants", "end_event", "flows", "gateways", "outputs", "start_event"}
	if got := sorted(shown.Keys()); !cmp.Equal(got, wantTree) {
		t.Errorf("tree has %v", got)
	}
	if got := encoded(t, at(shown, "activities", "node0")); got != encoded(t, at(tree, "activities", "node0")) {
		t.Errorf("activity: %s", got)
	}
	schemas := map[string]string{}
	for _, key := range at(shown, "constants").Keys() {
		schema, _ := at(shown, "constants", key).Get("schema")
		schemas[key] = encoded(t, schema)
	}
	wantSchemas := map[string]string{
		"${wait}": `{"type":"string","title":"Time","description":"seconds, or a moment written YYYY-MM-DD HH:MM:SS","enum":[]}`,
		"${who}":  `{"type":"string","description":"","enum":[]}`, "${idle}": `{"type":"string","description":"","enum":[]}`,
	}
	if diff := cmp.Diff(wantSchemas, schemas); diff != "" {
		t.Errorf("schemas (-want +got)\n%s", diff)
	}
	constants, _ := info.Get("template_constants")
	want := `[{"name":"wait","key":"${wait}","show_type":"show","constant_type":"Input of a node","activity_count":1},` +
		`{"name":"who","key":"${who}","show_type":"hide","constant_type":"Text","activity_count":2}]`
	if got := encoded(t, constants); got != want {
		t.Errorf("constants\n got %s\nwant %s", got, want)
	}
	plain := s.call("POST", "/v2/sops/get_template_info/", fmt.Sprintf(`{"bk_biz_id":2,"template_id":%d,"include_executor_proxy":true}`, id)).data()
	if _, had := plain.Get("template_constants"); had || plain.Keys()[8] != "executor_proxy" {
		t.Errorf("plain: %v", plain.Keys())
	}
}

func TestTemplateInfoOfSubprocesses(t *testing.T) {
	t.Parallel()
	s := setup(t)
	child := s.storeFlow("child", chain("inner"))
	first := s.call("GET", "/get_template_info/1/2/", nil)
	if !first.ok() {
		t.Fatal(first.raw)
	}
	stored, _, err := s.store.Template(t.Context(), store.TemplateRef{Project: 1, Template: stdops.TemplateID(child)}, "")
	must(t, err)
	pinned, open := s.storeFlow("pinned", subprocess(child, stored.Version)), s.storeFlow("open", subprocess(child, ""))
	ask := func(id int64, query string) *stdops.Object {
		t.Helper()
		a := s.call("GET", fmt.Sprintf("/get_template_info/%d/2/?include_subprocess=1%s", id, query), nil)
		if !a.ok() {
			t.Fatal(a.raw)
		}
		return a.data()
	}
	expect := func(what string, info *stdops.Object, has, update bool) {
		t.Helper()
		gotHas, _ := info.Get("has_subprocess")
		gotUpdate, _ := info.Get("subprocess_has_update")
		if gotHas != has || gotUpdate != update {
			t.Errorf("%s: has_subprocess %v, subprocess_has_update %v", what, gotHas, gotUpdate)
		}
	}
	expect("child", ask(child, ""), false, false)
	expect("pinned", ask(pinned, ""), true, false)
	body, err := chain("inner", "more").MarshalJSON()
	must(t, err)
	stored.Edited = s.store.Now()
	_, err = s.store.EditTemplate(t.Context(), stored, body)
	must(t, err)
	expect("pinned, later", ask(pinned, ""), true, true)
	expect("open, later", ask(open, ""), true, false)
	for id, activities := range map[int64]int{pinned: 1, open: 2} {
		unfolded := ask(id, "&unfold_subprocess=true")
		if got := at(unfolded, "pipeline_tree", "activities", "node0", "pipeline", "activities").Len(); got != activities {
			t.Errorf("flow %d has %d activities in its subprocess: %s", id, got, encoded(t, unfolded))
		}
		if folded := ask(id, ""); at(folded, "pipeline_tree", "activities", "node0", "pipeline") != nil {
			t.Errorf("flow %d is unfolded without being asked for", id)
		}
	}
	must(t, s.store.DeleteTemplate(t.Context(), store.TemplateRef{Project: 1, Template: stdops.TemplateID(child)}))
	a := s.call("GET", fmt.Sprintf("/get_template_info/%d/2/?unfold_subprocess=1", open), nil)
	if a.code() != 3599999 || !strings.HasPrefix(a.message(), "format_template_data failed: ") {
		t.Errorf("unfold what is gone: %s", a.raw)
	}
}

func TestTemplateInfoRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, err := f.store.CreateTemplate(t.Context(), store.Template{Project: store.CommonProject, Name: "for all", Created: f.store.Now()},
		[]byte(treeText()))
	must(t, err)
	for _, c := range []struct {
		path, credentials string
		code              int64
		message           string
	}{
		{"/get_template_info/99/2/", "@@demo-alice@@", 3540400, "template[id=99] of project[project_id=1, biz_id=2] does not exist"},
		{"/get_template_info/21/2/", "@@demo-alice@@", 3540400, "template[id=21] of project[project_id=1, biz_id=2] does not exist"},
		{"/get_template_info/99999999999999999999/2/", "@@demo-alice@@", 3540400, "template[id=99999999999999999999] of project[project_id=1, biz_id=2] does not exist"},
		{"/get_template_info/11/2/?template_source=common", "@@demo-alice@@", 3540400, "common template[id=11] does not exist"},
		{"/get_template_info/3/2/?template_source=common", "@@demo-alice@@", 0, ""},
		{"/get_common_template_info/3/", "@@demo-bob@@", 0, ""},
		{"/get_common_template_info/11/", "@@demo-bob@@", 3540400, "common template[id=11] does not exist"},
		{"/get_template_info/11/2/?format=xml", "@@demo-alice@@", 3540000, "format: xml is not a valid choice."},
		{"/get_template_info/11/2/?include_constants=maybe", "@@demo-alice@@", 3540000, "include_constants: Must be a valid boolean."},
		{"/v2/sops/get_template_info/?bk_biz_id=2", "@@demo-alice@@", 3540000, "param template_id is required"},
	} {
		a := f.send("GET", f.real(c.path), nil, http.Header{"X-Bkapi-Authorization": {f.real(c.credentials)}})
		if a.status != 200 || a.code() != c.code || a.message() != f.real(c.message) {
			t.Errorf("%s: status %d, code %d, message %q", c.path, a.status, a.code(), a.message())
		}
	}
}

func sorted(keys []string) []string {
	m := map[string]string{}
	for _, k := range keys {
		m[k] = k
	}
	return sortedKeys(m)
}
