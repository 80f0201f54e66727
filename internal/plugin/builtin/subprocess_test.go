package builtin_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/builtin"
)

// subprocessCall is a call of a node whose flow has these constants.
func subprocessCall(t *testing.T, constants string) *plugin.Call {
	t.Helper()
	flow := &stdops.Object{}
	if err := flow.UnmarshalJSON([]byte(`{"pipeline":{"constants":` + constants + `}}`)); err != nil {
		t.Fatal(err)
	}
	return &plugin.Call{
		Project: 3, Attempt: stdops.AttemptRef{Task: 7, Node: 2, Version: "v1"}, Inputs: stdops.NewObject("subprocess", flow), Outputs: &stdops.Object{},
		System: stdops.NewObject("executor", "ann", "task_name", "outer"), Variables: stdops.NewObject("host", "db1", "list", []any{"a", "b"}),
	}
}

func TestSubprocessMakesATaskOfItsAttempt(t *testing.T) {
	t.Parallel()
	var got plugin.NewChild
	p := builtin.Subprocess(func(_ context.Context, n plugin.NewChild) (plugin.Child, error) {
		got = n
		return plugin.Child{ID: 9, Name: "deploy_20260504120000", URL: "http://x/9"}, nil
	})
	// A call that was out may be made again, since an attempt has one child.
	if spec := p.Spec(); spec.Execute != plugin.Repeat || !spec.Child || !spec.Variables {
		t.Errorf("%+v", spec)
	}
	call := subprocessCall(t, `{
		"${a}": {"value": "on ${host}", "show_type": "show"}, "${b}": {"value": "${list}", "show_type": "show", "need_render": true},
		"${c}": {"value": "${host}", "show_type": "hide"}, "${d}": {"value": "${host}", "show_type": "show", "need_render": false},
		"${e}": {"value": "${unknown}", "show_type": "show"}, "${f}": {"value": "${_system.task_name}", "show_type": "show"},
		"${g}": {"value": 5, "show_type": "show"}}`)
	out, err := p.Execute(t.Context(), call)
	if err != nil || out.Next != plugin.Callback {
		t.Fatalf("%+v, %v", out, err)
	}
	if diff := cmp.Diff(`{"task_id":9,"task_url":"http://x/9","task_name":"deploy_20260504120000"}`, text(t, call.Outputs)); diff != "" {
		t.Errorf("outputs (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(`{"${a}":"on db1","${b}":["a","b"],"${e}":"${unknown}","${f}":"outer"}`, text(t, got.Constants)); diff != "" {
		t.Errorf("constants (-want +got)\n%s", diff)
	}
	if got.Project != 3 || got.Of != call.Attempt || got.Executor != "ann" {
		t.Errorf("made as %+v", got)
	}
}

func text(t *testing.T, o *stdops.Object) string {
	t.Helper()
	b, err := o.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSubprocessFailsWithWhatKeepsItsTask(t *testing.T) {
	t.Parallel()
	p := builtin.Subprocess(func(context.Context, plugin.NewChild) (plugin.Child, error) {
		return plugin.Child{}, errors.New("no room")
	})
	if _, err := p.Execute(t.Context(), subprocessCall(t, `{}`)); err == nil || err.Error() != "start the task of the subprocess: no room" {
		t.Errorf("got %v", err)
	}
	heavy := subprocessCall(t, `{"${a}": {"value": "${host * 9 ** 9}", "show_type": "show"}}`)
	if _, err := p.Execute(t.Context(), heavy); err == nil || !strings.HasPrefix(err.Error(), "constant ${a} of the subprocess: ") {
		t.Errorf("got %v", err)
	}
	if _, err := p.Execute(t.Context(), &plugin.Call{Inputs: &stdops.Object{}}); err == nil {
		t.Error("a node without a flow made a task")
	}
}
