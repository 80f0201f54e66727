package sops_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
)

// TestLargeBodiesLeave: whatever becomes of a large body, the next one has all the room there is.
func TestLargeBodiesLeave(t *testing.T) {
	t.Parallel()
	s := setup(t)
	pad := strings.Repeat("x", 100<<10)
	tree := chain("A")
	tree.Set("pad", pad)
	for name, c := range map[string]struct {
		path, header string
		body         any
		status       int
	}{
		"served":          {"/fast_create_task/2/", auth("trusted", "admin"), stdops.NewObject("name", "a", "pipeline_tree", tree), 200},
		"refused":         {"/fast_create_task/2/", auth("trusted", "admin"), stdops.NewObject("name", pad), 200},
		"no JSON":         {"/fast_create_task/2/", auth("trusted", "admin"), `{"name":"` + pad, 200},
		"of nobody":       {"/fast_create_task/2/", "{}", stdops.NewObject("name", pad), 401},
		"not offered":     {"/import_project_template/2/", auth("trusted", "admin"), stdops.NewObject("name", pad), 200},
		"known in body":   {"/get_tasks_status/2/", "{}", stdops.NewObject("bk_app_code", "trusted", "bk_app_secret", "trusted-secret", "bk_username", "admin", "pad", pad), 200},
		"many values":     {"/get_tasks_status/2/", auth("trusted", "admin"), `{"task_id_list":[1` + strings.Repeat(",1", 200_000) + `]}`, 200},
		"secret is false": {"/get_tasks_status/2/", strings.Replace(auth("trusted", "admin"), "-secret", "-guess", 1), `{"pad":"` + pad + `"}`, 401},
	} {
		a := s.send("POST", c.path, c.body, http.Header{"X-Bkapi-Authorization": {c.header}})
		if a.status != c.status {
			t.Errorf("%s: status %d: %.300s", name, a.status, a.raw)
		}
		for _, known := range []bool{true, false} {
			leave, err := s.bodies.Enter(t.Context(), api.KnownBytes, known)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			leave()
		}
	}
}

// TestLargeBodiesWait: who is known by the header does not wait for strangers, nor they for the known.
func TestLargeBodiesWait(t *testing.T) {
	t.Parallel()
	s := setup(t)
	pad := strings.Repeat("x", 100<<10)
	inHeader := func() answer {
		return s.call("POST", "/get_tasks_status/2/", stdops.NewObject("pad", pad))
	}
	inBody := func() answer {
		return s.send("POST", "/get_tasks_status/2/", stdops.NewObject("bk_app_code", "trusted", "bk_app_secret", "trusted-secret",
			"bk_username", "admin", "pad", pad), nil)
	}
	for _, c := range []struct {
		known bool
		first func() answer // goes on while all room is taken
	}{{true, inBody}, {false, inHeader}} {
		leave, err := s.bodies.Enter(t.Context(), api.KnownBytes, c.known)
		must(t, err)
		if a := c.first(); !a.ok() {
			t.Errorf("while the room of the known (%v) is taken: %s", c.known, a.raw)
		}
		leave()
	}
}
