package stdops

// State is the state of a task or of a node. The first group is what the engine stores; NodeSuspended and Expired are
// only ever shown, derived from what is stored.
type State uint8

// The states. A node that was never reached has no state at all.
const (
	StateNone      State = iota
	StateCreated         // a task that was not started (roots only)
	StateReady           // about to run again: after a retry, or after a pause of the node ended
	StateRunning         //
	StateSuspended       // paused: the task, a subprocess, or a node that is not to begin
	StateFinished        //
	StateFailed          //
	StateRevoked         // ended by a person (roots only)

	StateNodeSuspended // shown for a running pipeline that holds a paused node
	StateExpired       // shown for a task whose record is gone
)

var stateNames = [...]string{
	StateNone: "", StateCreated: "CREATED", StateReady: "READY", StateRunning: "RUNNING", StateSuspended: "SUSPENDED",
	StateFinished: "FINISHED", StateFailed: "FAILED", StateRevoked: "REVOKED",
	StateNodeSuspended: "NODE_SUSPENDED", StateExpired: "EXPIRED",
}

// String gives the wire word of the state, "" for StateNone.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "State(?)"
}

// Ended reports whether a root in this state is final.
func (s State) Ended() bool { return s == StateFinished || s == StateRevoked }

// Phase says what a RUNNING node is doing. It is committed before anything outside happens, so that after a crash it is
// known which calls are in doubt: only those that were executing or scheduling.
type Phase uint8

// The phases of a RUNNING node; any other node has PhaseNone.
const (
	PhaseNone       Phase = iota
	PhaseQueued           // its execute has not begun
	PhaseExecuting        // its execute is out
	PhaseScheduling       // a poll, or the handling of a callback, is out
	PhaseWaiting          // for its next poll (due), or for a callback (no due time)
)

var phaseNames = [...]string{"", "queued", "executing", "scheduling", "waiting"}

// String gives the word for the phase, "" for PhaseNone.
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return "Phase(?)"
}

// NodeKind is the type of a node of a tree.
type NodeKind uint8

// The node kinds. KindPipeline is the root itself.
const (
	KindPipeline NodeKind = iota
	KindSubprocess
	KindActivity
	KindStartEvent
	KindEndEvent
	KindExclusive
	KindParallel
	KindConditionalParallel
	KindConverge
)

var kindNames = [...]string{
	KindPipeline: "Pipeline", KindSubprocess: "SubProcess", KindActivity: "ServiceActivity",
	KindStartEvent: "EmptyStartEvent", KindEndEvent: "EmptyEndEvent", KindExclusive: "ExclusiveGateway",
	KindParallel: "ParallelGateway", KindConditionalParallel: "ConditionalParallelGateway", KindConverge: "ConvergeGateway",
}

// String gives the word that pipeline trees use for the kind.
func (k NodeKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "NodeKind(?)"
}

// Gateway reports whether the kind is one of the four gateways.
func (k NodeKind) Gateway() bool { return k >= KindExclusive }
