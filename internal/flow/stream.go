package flow

// checkStreams is rules G4 and G5: every node belongs to exactly one stream. The start event begins the main stream,
// each branch of a parallel gateway a stream of its own, and behind their converge gateway the stream of the parallel
// gateway goes on. A node reached in two streams would be run by branches that do not know of each other.
//
// Flows are taken in any order, so that a branch that reaches a shared converge gateway before the parallel gateway
// further down another branch does is judged like any other (docs/spec/engine.md 10.2, 29).
func (g *net) checkStreams() error {
	const unknown, main = none, 0
	stream, owner := filled(len(g.nodes), unknown), []int{none} // owner: parallel gateway that began a stream
	stream[startPlace] = main
	queue := []int{startPlace}
	reach := func(i, s int) error {
		switch stream[i] {
		case unknown:
			stream[i] = s
			queue = append(queue, i)
			return nil
		case s:
			return nil
		default:
			return invalid(g.path(i), "the node can be reached from different branches of a parallel gateway, or from inside and outside of one")
		}
	}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		forks := parallel(g.kind(i))
		if forks {
			if err := reach(g.match[i], stream[i]); err != nil {
				return err
			}
		}
		for _, j := range g.out[i] {
			s := stream[i]
			if forks {
				s = len(owner)
				owner = append(owner, i)
			}
			if s != main && g.match[owner[s]] == j {
				continue // the branch ends here; what goes on is the stream of its gateway
			}
			if err := reach(j, s); err != nil {
				return err
			}
		}
	}
	for i := range g.nodes {
		if stream[i] == unknown {
			return invalid(g.path(i), "no way leads from the start event to this node")
		}
	}
	return nil
}
