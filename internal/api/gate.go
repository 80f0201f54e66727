package api

import (
	"sync/atomic"

	"github.com/stdops/stdops"
)

// Gate bounds the requests that are served at the same time: what a server has taken in keeps its speed, and what would be
// too much is refused before anything is done for it.
type Gate struct {
	limit   int64
	serving atomic.Int64
}

// NewGate makes a gate for so many requests.
func NewGate(limit int64) *Gate { return &Gate{limit: limit} }

// Enter lets a request in, and Leave must follow, or refuses it with a 503.
func (g *Gate) Enter() error {
	if g.serving.Add(1) <= g.limit {
		return nil
	}
	g.Leave()
	return stdops.Errorf(stdops.CodeUnavailable, "the server is serving as many requests as it can, try again")
}

// Leave ends what Enter let in.
func (g *Gate) Leave() { g.serving.Add(-1) }

// Gates are those of a server. Whoever is not known before the body was read has a gate apart: strangers shall not be
// able to fill the one of those who are.
type Gates struct {
	Known, Strangers *Gate
	Watches          *SharedGate // for those who watch tasks or follow logs: they stay long and do little
}

// NewGates makes the gates of a server, each for so many requests.
func NewGates(limit, watches int64) *Gates {
	return &Gates{Known: NewGate(limit), Strangers: NewGate(limit), Watches: NewSharedGate(watches)}
}

// Of gives the gate for who is known before the body was read, or is not.
func (g *Gates) Of(known bool) *Gate {
	if known {
		return g.Known
	}
	return g.Strangers
}
