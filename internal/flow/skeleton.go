package flow

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/stdops/stdops"
)

// Skeleton gives what a status needs of the graph.
func (g *Graph) Skeleton() *stdops.Skeleton {
	s := &stdops.Skeleton{Nodes: make([]stdops.SkeletonNode, len(g.Nodes))}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		s.Nodes[i] = stdops.SkeletonNode{Kind: n.Kind, Parent: n.Parent, Name: n.Name, Source: n.Source}
		if n.Activity != nil {
			s.Nodes[i].Plugin = n.Activity.Code
		}
	}
	return s
}

const skeletonVersion = 1

// EncodeSkeleton writes a skeleton compactly: a version byte, the number of nodes, then for each node its kind, parent,
// name, plugin and source, texts with their length before them.
func EncodeSkeleton(s *stdops.Skeleton) []byte {
	b := append(make([]byte, 0, 64*len(s.Nodes)+8), skeletonVersion)
	b = binary.AppendUvarint(b, uint64(len(s.Nodes)))
	for _, n := range s.Nodes {
		b = append(b, byte(n.Kind))
		b = binary.AppendUvarint(b, uint64(n.Parent))
		for _, text := range []string{n.Name, n.Plugin, n.Source} {
			b = binary.AppendUvarint(b, uint64(len(text)))
			b = append(b, text...)
		}
	}
	return b
}

var errSkeleton = errors.New("read skeleton: damaged")

// DecodeSkeleton reads what [EncodeSkeleton] wrote.
func DecodeSkeleton(b []byte) (*stdops.Skeleton, error) {
	if len(b) == 0 {
		return nil, errSkeleton
	}
	if b[0] != skeletonVersion {
		return nil, fmt.Errorf("read skeleton: version %d is unknown", b[0])
	}
	r := skeletonReader{rest: b[1:]}
	count := r.number()
	if r.bad || count > uint64(len(b)) {
		return nil, errSkeleton
	}
	s := &stdops.Skeleton{Nodes: make([]stdops.SkeletonNode, count)}
	plugins := map[string]string{} // the same few codes stand in thousands of nodes
	for i := range s.Nodes {
		n := &s.Nodes[i]
		n.Kind = stdops.NodeKind(r.byte())
		parent := r.number()
		n.Name, n.Plugin, n.Source = r.text(), r.text(), r.text()
		if r.bad || parent >= count || n.Kind > stdops.KindConverge {
			return nil, errSkeleton
		}
		n.Parent = stdops.NodeIndex(parent)
		if known, ok := plugins[n.Plugin]; ok {
			n.Plugin = known
		} else {
			plugins[n.Plugin] = n.Plugin
		}
	}
	if len(r.rest) > 0 {
		return nil, errSkeleton
	}
	return s, nil
}

type skeletonReader struct {
	rest []byte
	bad  bool
}

func (r *skeletonReader) byte() byte {
	if len(r.rest) == 0 {
		r.bad = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *skeletonReader) number() uint64 {
	v, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return v
}

func (r *skeletonReader) text() string {
	size := r.number()
	if size > uint64(len(r.rest)) {
		r.bad = true
		return ""
	}
	text := string(r.rest[:size])
	r.rest = r.rest[size:]
	return text
}
