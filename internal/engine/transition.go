package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/stdops/stdops"
)

// legal holds the transitions of docs/spec/engine.md 3.1 that exist here; StateNone is a node that was never reached.
var legal = [...][]stdops.State{
	stdops.StateNone:      {stdops.StateRunning, stdops.StateSuspended},
	stdops.StateCreated:   {stdops.StateRunning},
	stdops.StateReady:     {stdops.StateRunning, stdops.StateSuspended},
	stdops.StateRunning:   {stdops.StateFinished, stdops.StateFailed, stdops.StateSuspended, stdops.StateRevoked},
	stdops.StateSuspended: {stdops.StateReady, stdops.StateRunning, stdops.StateRevoked},
	stdops.StateFinished:  {stdops.StateRunning, stdops.StateFailed},
	stdops.StateFailed:    {stdops.StateReady, stdops.StateFinished, stdops.StateRunning}, // the last: its child goes on
	stdops.StateRevoked:   {},
}

// mayBecome reports whether a transition is legal.
func mayBecome(from, to stdops.State) bool {
	return int(from) < len(legal) && slices.Contains(legal[from], to)
}

// illegal refuses a transition with the text that callers of bk-sops know.
func illegal(id string, from, to stdops.State) error {
	return refusal("can't not transit node(%s) state from %s to %s", id, from, to)
}

// refusal is a command that the engine refuses.
func refusal(format string, args ...any) error {
	return &stdops.Error{Code: stdops.CodeEngine, Message: fmt.Sprintf(format, args...)}
}

// enterRunning begins an attempt. A node that is entered again after it finished counts its loops and gets a new
// version; one that is READY has got its version from the retry that made it so.
func enterRunning(n *stdops.NodeState, fresh stdops.Version, token stdops.Token, now time.Time) {
	if n.State == stdops.StateFinished {
		n.Loop++
		n.InnerLoop++
		n.Retry, n.Skip, n.ErrorIgnored = 0, false, false
		n.Version = fresh
	}
	if n.Version == "" {
		n.Version = fresh
	}
	n.Loop, n.InnerLoop = max(n.Loop, 1), max(n.InnerLoop, 1)
	n.State, n.Phase, n.Call = stdops.StateRunning, stdops.PhaseNone, 0
	n.Token, n.Started, n.Finished = token, now, time.Time{}
	n.Due, n.Deadline, n.Called = time.Time{}, time.Time{}, time.Time{}
}

// enterFinished ends an attempt well; ignored says that it failed and its failure was ignored.
func enterFinished(n *stdops.NodeState, ignored bool, now time.Time) {
	n.State, n.ErrorIgnored = stdops.StateFinished, ignored
	rest(n, now)
}

// enterFailed ends an attempt; retryAt is the moment of its automatic retry, zero when there is none.
func enterFailed(n *stdops.NodeState, retryAt, now time.Time) {
	n.State = stdops.StateFailed
	rest(n, now)
	n.Due = retryAt
}

// enterSkipped passes over a failed attempt.
func enterSkipped(n *stdops.NodeState, fresh stdops.Version, now time.Time) {
	n.State, n.Skip, n.Version = stdops.StateFinished, true, fresh
	rest(n, now)
}

// enterReady makes a failed node ready to run again.
func enterReady(n *stdops.NodeState, fresh stdops.Version, automatic bool) {
	n.State, n.Version = stdops.StateReady, fresh
	n.Retry++
	if automatic {
		n.AutoRetries++
	}
	rest(n, time.Time{})
	n.Started, n.Called = time.Time{}, time.Time{}
}

func rest(n *stdops.NodeState, finished time.Time) {
	if !finished.IsZero() {
		finished = latest(n.Started, finished)
	}
	n.Phase, n.Call = stdops.PhaseNone, 0
	n.Finished, n.Due, n.Deadline = finished, time.Time{}, time.Time{}
}

// latest gives the later of two times: a clock that was set back lets nothing end before it began.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
