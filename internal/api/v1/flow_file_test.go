package v1

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stdops/stdops/client"
)

const importPath = "/api/v1/projects/1/flows/import"

const oneFlow = `
schema_version: v1
meta: {name: one}
spec:
  nodes:
  - {id: s, type: EmptyStartEvent}
  - {id: a, type: ServiceActivity, name: a, component: {code: bk_display, data: {bk_display_message: {value: x}}}}
  - {id: e, type: EmptyEndEvent}
`

func TestFlowFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := encode(t, client.FlowImport{FlowFile: client.FlowFile{Format: client.FormatYAML, Text: oneFlow}})
	check := as[client.ImportCheck](t, b, 200, "POST", "/api/v1/projects/1/flows/check", file)
	if check.Flows != 1 || check.Nodes != 3 || !check.Runs || len(check.Findings) != 0 {
		t.Errorf("%+v", check)
	}
	first, second := b.keyed(t, "k", importPath, file), b.keyed(t, "k", importPath, file)
	var made client.Imported
	must(t, json.Unmarshal([]byte(first.text), &made))
	if first.status != 201 || first.text != second.text || len(made.Flows) != 1 || made.Flows[0].Name != "one" {
		t.Errorf("%s then %s", first.text, second.text)
	}
	for format, begins := range map[string]string{"": "eyJkaWdlc3QiOi", "dat": "eyJkaWdlc3QiOi", "yaml": "schema_version: v1\n"} {
		path := "/api/v1/projects/1/flows/export?id=1"
		if format != "" {
			path += "&format=" + format
		}
		got := as[client.FlowFile](t, b, 200, "GET", path, "")
		if !strings.HasPrefix(got.Text, begins) {
			t.Errorf("%q: %.40s", format, got.Text)
		}
	}
	unknown := strings.Replace(oneFlow, "bk_display,", "job,", 1)
	check = as[client.ImportCheck](t, b, 200, "POST", "/api/v1/projects/1/flows/check", encode(t, client.FlowImport{FlowFile: client.FlowFile{Format: "yaml", Text: unknown}}))
	want := client.Finding{Flow: "one", Severity: client.Blocks, Path: "activities.a.component.code", Message: "plugin job (version legacy) is not registered"}
	if check.Runs || len(check.Findings) != 1 || check.Findings[0] != want {
		t.Errorf("%+v", check)
	}
}

func TestFlowFileRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
	}{
		"no base64":      {"POST", importPath, `{"format":"dat","text":"%"}`, 422},
		"no format":      {"POST", importPath, `{"text":"x"}`, 422},
		"another format": {"POST", importPath, `{"format":"xml","text":"x"}`, 422},
		"override":       {"POST", importPath, `{"format":"yaml","text":"x","override":true}`, 409},
		"no flow":        {"GET", "/api/v1/projects/1/flows/export?id=9", "", 404},
		"no id":          {"GET", "/api/v1/projects/1/flows/export", "", 422},
		"project":        {"POST", "/api/v1/projects/9/flows/check", `{"format":"yaml","text":"x"}`, 404},
	} {
		got := send(t, b.local, request{method: c.method, path: c.path, body: c.body})
		if got.status != c.status {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
}

func TestFlowVersions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := as[client.Imported](t, b, 201, "POST", importPath, encode(t, client.FlowImport{FlowFile: client.FlowFile{Format: "yaml", Text: oneFlow}}))
	list := as[client.FlowVersionList](t, b, 200, "GET", "/api/v1/projects/1/flows/1/versions", "")
	if len(list.Versions) != 1 || !list.Versions[0].Current || list.Versions[0].Version != made.Flows[0].Version {
		t.Errorf("%+v", list)
	}
	again := as[client.FlowDetail](t, b, 200, "GET", "/api/v1/projects/1/flows/1?version="+made.Flows[0].Version, "")
	if again.Version != made.Flows[0].Version || len(again.Tree) == 0 {
		t.Errorf("%+v", again)
	}
	for _, path := range []string{"/api/v1/projects/1/flows/9/versions", "/api/v1/projects/1/flows/1?version=x"} {
		if got := send(t, b.local, request{method: "GET", path: path}); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}
