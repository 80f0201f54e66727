package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

var anyTime = rapid.Custom(func(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "none") {
		return time.Time{}
	}
	return time.UnixMicro(rapid.Int64Range(-1<<50, 1<<52).Draw(t, "µs")).UTC()
})

var anyVersion = rapid.Custom(func(t *rapid.T) stdops.Version {
	return stdops.Version(rapid.OneOf(rapid.String(), rapid.StringMatching(`v[0-9a-f]{32}`), rapid.StringMatching(`v?[0-9a-fA-F]{30,34}`)).Draw(t, "text"))
})

var anyNode = rapid.Custom(func(t *rapid.T) stdops.NodeState {
	number := func(what string) int32 { return rapid.Int32().Draw(t, what) }
	return stdops.NodeState{
		Node: stdops.NodeIndex(number("node")), Order: number("order"), State: stdops.State(rapid.Uint8().Draw(t, "state")),
		Phase: stdops.Phase(rapid.Uint8().Draw(t, "phase")), Call: number("call"), Loop: number("loop"), InnerLoop: number("inner"),
		Retry: number("retry"), AutoRetries: number("auto"), Skip: rapid.Bool().Draw(t, "skip"),
		ErrorIgnored: rapid.Bool().Draw(t, "ignored"), Version: anyVersion.Draw(t, "version"),
		Token: stdops.Token(number("token")), Started: anyTime.Draw(t, "started"), Finished: anyTime.Draw(t, "finished"),
		Due: anyTime.Draw(t, "due"), Deadline: anyTime.Draw(t, "deadline"),
		Called: anyTime.Draw(t, "called"),
	}
})

func TestArchive_gives_back_what_was_packed(t *testing.T) {
	t.Parallel()
	s := setup(t)
	rapid.Check(t, func(t *rapid.T) {
		nodes := rapid.SliceOfN(anyNode, 0, 20).Draw(t, "nodes")
		got, err := readArchive(s.unzip, packedNodes{archiveFormat, s.packNodes(nodes), packCalls(nodes)})
		if diff := cmp.Diff(nodes, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("%v (-packed +read):\n%s", err, diff)
		}
	})
}

// FuzzUnpackNodes: whatever a body holds, it is read or refused.
func FuzzUnpackNodes(f *testing.F) {
	c := &archiveColumns{body: []byte{2}}
	c.all([]stdops.NodeState{fullNode(1), fullNode(2)})
	f.Add(c.body)
	f.Add([]byte{0})
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 127}) // a number of nodes that nobody has room for
	f.Fuzz(func(t *testing.T, body []byte) {
		nodes, err := unpackNodes(archiveFormat, body)
		if err == nil && len(nodes)*leastArchived >= len(body)+leastArchived {
			t.Errorf("%d nodes in %d bytes", len(nodes), len(body))
		}
	})
}
