package v1

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
)

func (b *bundle) constants(t *testing.T, id int64) map[string]client.TaskConstant {
	t.Helper()
	list := as[client.TaskConstants](t, b, 200, "GET", fmt.Sprintf("%s/%d/constants", tasksPath, id), "")
	by := map[string]client.TaskConstant{}
	for _, c := range list.Constants {
		by[c.Key] = c
	}
	return by
}

// withMoreConstants is a closed tree with a secret, a constant that names it and is fixed at the start, and a hidden one.
func withMoreConstants() json.RawMessage {
	return json.RawMessage(strings.Replace(string(closedTree("ExclusiveGateway")), `"constants":{`, `"constants":{
		"${pw}":{"key":"${pw}","name":"pw","value":"s3cret-pw","show_type":"show","source_type":"custom","custom_type":"password"},
		"${both}":{"key":"${both}","name":"both","value":"${who}/${pw}","show_type":"show","source_type":"custom","pre_render_mako":true},
		"${inner}":{"key":"${inner}","name":"inner","value":"x","show_type":"hide","source_type":"custom"},`, 1))
}

// TestConstantsOfATask are as they were given, with what they were set to since; secrets are hidden, and each says whether it
// can be changed.
func TestConstantsOfATask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "closed", Tree: withMoreConstants(), Constants: map[string]json.RawMessage{"${who}": json.RawMessage(`"bob"`)}})
	shown := func() map[string]string {
		got := map[string]string{}
		for key, c := range b.constants(t, task.ID) {
			got[key] = fmt.Sprintf("%s %s %t", c.Value, c.Current, c.Changeable)
		}
		return got
	}
	fresh := map[string]string{
		"${who}": `"bob"  true`, "${pw}": `"******"  true`, "${both}": `"${who}/${pw}"  true`, "${inner}": `"x"  false`,
	}
	if diff := cmp.Diff(fresh, shown()); diff != "" {
		t.Errorf("before the start (-want +got):\n%s", diff)
	}
	b.changeableAsSaid(t, task.ID)
	b.do(t, task.ID, 200, client.Command{Command: "start"})
	b.await(t, task.ID, client.Failed)
	failed := map[string]string{
		"${who}": `"new"  true`, "${pw}": `"******" "******" true`, "${both}": `"${who}/${pw}" "new/******" false`, "${inner}": `"x"  false`,
	}
	if diff := cmp.Diff(failed, shown()); diff != "" {
		t.Errorf("after a failure (-want +got):\n%s", diff)
	}
	b.changeableAsSaid(t, task.ID)
	b.do(t, task.ID, 200, client.Command{Command: "revoke"})
	b.changeableAsSaid(t, task.ID)
}

// changeableAsSaid tries to change each constant.
func (b *bundle) changeableAsSaid(t *testing.T, id int64) {
	t.Helper()
	for key, c := range b.constants(t, id) {
		value := `"new"`
		switch key {
		case "${who}":
		case "${pw}":
			value = `"s3cret-pw"`
		default:
			value = string(c.Value)
		}
		if got := b.change(t, id, fmt.Sprintf(`{%q:%s}`, key, value)); (got.status == 200) != c.Changeable {
			t.Errorf("%s is changeable: %t, but a change is answered with %d %s", key, c.Changeable, got.status, got.text)
		}
	}
}

// TestConstantsThatOutputsFeed have what a node gave out once it did.
func TestConstantsThatOutputsFeed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task, node, _ := b.waitsWithLog(t)
	if c := b.constants(t, task.ID)["${answer}"]; !c.Output || c.Current != nil || c.Changeable {
		t.Errorf("before the output: %+v", c)
	}
	b.do(t, task.ID, 200, client.Command{Command: "callback", Node: node.ID, Data: json.RawMessage(`{"approved":true}`)})
	b.await(t, task.ID, client.Finished)
	if c := b.constants(t, task.ID)["${answer}"]; !strings.Contains(string(c.Current), `"approved":true`) {
		t.Errorf("after the output: %s", c.Current)
	}
	viewer := b.member(t, "viewer")
	got := send(t, b.http, request{method: "GET", path: fmt.Sprintf("%s/%d/constants", tasksPath, task.ID), token: viewer})
	if got.status != 200 || strings.Contains(got.text, `"changeable":true`) {
		t.Errorf("a viewer is told %d %s", got.status, got.text)
	}
}
