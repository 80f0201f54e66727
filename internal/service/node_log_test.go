package service

import (
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

func TestLogIsComplete(t *testing.T) {
	t.Parallel()
	const (
		running = stdops.StateRunning
		ended   = stdops.StateRevoked
	)
	in := func(s stdops.State, p stdops.Phase) *stdops.NodeState {
		return &stdops.NodeState{Order: 1, State: s, Phase: p}
	}
	for _, c := range []struct {
		name              string
		root              stdops.State
		state             *stdops.NodeState
		attempt, attempts int
		want              bool
		out               stdops.Version
	}{
		{"not reached", running, nil, 0, 0, false, ""},
		{"never to be reached", ended, nil, 0, 0, true, ""},
		{"appointed to pause only", running, &stdops.NodeState{State: stdops.StateSuspended}, 0, 0, false, ""},
		{"executing", running, in(stdops.StateRunning, stdops.PhaseExecuting), 1, 1, false, ""},
		{"executing still after a revoke", ended, in(stdops.StateRunning, stdops.PhaseExecuting), 1, 1, false, ""},
		{"waiting", running, in(stdops.StateRunning, stdops.PhaseWaiting), 1, 1, false, ""},
		{"waiting for ever", ended, in(stdops.StateRunning, stdops.PhaseWaiting), 1, 1, true, ""},
		{"finished", running, in(stdops.StateFinished, stdops.PhaseNone), 1, 1, true, ""},
		{"failed", running, in(stdops.StateFailed, stdops.PhaseNone), 2, 2, true, ""},
		{"about to run again", running, in(stdops.StateReady, stdops.PhaseNone), 2, 2, false, ""},
		{"failed by force, and about to end", running, in(stdops.StateFailed, stdops.PhaseNone), 2, 2, false, "v2"},
		{"an attempt of the past about to end", running, in(stdops.StateRunning, stdops.PhaseExecuting), 1, 2, false, "v1"},
		{"an attempt of the past, while the next is out", running, in(stdops.StateRunning, stdops.PhaseExecuting), 1, 2, true, "v2"},
		{"an attempt of the past", running, in(stdops.StateRunning, stdops.PhaseExecuting), 1, 2, true, ""},
	} {
		l := &store.NodeLog{
			Root: stdops.RootState{State: c.root}, State: c.state, Attempt: c.attempt, Attempts: []store.LoggedAttempt{
				{Versions: []stdops.Version{"v1"}}, {Retry: 1, Versions: []stdops.Version{"v2", "forced"}},
			}[:c.attempts],
		}
		if got := complete(l, []stdops.Version{c.out}); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}
