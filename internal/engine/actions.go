package engine

import (
	"slices"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// TaskActions gives the commands for a task as a whole that would be carried out; new values of constants aside, which have
// conditions of their own.
func TaskActions(root stdops.State) []Kind {
	var list []Kind
	if root == stdops.StateCreated {
		return append(list, Start)
	}
	for kind, to := range map[Kind]stdops.State{Pause: stdops.StateSuspended, Revoke: stdops.StateRevoked} {
		if mayBecome(root, to) {
			list = append(list, kind)
		}
	}
	if root == stdops.StateSuspended {
		list = append(list, Resume)
	}
	slices.Sort(list)
	return list
}

// Standing is all about a node that says which commands it takes.
type Standing struct {
	Graph   *flow.Graph
	Plugins Plugins
	Limits  *stdops.Limits
	Root    stdops.State
	Node    stdops.NodeIndex
	Own     *stdops.NodeState // nil: never reached, and no pause was appointed

	// Callbacks are those of the task that were accepted and not handled yet; only their nodes and versions count.
	Callbacks []stdops.Callback
}

// NodeActions gives the commands for a node that would be carried out, were their parameters right.
func NodeActions(at *Standing) []Kind {
	if at.Node <= stdops.RootNode || int(at.Node) >= len(at.Graph.Nodes) || at.Root == stdops.StateCreated || at.Root.Ended() {
		return nil
	}
	node, state := &at.Graph.Nodes[at.Node], stdops.StateNone
	if at.Own != nil {
		state = at.Own.State
	}
	activity, subprocess := node.Kind == stdops.KindActivity, node.Kind == stdops.KindSubprocess
	failed, paused, running := state == stdops.StateFailed, state == stdops.StateSuspended, state == stdops.StateRunning
	var list []Kind
	for _, c := range []struct {
		kind Kind
		may  bool
	}{
		{NodePause, !subprocess && !running && mayBecome(state, stdops.StateSuspended)},
		{NodeResume, !subprocess && paused},
		{Retry, failed && (node.Activity == nil || node.Activity.Retryable)},
		{Skip, failed && (activity && node.Activity.Skippable || node.Kind == stdops.KindStartEvent)},
		{SkipBranch, failed && node.Kind == stdops.KindExclusive},
		{SkipBranches, failed && node.Kind == stdops.KindConditionalParallel},
		{SubPause, subprocess && running},
		{SubResume, subprocess && paused},
		{ForceFail, activity && running},
		{CallBack, activity && running && at.takesCallback()},
	} {
		if c.may {
			list = append(list, c.kind)
		}
	}
	return list
}

// takesCallback reports whether a callback of a running activity would be accepted.
func (at *Standing) takesCallback() bool {
	most := stdops.DefaultLimits().Callbacks
	if at.Limits != nil {
		most = at.Limits.Callbacks
	}
	if polls(at.Own) || len(at.Callbacks) >= int(most) {
		return false
	}
	act := at.Graph.Nodes[at.Node].Activity
	p := at.Plugins.Find(act.Code, act.Version)
	if p != nil && p.Spec().Child {
		return false
	}
	return p != nil && p.Spec().ManyCallbacks || !slices.ContainsFunc(at.Callbacks, func(c stdops.Callback) bool {
		return c.Node == at.Node && c.Version == at.Own.Version
	})
}
