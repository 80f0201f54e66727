package api

import (
	"sync"
	"time"

	"github.com/stdops/stdops"
)

// Who names a caller: a person, or a person for whom an application asks.
type Who struct{ App, User string }

// SharedGate is a gate of which each caller gets a share at most: requests that stay long would else let one caller keep out all
// others.
type SharedGate struct {
	gate  *Gate
	share int64

	mu sync.Mutex
	of map[Who]int64 // of callers who have a place
}

// NewSharedGate makes a gate for so many requests, of which one caller may have three quarters.
func NewSharedGate(limit int64) *SharedGate {
	return &SharedGate{gate: NewGate(limit), share: limit - limit/4, of: map[Who]int64{}}
}

// placesFree is after how long a caller who has his share is told to try again: places become free when he leaves some.
const placesFree = 5 * time.Second

// Enter lets a request of a caller in, and Leave must follow, or refuses it: with a 503 when the gate is full, with a 429 when
// the caller has his share.
func (g *SharedGate) Enter(w Who) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of[w] >= g.share {
		err := stdops.Errorf(stdops.CodeTooMany, "you have %d such requests open, which is the share of one caller: end some of them first", g.share)
		err.RetryAfter = placesFree
		return err
	}
	if err := g.gate.Enter(); err != nil {
		return err
	}
	g.of[w]++
	return nil
}

// Leave ends what Enter let in.
func (g *SharedGate) Leave(w Who) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of[w]--; g.of[w] == 0 {
		delete(g.of, w)
	}
	g.gate.Leave()
}
