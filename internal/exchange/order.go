package exchange

// orderer puts flows in an order in which each stands after those that it refers to.
type orderer struct {
	children [][]int
	state    []int
	order    []int
	through  int // which child led back, when visit fails
}

// The states of a flow that was met.
const (
	visiting = iota + 1
	done
)

// visit adds a flow and what it refers to. When a flow refers to itself, through others or not, it gives the one whose child
// through leads back.
func (o *orderer) visit(i int) (inside int, ok bool) {
	if o.state[i] == done {
		return 0, true
	}
	o.state[i] = visiting
	for at, to := range o.children[i] {
		if o.state[to] == visiting {
			o.through = at
			return i, false
		}
		if inside, ok := o.visit(to); !ok {
			return inside, false
		}
	}
	o.state[i] = done
	o.order = append(o.order, i)
	return 0, true
}
