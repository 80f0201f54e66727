package store

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/stdops/stdops"
)

// packCalls puts down when the first calls of nodes were begun, for the column beside their body: for each node, in the order of
// the body, how many µs after its start and one more, as a varint; 0 where there was none. Most begin with their node and take a
// byte. It gives nil when there is none at all.
func packCalls(nodes []stdops.NodeState) []byte {
	var packed []byte
	some := false
	for i := range nodes {
		n := &nodes[i]
		if n.Called.IsZero() {
			packed = append(packed, 0)
			continue
		}
		some = true
		packed = binary.AppendVarint(packed, beyondZero(n.Called.UnixMicro()-calledFrom(n)))
	}
	if !some {
		return nil
	}
	return packed
}

// unpackCalls gives nodes what packCalls has made of them. An archive of the version before has nothing of it.
func unpackCalls(packed []byte, nodes []stdops.NodeState) error {
	if len(packed) == 0 {
		return nil
	}
	c := &archiveColumns{body: packed, reads: true}
	for i := range nodes {
		if step := c.number(); step != 0 {
			nodes[i].Called = time.UnixMicro(calledFrom(&nodes[i]) + withZero(step)).UTC()
		}
	}
	if c.err == nil && len(c.body) > 0 {
		c.fail(fmt.Errorf("%d bytes of calls are more than those of the nodes", len(c.body)))
	}
	return c.err
}

// calledFrom is the moment from which the call of a node is counted.
func calledFrom(n *stdops.NodeState) int64 {
	if n.Started.IsZero() {
		return 0
	}
	return n.Started.UnixMicro()
}
