package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// TestReasonOfACommand is kept with what the command itself changes; what the engine does then has none, and neither have
// later commands that give none.
func TestReasonOfACommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.AutoRetry = flow.AutoRetry{Times: 2, Interval: time.Second} })
	}), nil, stub("work"))
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
	w.answerCall(0, plugin.Done, true)
	w.now = w.now.Add(time.Second) // its automatic retry is due, in the step of the command
	if err := w.step(Command{Kind: Pause, Actor: "dan", Reason: "lunch"}); err != nil {
		t.Fatal(err)
	}
	for _, tr := range w.record.log {
		if tr.Actor == "system" {
			said["system"] = "said " + tr.Reason
		}
		if tr.Actor == "dan" {
			said["dan"] = tr.Reason
		}
	}
	if said["system"] != "said " || said["dan"] != "lunch" {
		t.Errorf("in one step: %q and %q", said["system"], said["dan"])
	}
	if w.st.root.State != stdops.StateSuspended {
		t.Errorf("the task is %s", w.st.root.State)
	}
}

// TestCommandsThatChangeNoStateAreLogged, with who gave them; what changes nothing at all is not.
func TestCommandsThatChangeNoStateAreLogged(t *testing.T) {
	t.Parallel()
	g := withConstants()
	w := newWorld(t, g, stdops.NewObject("v", "1", "w", "", "q", "", "p", "", "hidden", "h", "out", ""), stubs()...)
	mustDo(t, w, set("v", "2"))
	mustDo(t, w, set("v", "2"))
	if problems := Audit(w.record.whole(), g, w.now); len(problems) > 0 {
		t.Errorf("before the start: %q", problems)
	}
	mustDo(t, w, Command{Kind: Start, Actor: "ann"})
	node := w.calls[0].node
	mustDo(t, w, Command{Kind: CallBack, Actor: "job", Node: node, Data: "done"})
	w.answerCall(0, plugin.Done, true)
	mustDo(t, w, Command{Kind: Retry, Actor: "bob", Node: node, Inputs: stdops.NewObject("x", "3")})
	var got []string
	for _, tr := range w.record.log {
		if tr.Actor != "" {
			got = append(got, fmt.Sprintf("%d %s %s %s", tr.Node, tr.From, tr.To, tr.Actor))
		}
	}
	want := []string{
		"0 CREATED CREATED ann", "0 CREATED RUNNING ann", fmt.Sprintf("%d RUNNING RUNNING job", node),
		fmt.Sprintf("%d FAILED FAILED bob", node), fmt.Sprintf("%d FAILED READY bob", node),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commands in the log (-want +got):\n%s", diff)
	}
	if problems := Audit(w.record.whole(), g, w.now); len(problems) > 0 {
		t.Errorf("in the end: %q", problems)
	}
}
