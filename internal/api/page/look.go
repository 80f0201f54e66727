package page

import "github.com/stdops/stdops"

// look is how a state shows: by a shape, a word and a colour, so that none of them is needed alone.
type look struct {
	Key  string // names shape and colour in the style sheet
	Word string
	Wire string // as the API writes it
}

var looks = map[stdops.State]look{
	stdops.StateCreated:       {"created", "Created", stdops.StateCreated.String()},
	stdops.StateReady:         {"ready", "Ready", stdops.StateReady.String()},
	stdops.StateRunning:       {"running", "Running", stdops.StateRunning.String()},
	stdops.StateSuspended:     {"suspended", "Suspended", stdops.StateSuspended.String()},
	stdops.StateNodeSuspended: {"node-suspended", "Node suspended", stdops.StateNodeSuspended.String()},
	stdops.StateFailed:        {"failed", "Failed", stdops.StateFailed.String()},
	stdops.StateFinished:      {"finished", "Finished", stdops.StateFinished.String()},
	stdops.StateRevoked:       {"revoked", "Revoked", stdops.StateRevoked.String()},
	stdops.StateExpired:       {"expired", "Expired", stdops.StateExpired.String()},
}

// unreached is the look of a node that no flow has led to yet.
var unreached = look{"unreached", "Not reached", ""}

func lookOf(s stdops.State) look {
	if l, ok := looks[s]; ok {
		return l
	}
	return unreached
}

// shown lists the states in the order in which counts and filters name them.
var shown = []stdops.State{
	stdops.StateRunning, stdops.StateFailed, stdops.StateNodeSuspended, stdops.StateSuspended,
	stdops.StateCreated, stdops.StateFinished, stdops.StateRevoked,
}

// parseState reads the word of a state as the API writes it; ok is false for any other text.
func parseState(word string) (s stdops.State, ok bool) {
	for _, s := range shown {
		if s.String() == word {
			return s, true
		}
	}
	return stdops.StateNone, false
}

// kindWords are the words for nodes that run no plugin.
var kindWords = map[stdops.NodeKind]string{
	stdops.KindSubprocess: "subprocess", stdops.KindStartEvent: "start", stdops.KindEndEvent: "end",
	stdops.KindExclusive: "exclusive gateway", stdops.KindParallel: "parallel gateway",
	stdops.KindConditionalParallel: "conditional parallel gateway", stdops.KindConverge: "converge gateway",
}
