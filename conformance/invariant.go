package conformance

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/stdops/stdops"
)

// keyRule says which JSON type the value of a key must have.
type keyRule struct{ key, kind string }

var envelopeKeys = []keyRule{{"result", "bool"}, {"code", "int"}, {"message", "str"}, {"trace_id", "str"}}

var entryKeys = []keyRule{
	{"id", "int"},
	{"name", "str"},
	{"status", "dict"},
	{"flow_type", "str"},
	{"current_flow", "str"},
	{"is_deleted", "bool"},
	{"create_time", "str"},
	{"start_time", "str"},
	{"finish_time", "str"},
	{"url", "str"},
}

var statusKeys = []keyRule{
	{"id", "str"},
	{"state", "str"},
	{"name", "str"},
	{"retry", "int"},
	{"loop", "int"},
	{"skip", "bool"},
	{"error_ignorable", "bool"},
	{"version", "str"},
	{"elapsed_time", "int"},
	{"start_time", "str"},
	{"finish_time", "str"},
	{"error_ignored", "bool"},
	{"parent_id", "str"},
}

var states = anys([]string{
	"CREATED", "READY", "RUNNING", "SUSPENDED", "NODE_SUSPENDED", "FINISHED", "FAILED", "REVOKED", "EXPIRED",
})

var timeText = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}$`)

// checkEnvelope holds for every answer, refusals included: five keys, data null in a refusal.
func checkEnvelope(body any, what string) error {
	answer, _ := body.(*stdops.Object)
	for _, rule := range envelopeKeys {
		if v, ok := answer.Get(rule.key); !ok || kind(v) != rule.kind {
			return &mismatch{fmt.Sprintf("%s answer.%s", what, rule.key), "<" + rule.kind + ">", body}
		}
	}
	result, _ := answer.Get("result")
	if data, ok := answer.Get("data"); !ok || result == false && data != nil {
		return &mismatch{what + " answer.data", "<present, null when result is false>", body}
	}
	return nil
}

func checkKeys(place *stdops.Object, rules []keyRule, where string) error {
	for _, rule := range rules {
		if v := get(place, rule.key, "<missing>"); kind(v) != rule.kind || v == "<missing>" {
			return &mismatch{where + "." + rule.key, "<" + rule.kind + ">", v}
		}
	}
	return nil
}

// checkEntry holds for every entry of get_tasks_status that was asked for with children.
func checkEntry(entry *stdops.Object, of *task) error {
	if err := checkKeys(entry, entryKeys, "entry"); err != nil {
		return err
	}
	for _, key := range []string{"create_time", "start_time", "finish_time"} {
		if text := entry.Text(key); !timeText.MatchString(text) && (text != "" || key == "create_time") {
			return &mismatch{"entry." + key, "<time text>", text}
		}
	}
	status := child(entry, "status")
	if entry.Text("name") != of.name || status.Text("name") != of.name {
		return &mismatch{"task name and root name", of.name, []any{entry.Text("name"), get(status, "name", nil)}}
	}
	below, ok := status.Get("children")
	beside, both := entry.Get("children")
	if !ok || !both || !equal(below, beside) {
		return &mismatch{"entry.children", "<same as status.children>", get(entry, "children", "<missing>")}
	}
	return statusRules{names: of.names()}.check(status, "root")
}

// statusRules hold for every status object at every depth; names gives the nodes of the task by id.
type statusRules struct {
	names map[string]*stdops.Object
}

func (r statusRules) check(status *stdops.Object, where string) error {
	if err := checkKeys(status, statusKeys, where); err != nil {
		return err
	}
	if where == "root" && status.Text("parent_id") != status.Text("id") {
		return &mismatch{where + ".parent_id", status.Text("id"), status.Text("parent_id")}
	}
	if v, ok := status.Get("root_id:"); ok {
		return &mismatch{where + ".root_id:", "<absent>", v}
	}
	if !contains(states, status.Text("state")) {
		return &mismatch{where + ".state", states, status.Text("state")}
	}
	if err := checkTimes(status, where); err != nil {
		return err
	}
	return r.children(status, where)
}

func checkTimes(status *stdops.Object, where string) error {
	state, started, finished := status.Text("state"), status.Text("start_time"), status.Text("finish_time")
	for _, key := range []string{"start_time", "finish_time"} {
		if text := status.Text(key); text != "" && !timeText.MatchString(text) {
			return &mismatch{where + "." + key, "<time text or empty>", text}
		}
	}
	// A failed pipeline may go on (retry), a failed activity ended; a failed gateway or pipeline may have either.
	ended := state == "FINISHED" || state == "REVOKED" ||
		state == "FAILED" && where != "root" && child(status, "children").Len() == 0
	if ended != (finished != "") && !(state == "FAILED" && finished != "") {
		word := "empty"
		if ended {
			word = "set"
		}
		return &mismatch{where + ".finish_time", fmt.Sprintf("<%s in state %s>", word, state), finished}
	}
	elapsed, _ := status.Get("elapsed_time")
	if greater(int64(0), elapsed) || finished != "" && finished < started {
		return &mismatch{where + ".elapsed_time", "<not negative>", stdops.NewObject(
			"elapsed_time", elapsed, "start_time", started, "finish_time", finished)}
	}
	return nil
}

func (r statusRules) children(status *stdops.Object, where string) error {
	children := child(status, "children")
	for _, id := range children.Keys() {
		below := child(children, id)
		node, known := r.names[id]
		if !known || below.Text("id") != id {
			return &mismatch{where + ".children", "<ids of nodes of the tree>", []any{id, get(below, "id", nil)}}
		}
		if name := get(node, "name", nil); !equal(get(below, "name", nil), name) {
			return &mismatch{where + ".children name", name, get(below, "name", nil)}
		}
		if err := r.check(below, where+"/"+node.Text("name")); err != nil {
			return err
		}
	}
	return nil
}

// sortedKeys gives the keys of a map in order, for reports.
func sortedKeys[V any](m map[string]V) []any {
	return anys(slices.Sorted(maps.Keys(m)))
}
