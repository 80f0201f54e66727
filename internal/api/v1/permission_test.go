package v1

import (
	"fmt"
	"testing"

	"github.com/stdops/stdops/client"
)

// TestWhoMayAskAboutRuns: each route about how a task goes on needs its permission in the project, and never tells of the
// tasks of another one.
func TestWhoMayAskAboutRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as[client.Project](t, b, 201, "POST", "/api/v1/projects", `{"name":"theirs"}`)
	task := b.create(t, client.NewTask{Name: "one", Tree: example(t, "release-with-approval")})
	viewer, operator := b.member(t, "viewer"), b.member(t, "operator")
	as[client.User](t, b, 201, "POST", "/api/v1/users", `{"name":"stranger","roles":[{"project":2,"role":"admin"}]}`)
	stranger := as[client.Token](t, b, 201, "POST", "/api/v1/tokens", `{"user":"stranger"}`).Secret
	pause := fmt.Sprintf(`{"command":"pause","targets":[{"task":%d}]}`, task.ID)
	one := fmt.Sprintf("/tasks/%d", task.ID)
	for _, c := range []struct {
		method, path, body                  string
		nobody, viewer, operator, elsewhere int // the status for a stranger in project 1, a viewer, an operator, and by project 2
	}{
		{"GET", one + "?run=true", "", 403, 200, 200, 404},
		{"GET", one + "/graph", "", 403, 200, 200, 404},
		{"GET", one + "/durations", "", 403, 200, 200, 404},
		{"GET", one + "/states", "", 403, 200, 200, 404},
		{"GET", one + "/events", "", 403, 200, 200, 404},
		{"GET", one + "/constants", "", 403, 200, 200, 404},
		{"GET", "/tasks?run=true", "", 403, 200, 200, 200},
		{"POST", "/tasks:status", fmt.Sprintf(`{"ids":[%d],"run":true}`, task.ID), 403, 200, 200, 200},
		{"POST", "/tasks:command", pause, 403, 403, 200, 200}, // the verdict says more
	} {
		for _, by := range []struct {
			who, token string
			project    int
			status     int
		}{{"nobody", "", 1, 401}, {"a stranger", stranger, 1, c.nobody}, {"a viewer", viewer, 1, c.viewer}, {"an operator", operator, 1, c.operator}, {"a stranger at home", stranger, 2, c.elsewhere}} {
			got := send(t, b.http, request{method: c.method, path: fmt.Sprintf("/api/v1/projects/%d%s", by.project, c.path), body: c.body, token: by.token})
			if got.status != by.status {
				t.Errorf("%s %s by %s: status %d, want %d: %s", c.method, c.path, by.who, got.status, by.status, got.text)
			}
		}
	}
	foreign := client.BulkResult{}
	decodeInto(t, send(t, b.http, request{method: "POST", path: "/api/v1/projects/2/tasks:command", body: pause, token: stranger}), &foreign)
	if v := foreign.Results[0]; v.OK || v.Code != client.CodeNotFound {
		t.Errorf("a command to a task of another project: %+v", v)
	}
}
