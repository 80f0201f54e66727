package sops_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// exampleBundle gives the bundle of docs/spec/api.md 4.14.1, after change.
func exampleBundle(t *testing.T, change func(*stdops.Object)) string {
	t.Helper()
	text, err := os.ReadFile("../../exchange/testdata/example.json")
	must(t, err)
	o := &stdops.Object{}
	must(t, o.UnmarshalJSON(text))
	change(o)
	data, err := o.MarshalJSON()
	must(t, err)
	return base64.StdEncoding.EncodeToString(data)
}

func asItIs(*stdops.Object) {}

func TestImportProjectTemplate(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, path := range []string{"/import_project_template/2/", "/v2/sops/import_project_template/"} {
		a := s.call("POST", path, stdops.NewObject("project_id", 2, "template_data", exampleBundle(t, asItIs)))
		if !a.ok() || a.message() != "Successfully imported 2 flows" {
			t.Fatal(a.raw)
		}
		flows := at(a.data(), "flows")
		if diff := cmp.Diff([]string{"count", "flows"}, a.data().Keys()); diff != "" || flows.Len() != 2 {
			t.Errorf("%s: (-want +got)\n%s", a.raw, diff)
		}
		for _, id := range flows.Keys() {
			info := s.call("GET", "/get_template_info/"+id+"/2/?unfold_subprocess=1&include_subprocess=1", nil)
			outdated, _ := info.data().Get("subprocess_has_update")
			if !info.ok() || info.data().Text("name") != flows.Text(id) || outdated != false {
				t.Error(info.raw)
			}
		}
	}
}

// A task of an imported flow runs to its end, the value of the subprocess included.
func TestImportedFlowRuns(t *testing.T) {
	t.Parallel()
	s := setup(t)
	a := s.call("POST", "/import_project_template/2/", stdops.NewObject("template_data", exampleBundle(t, func(o *stdops.Object) {
		value := at(o, "template_data", "pipeline_template_data", "template", "nparent", "tree", "activities", "np1", "constants", "${wait}")
		value.Set("value", "0")
	})))
	flows := at(a.data(), "flows")
	created := s.call("POST", "/create_and_start_task/"+flows.Keys()[1]+"/2/", stdops.NewObject("name", "x"))
	id, _ := created.data().Get("task_id")
	if !created.ok() {
		t.Fatal(created.raw)
	}
	s.await(id.(int64), "FINISHED")
}

func TestImportCommonTemplate(t *testing.T) {
	t.Parallel()
	s := setup(t)
	common := func(o *stdops.Object) { at(o, "template_data").Set("template_source", "common") }
	a := s.call("POST", "/import_common_template/", stdops.NewObject("template_data", exampleBundle(t, common)))
	if !a.ok() || a.message() != "Successfully imported 2 flows" {
		t.Fatal(a.raw)
	}
	ids := at(a.data(), "flows").Keys()
	if got := s.call("GET", "/get_common_template_list/", nil).ids(); got != fmt.Sprintf("[%s %s]", ids[1], ids[0]) {
		t.Errorf("common flows %s", got)
	}
	created := s.call("POST", "/create_task/"+ids[1]+"/2/", stdops.NewObject("name", "x", "template_source", "common"))
	if !created.ok() {
		t.Error(created.raw)
	}
	over := exampleBundle(t, func(o *stdops.Object) {
		common(o)
		rows := at(o, "template_data", "template")
		for i, old := range []string{"42", "41"} {
			row := at(rows, old)
			rows.Delete(old)
			row.Delete("id")
			rows.Set(ids[i], row)
		}
	})
	a = s.call("POST", "/import_common_template/", stdops.NewObject("template_data", over, "override", "true"))
	if diff := cmp.Diff(ids, at(a.data(), "flows").Keys()); diff != "" || !a.ok() {
		t.Errorf("%s: (-want +got)\n%s", a.raw, diff)
	}
}

func TestImportWarnings(t *testing.T) {
	t.Parallel()
	s := setup(t)
	a := s.call("POST", "/import_project_template/2/", stdops.NewObject("template_data", exampleBundle(t, func(o *stdops.Object) {
		at(o, "template_data", "pipeline_template_data", "template", "nchild", "tree", "activities", "nc1", "component").Set("code", "job")
	})))
	warnings, _ := a.data().Get("warnings")
	want := `[{"path":"等待: activities.nc1.component.code","message":"plugin job (version legacy) is not registered"}]`
	if got := encoded(t, warnings); got != want {
		t.Errorf("warnings %s, want %s", got, want)
	}
}

func TestImportRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	text := exampleBundle(t, asItIs)
	body := func(text string) string { return fmt.Sprintf(`{"template_data":%q}`, text) }
	alice, vic := f.symbols["@@demo-alice@@"], f.as(t, "viewer")
	for name, c := range map[string]struct {
		path, body, as string
		code           int64
		message        string
	}{
		"nothing":        {"/import_project_template/2/", `{}`, alice, 3540000, "template data can not be none"},
		"empty":          {"/import_common_template/", `{"template_data":""}`, auth("trusted", "x"), 3540000, "template data can not be none"},
		"empty body":     {"/import_project_template/2/", ``, alice, 3540000, "request body is not a valid json"},
		"a number":       {"/import_project_template/2/", `{"template_data":7}`, alice, 3540000, "template_data must be a string"},
		"no base64":      {"/import_project_template/2/", body("%"), alice, 3540000, "template_data is no base64"},
		"no JSON":        {"/import_project_template/2/", body("AAAA"), alice, 3540000, "template_data holds no JSON"},
		"digest":         {"/import_project_template/2/", body(exampleBundle(t, func(o *stdops.Object) { o.Set("digest", "x") })), alice, 3546100, "digest must be 32 hex digits"},
		"project":        {"/import_project_template/9/", body(text), alice, 3540400, "project(9) with scope(cmdb_biz) does not exist."},
		"foreign":        {"/import_project_template/3/", body(text), alice, 3540100, "user alice have no permission to call this api."},
		"viewer":         {"/import_project_template/2/", body(text), vic, 3540100, " have no permission to call this api."},
		"not trusted":    {"/import_common_template/", body(text), alice, 3540100, "you have no permission to call this api."},
		"override":       {"/import_common_template/", `{"template_data":"` + text + `","override":"maybe"}`, auth("trusted", "x"), 3540000, "override: Must be a valid boolean."},
		"over project's": {"/import_common_template/", `{"template_data":"` + text + `","override":1}`, auth("trusted", "x"), 3545000, "flows of a project can not override common flows"},
	} {
		a := f.send("POST", c.path, c.body, http.Header{"X-Bkapi-Authorization": {c.as}})
		if a.code() != c.code || !strings.Contains(a.message(), c.message) {
			t.Errorf("%s: %d %q, want %d %q", name, a.code(), a.message(), c.code, c.message)
		}
	}
}

func TestImportWithKeyIsDoneOnce(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, path := range []string{"/import_project_template/2/", "/import_common_template/"} {
		body := stdops.NewObject("template_data", exampleBundle(t, asItIs))
		first, second := s.keyed(path, path, body), s.keyed(path, path, body)
		if !first.ok() || withoutTrace(first) != withoutTrace(second) {
			t.Errorf("%s is answered\n%s then\n%s", path, first.raw, second.raw)
		}
		other := s.keyed(path, path, stdops.NewObject("template_data", exampleBundle(t, func(o *stdops.Object) { o.Set("x", 1) })))
		if other.code() != 3545000 {
			t.Errorf("%s: the key of another request: %s", path, other.raw)
		}
	}
}
