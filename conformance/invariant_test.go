package conformance

import (
	"os"
	"strings"
	"testing"

	"github.com/stdops/stdops"
)

// goodEntry gives an entry that breaks no rule, and its task.
func goodEntry(t *testing.T) (*stdops.Object, *task) {
	t.Helper()
	raw, err := os.ReadFile("testdata/entry.json")
	if err != nil {
		t.Fatal(err)
	}
	both := value(t, string(raw)).(*stdops.Object)
	return child(both, "entry"), newTask(7, "two nodes", child(both, "tree"))
}

func TestCheckEntry(t *testing.T) {
	t.Parallel()
	entry, of := goodEntry(t)
	if err := checkEntry(entry, of); err != nil {
		t.Fatalf("a good entry: %v", err)
	}
	const node = "status/children/n1"
	for _, c := range []struct{ name, path, value, field string }{
		{"key of the entry gone", "flow_type", ``, "entry.flow_type"},
		{"id as text", "id", `"7"`, "entry.id"},
		{"null time", "finish_time", `null`, "entry.finish_time"},
		{"create_time empty", "create_time", `""`, "entry.create_time"},
		{"time in another form", "start_time", `"2026-01-01T00:00:00Z"`, "entry.start_time"},
		{"another root name", "status/name", `"x"`, "task name and root name"},
		{"children only below", "children", ``, "entry.children"},
		{"children differ", "children/n1/state", `"FAILED"`, "entry.children"},
		{"skip as number", "status/skip", `0`, "root.skip"},
		{"version null", "status/version", `null`, "root.version"},
		{"parent of the root", "status/parent_id", `"x"`, "root.parent_id"},
		{"key with a colon", "status/root_id:", `"n0"`, "root.root_id:"},
		{"unknown state", "status/state", `"BLOCKED"`, "root.state"},
		{"time of the status", "status/start_time", `"soon"`, "root.start_time"},
		{"running with an end", "status/state", `"RUNNING"`, "root.finish_time"},
		{"finished without an end", "status/finish_time", `""`, "root.finish_time"},
		{"negative duration", "status/elapsed_time", `-1`, "root.elapsed_time"},
		{"ends before it starts", "status/finish_time", `"2025-01-01 00:00:00 +0800"`, "root.elapsed_time"},
		{"unknown child", "status/children/n9", `{"id":"n9"}`, "root.children"},
		{"child with another id", node + "/id", `"n9"`, "root.children"},
		{"name of a child", node + "/name", `""`, "root.children name"},
		{"key of a child gone", node + "/loop", ``, "root/A.loop"},
		{"failed activity without an end", node, `{"id":"n1","name":"A","state":"FAILED","retry":0,"loop":1,"skip":false,
			"error_ignorable":false,"version":"v","elapsed_time":1,"start_time":"","finish_time":"","error_ignored":false,
			"parent_id":"n0"}`, "root/A.finish_time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			entry, of := goodEntry(t)
			change := func(any) (any, bool) { return nil, false }
			if c.value != "" {
				change = func(any) (any, bool) { return value(t, c.value), true }
			}
			if _, err := changeAt(entry, strings.Split(c.path, "/"), change); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(c.path, "status/children") {
				entry.Set("children", clone(child(child(entry, "status"), "children")))
			}
			m, ok := asMismatch(checkEntry(entry, of))
			if !ok {
				t.Fatal("breaks no rule")
			}
			if m.field != c.field {
				t.Errorf("reported %v, want the field %s", m, c.field)
			}
		})
	}
}

// A failed task has not ended, so it has no finish time, also where its nodes were not read; a failed activity has one.
func TestCheckTimesOfFailed(t *testing.T) {
	t.Parallel()
	for where, finished := range map[string]string{"root": "", "root/A": "2026-01-01 00:00:03 +0800"} {
		status := stdops.NewObject("state", "FAILED", "start_time", "2026-01-01 00:00:01 +0800", "finish_time", finished,
			"elapsed_time", int64(2))
		if err := checkTimes(status, where); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}
}

func TestCheckEnvelope(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		`{"result":true,"code":0,"message":"","trace_id":"t","data":{}}`,
		`{"result":false,"code":1,"message":"m","trace_id":"t","data":null}`,
	} {
		if err := checkEnvelope(value(t, good), "x"); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, field := range map[string]string{
		`[]`: "x answer.result",
		`{"result":1,"code":0,"message":"","trace_id":"t","data":{}}`:            "x answer.result",
		`{"result":true,"code":"0","message":"","trace_id":"t","data":{}}`:       "x answer.code",
		`{"result":false,"code":1,"message":{"a":[]},"trace_id":"","data":null}`: "x answer.message",
		`{"result":true,"code":0,"message":"","data":{}}`:                        "x answer.trace_id",
		`{"result":true,"code":0,"message":"","trace_id":"t"}`:                   "x answer.data",
		`{"result":false,"code":1,"message":"","trace_id":"t","data":{}}`:        "x answer.data",
	} {
		m, ok := asMismatch(checkEnvelope(value(t, bad), "x"))
		if !ok || m.field != field {
			t.Errorf("%s: got %v, want the field %s", bad, m, field)
		}
	}
}
