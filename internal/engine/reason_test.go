package engine

import (
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// TestReasonOfACommand is kept with what the command itself changes; what the engine does then has none, and neither have
// later commands that give none.
func TestReasonOfACommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(1), nil, stub("work"))
	for _, cmd := range []Command{
		{Kind: Start, Actor: "ann", Reason: "release 7"},
		{Kind: Pause, Actor: "bob"},
		{Kind: Resume, Actor: "bob", Reason: "go on"},
	} {
		if err := w.step(cmd); err != nil {
			t.Fatal(err)
		}
	}
	node := w.calls[0].node
	w.answerCall(0, plugin.Done, true)
	if err := w.step(Command{Kind: Retry, Actor: "cid", Node: node, Reason: "the host is back"}); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, tr := range w.record.log {
		if tr.Actor == "" && tr.Reason != "" {
			t.Errorf("the engine gives a reason: %+v", tr)
		}
		if tr.Actor != "" {
			said[tr.Actor+" "+tr.From.String()+" "+tr.To.String()] = tr.Reason
		}
	}
	for what, want := range map[string]string{
		"ann CREATED RUNNING": "release 7", "bob RUNNING SUSPENDED": "", "bob SUSPENDED RUNNING": "go on", "cid FAILED READY": "the host is back",
	} {
		if got, has := said[what]; !has || got != want {
			t.Errorf("%s: %q (there: %t), want %q", what, got, has, want)
		}
	}
	if w.st.root.State != stdops.StateRunning {
		t.Errorf("the task is %s", w.st.root.State)
	}
}
