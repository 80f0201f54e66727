package flow

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

// structured draws the flows of a tree whose blocks lie side by side or inside each other.
type structured struct {
	*rapid.T
	edges [][2]string
	count int
}

func (s *structured) name(prefix string) string {
	s.count++
	return fmt.Sprintf("%s%d", prefix, s.count)
}

func (s *structured) edge(from, to string) { s.edges = append(s.edges, [2]string{from, to}) }

// inside says what the innermost gateway around a block is.
type inside int

const (
	nothing inside = iota
	inParallel
	inExclusive
)

// block draws something that begins behind a node and gives the node where it ends. Inside other blocks not every form
// is drawn: the rules take some converge gateways for shared that are not, and then refuse the block around them
// (docs/spec/engine.md 8.3).
func (s *structured) block(from string, depth int, place inside) string {
	kinds := []string{"activity", "activity", "series"}
	if depth > 0 {
		kinds = append(kinds, "parallel", "parallel", "conditional", "exclusive")
		if place != inExclusive {
			kinds = append(kinds, "loop")
		}
		if place == nothing {
			kinds = append(kinds, "meet", "leave")
		}
	}
	switch kind := rapid.SampledFrom(kinds).Draw(s.T, "block"); kind {
	case "series":
		return s.block(s.block(from, depth-1, place), depth-1, place)
	case "parallel", "conditional", "exclusive":
		return s.fork(from, kind, depth)
	case "loop":
		head := s.name("A")
		s.edge(from, head)
		gate := s.name("EG")
		s.edge(s.block(head, depth-1, place), gate)
		s.edge(gate, head)
		return gate
	case "meet":
		gate, next := s.name("EG"), s.name("A")
		s.edge(from, gate)
		s.edge(s.block(gate, depth-1, place), next)
		s.edge(gate, next)
		return next
	case "leave":
		gate := s.name("EG")
		s.edge(from, gate)
		s.edge(gate, "E")
		return gate
	default:
		next := s.name("A")
		s.edge(from, next)
		return next
	}
}

func (s *structured) fork(from, kind string, depth int) string {
	prefix := map[string]string{"parallel": "PG", "conditional": "CPG", "exclusive": "EG"}[kind]
	place := inParallel
	if kind == "exclusive" {
		place = inExclusive
	}
	gate, join := s.name(prefix), s.name("CG")
	s.edge(from, gate)
	for range rapid.IntRange(2, 3).Draw(s.T, "branches") {
		if rapid.Bool().Draw(s.T, "empty") {
			s.edge(gate, join)
		} else {
			s.edge(s.block(gate, depth-1, place), join)
		}
	}
	return join
}

func drawEdges(t *rapid.T) [][2]string {
	s := &structured{T: t}
	last := s.name("A")
	s.edge("S", last)
	s.edge(s.block(last, 4, nothing), "E")
	return s.edges
}

func sketchEdges(edges [][2]string) *stdops.Object {
	words := make([]string, len(edges))
	for i, e := range edges {
		words[i] = e[0] + ">" + e[1]
	}
	return sketch(strings.Join(words, " "))
}

func TestStructuredTreesAreAccepted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		edges := drawEdges(r)
		tree, err := Parse(sketchEdges(edges))
		if err != nil {
			r.Fatal(err)
		}
		if err := tree.Validate(); err != nil {
			r.Fatalf("%v: %v", edges, err)
		}
		g, err := Compile(tree)
		if err != nil {
			r.Fatal(err)
		}
		play(r, g, edges)
	})
}

// Trees that are bent at random are mostly refused. Those that are accepted must run: no branch of a parallel gateway
// may reach the end event or wait for others for ever.
func TestAcceptedTreesRun(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		edges := drawEdges(r)
		for range rapid.IntRange(1, 3).Draw(r, "bends") {
			i := rapid.IntRange(1, len(edges)-1).Draw(r, "edge")
			edges[i][1] = edges[rapid.IntRange(0, len(edges)-1).Draw(r, "target")][1]
		}
		tree, err := Parse(sketchEdges(edges))
		if err != nil || tree.Validate() != nil {
			return
		}
		g, err := Compile(tree)
		if err != nil {
			r.Fatal(err)
		}
		play(r, g, edges)
	})
}

// token is a thread of execution in a run of a graph.
type token struct {
	at, until stdops.NodeIndex // until: converge gateway where it joins its parent
	parent    *token
	waits     int
}

// play runs a graph with random choices; loops are left by their odds.
func play(r *rapid.T, g *Graph, edges [][2]string) {
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 0))
	ready := []*token{{at: g.Nodes[0].Pipeline.Start}}
	for range 20_000 {
		if len(ready) == 0 {
			r.Fatalf("%v: nothing can go on and the end was not reached", edges)
		}
		i := random.IntN(len(ready))
		k := ready[i]
		n := &g.Nodes[k.at]
		switch {
		case n.Kind == stdops.KindEndEvent && k.parent != nil:
			r.Fatalf("%v: a branch of a parallel gateway reached the end", edges)
		case n.Kind == stdops.KindEndEvent:
			return
		case k.parent != nil && k.at == k.until:
			ready[i] = ready[len(ready)-1]
			ready = ready[:len(ready)-1]
			if k.parent.waits--; k.parent.waits == 0 {
				k.parent.at = n.Out[0].Target
				ready = append(ready, k.parent)
			}
		case parallel(n.Kind):
			branches := n.Out
			if n.Kind == stdops.KindConditionalParallel {
				branches = branches[random.IntN(len(branches)):]
			}
			ready[i] = ready[len(ready)-1]
			ready = ready[:len(ready)-1]
			k.waits = len(branches)
			for _, e := range branches {
				ready = append(ready, &token{at: e.Target, until: n.Converge, parent: k})
			}
		default:
			k.at = n.Out[random.IntN(len(n.Out))].Target
		}
	}
}
