package v1

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/internal/service"
)

// known are the answers to "what does this need" that are none of a permission in a project.
var known = map[needs]bool{needsNothing: true, needsCaller: true, needsAdmin: true}

// open are all operations that need no caller; each is a decision.
var open = []string{"session", "sign-in", "sign-in-link", "sign-out", "version"}

func TestEveryRouteSaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := send(t, b.http, request{method: "GET", path: DescriptionPath})
	var description struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Needs       needs  `json:"x-needs"`
			Security    []any
			Responses   map[string]struct{ Content map[string]any }
		}
		Components struct{ Schemas map[string]any }
	}
	must(t, json.Unmarshal([]byte(got.text), &description))
	if !strings.HasPrefix(description.OpenAPI, "3.1") || len(description.Paths) < 12 {
		t.Fatalf("OpenAPI %s with %d paths", description.OpenAPI, len(description.Paths))
	}
	var opened []string
	for path, operations := range description.Paths {
		for method, op := range operations {
			if op.Needs == needsNothing {
				opened = append(opened, op.OperationID)
			}
			inside := strings.Contains(path, "{project}")
			if inside == known[op.Needs] || inside && service.LeastRole(service.Permission(op.Needs)) == "" {
				t.Errorf("%s %s needs %q", method, path, op.Needs)
			}
			if (op.Needs == needsNothing) != (len(op.Security) == 0) {
				t.Errorf("%s %s: security %v", method, path, op.Security)
			}
			if op.Responses["default"].Content["application/problem+json"] == nil {
				t.Errorf("%s %s does not describe its refusals", method, path)
			}
		}
	}
	slices.Sort(opened)
	if d := cmp.Diff(open, opened); d != "" {
		t.Errorf("open to everybody (-want +got):\n%s", d)
	}
	if description.Components.Schemas["ErrorModel"] != nil {
		t.Error("the description holds the refusals of the framework")
	}
}

func TestOpenRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if got := send(t, b.http, request{method: "GET", path: "/api/v1/version"}); got.status != 200 || !strings.Contains(got.text, `"version":"1.2.3"`) {
		t.Errorf("version: %d %s", got.status, got.text)
	}
	if got := send(t, b.http, request{method: "POST", path: DescriptionPath}); got.status != 405 || got.header.Get("Allow") == "" {
		t.Errorf("POST of the description: %d %s", got.status, got.text)
	}
	if got := send(t, b.http, request{method: "PUT", path: "/api/v1/projects"}); got.status != 405 || got.header.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("PUT of projects: %d Allow %q", got.status, got.header.Get("Allow"))
	}
	if got := send(t, b.local, request{method: "GET", path: "/api/v1/limits"}); got.status != 200 || !strings.Contains(got.text, `"ids-native","value":1000`) {
		t.Errorf("limits: %d %s", got.status, got.text)
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	deep := strings.Repeat("[", 600) + strings.Repeat("]", 600)
	for name, c := range map[string]struct {
		request
		status int
	}{
		"compressed":   {request{method: "POST", path: "/api/v1/users", body: "x", header: map[string]string{"Content-Encoding": "gzip"}}, 415},
		"another kind": {request{method: "POST", path: "/api/v1/users", body: "name: x", header: map[string]string{"Content-Type": "text/yaml"}}, 415},
		"too large":    {request{method: "POST", path: "/api/v1/users", body: `{"name":"` + strings.Repeat("x", smallBody) + `"}`}, 413},
		"too deep":     {request{method: "POST", path: tasksPath, body: `{"name":"x","tree":` + deep + `}`}, 400},
		"no UTF-8":     {request{method: "POST", path: "/api/v1/users", body: "{\"name\":\"\xff\"}"}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			if got := send(t, b.local, c.request); got.status != c.status || !strings.Contains(got.text, `"code":"invalid"`) {
				t.Errorf("status %d, want %d: %.300s", got.status, c.status, got.text)
			}
		})
	}
}
