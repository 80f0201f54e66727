package v1

import "github.com/stdops/stdops"

// Words for what somebody asked for that is no command of [client.Command].
const (
	constantsSet = "set-constants"
	inputsSet    = "set-inputs"
)

type passage struct{ from, to stdops.State }

// Which command makes which change: each makes one of its own, so that the log tells them apart.
var (
	ofTask = map[passage]string{
		{stdops.StateCreated, stdops.StateRunning}: "start", {stdops.StateRunning, stdops.StateSuspended}: "pause",
		{stdops.StateSuspended, stdops.StateRunning}: "resume", {stdops.StateRunning, stdops.StateRevoked}: "revoke",
		{stdops.StateSuspended, stdops.StateRevoked}: "revoke",
	}
	ofNode = map[passage]string{
		{stdops.StateNone, stdops.StateSuspended}: "pause-node", {stdops.StateReady, stdops.StateSuspended}: "pause-node",
		{stdops.StateSuspended, stdops.StateReady}: "resume-node", {stdops.StateRunning, stdops.StateSuspended}: "pause-subprocess",
		{stdops.StateSuspended, stdops.StateRunning}: "resume-subprocess", {stdops.StateFailed, stdops.StateReady}: "retry",
		{stdops.StateFailed, stdops.StateFinished}: "skip", {stdops.StateRunning, stdops.StateFailed}: "force-fail",
		{stdops.StateFailed, stdops.StateFailed}: inputsSet, {stdops.StateRunning, stdops.StateRunning}: "callback",
	}
)

// commandOf gives the word for what somebody asked for, "" for what the server did by itself. The kind of the node is that of
// the root where it is not known.
func commandOf(tr *stdops.Transition, kind stdops.NodeKind) string {
	step := passage{tr.From, tr.To}
	switch {
	case tr.Actor == "":
		return ""
	case tr.Node == stdops.RootNode && !tr.Moved():
		return constantsSet
	case tr.Node == stdops.RootNode:
		return ofTask[step]
	}
	word := ofNode[step]
	switch {
	case word == "retry" && kind == stdops.KindSubprocess:
		return "retry-subprocess"
	case word == "skip" && (kind == stdops.KindExclusive || kind == stdops.KindConditionalParallel):
		return "skip-branch"
	}
	return word
}
