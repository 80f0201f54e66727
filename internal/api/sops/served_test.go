package sops_test

import (
	"fmt"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api/sops"
	"github.com/stdops/stdops/internal/service"
)

// servedEndpoint is an offered endpoint with a request that fits it.
type servedEndpoint struct {
	name, method, path, body string
	needs                    service.Permission
	open                     string
}

// bodies are the bodies of POST endpoints; 104 is a task of project 1 that was not started, 11 a template of it.
var bodies = map[string]string{
	"get_tasks_status":      `{"task_id_list":[]}`,
	"query_task_count":      `{"group_by":"status"}`,
	"fast_create_task":      `{"name":"x","pipeline_tree":` + treeText() + `}`,
	"create_template":       `{"name":"x","pipeline_tree":` + treeText() + `}`,
	"create_task":           `{"name":"x"}`,
	"create_and_start_task": `{"name":"x"}`,
	"operate_task":          `{"action":"pause"}`,
	"operate_node":          `{"action":"skip","node_id":"x"}`,
	"node_callback":         `{"node_id":"x","callback_data":{}}`,
}

func treeText() string {
	text, err := chain("A").MarshalJSON()
	if err != nil {
		panic(err)
	}
	return string(text)
}

// servedEndpoints gives every offered endpoint of the table.
func servedEndpoints() []servedEndpoint {
	var served []servedEndpoint
	for _, e := range sops.Served() {
		path := "/" + e.Name + "/"
		for _, part := range e.Parts {
			path += map[string]string{"bk_biz_id": "2", "task_id": "104", "template_id": "11"}[part] + "/"
		}
		body := bodies[e.Name]
		if body == "" {
			body = "{}"
		}
		served = append(served, servedEndpoint{name: e.Name, method: e.Method, path: path, body: body, needs: e.Needs, open: e.Open})
	}
	return served
}

// as gives the credential header of a user who has a role in project 1, "" for none.
func (f *fixture) as(t *testing.T, role service.Role) string {
	t.Helper()
	ctx, admin, name := t.Context(), service.LocalAdmin(), fmt.Sprintf("user %s of %s", role, t.Name())
	name = name[:min(len(name), 100)]
	if err := f.svc.CreateUser(ctx, admin, service.NewUser{Name: name}); stdops.ErrorCode(err) != stdops.CodeRefused { // it exists already
		must(t, err)
	}
	if role != "" {
		must(t, f.svc.Grant(ctx, admin, name, service.Roles{1: role}))
	}
	token, _, err := f.svc.CreateToken(ctx, admin, service.NewToken{User: name, Name: "test"})
	must(t, err)
	text, err := stdops.NewObject("bk_app_code", "demo", "bk_app_secret", f.symbols["demo-secret"], "bk_token", token).MarshalJSON()
	must(t, err)
	return string(text)
}
