package engine_test

import (
	"testing"

	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/store"
)

// Whoever sees that a node has ended finds its log whole; attempts have logs of their own, whatever becomes of versions.
func TestEngineKeepsLogsOfAttempts(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Repeat)
	p.says = "it works\xff\n"
	r := newRig(t, engine.Line(1), p)
	ref := r.create()
	r.do(ref, engine.Command{Kind: engine.Start})
	<-p.began
	node := r.load(ref).Nodes[len(r.load(ref).Nodes)-1].Node
	r.do(ref, engine.Command{Kind: engine.ForceFail, Node: node, Actor: "ann"})
	r.do(ref, engine.Command{Kind: engine.Retry, Node: node, Actor: "ann"})
	<-p.began
	close(p.leave)
	r.await(ref, finished)
	for attempt := 1; attempt <= 2; attempt++ {
		l, err := r.store.NodeLog(t.Context(), ref, node, store.LogPage{Attempt: attempt, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(l.Text); got != "it works\uFFFD\n" || len(l.Attempts) != 2 {
			t.Errorf("log of attempt %d of %d: %q", attempt, len(l.Attempts), got)
		}
	}
}
