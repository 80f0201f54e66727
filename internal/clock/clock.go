// Package clock tells the time of a server. Somebody may set the clock of the machine, back or forth, by seconds or years;
// the time of the server goes on by exactly what passes, so that no time limit, poll, retry or timer comes early or never.
//
// The clock of the machine is looked at once, at the start, and what passes from then on is counted by a clock that nobody
// can set. On Linux that one counts time during which the machine was suspended as well. The start of a server is where a
// corrected clock is adopted, but never a time that lies before one on record ([Clock.NotBefore]).
//
// The package imports nothing of ours.
package clock

import (
	"sync"
	"time"
)

// Clock is the time of one server. Its methods may be called from any goroutine.
type Clock struct {
	wall   func() time.Time     // what the clock of the machine shows
	passed func() time.Duration // since some moment; never falls

	mu     sync.RWMutex
	anchor time.Time // the time of the server when passed was zero
}

// New makes a clock that begins with what wall shows and goes on by itself.
func New(wall func() time.Time) *Clock { return Of(wall, passing()) }

// Of makes a clock that begins with what wall shows and goes on by what passed counts.
func Of(wall func() time.Time, passed func() time.Duration) *Clock {
	return &Clock{wall: wall, passed: passed, anchor: bare(wall()).Add(-passed())}
}

// Now gives the time of the server.
func (c *Clock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.anchor.Add(c.passed())
}

// Passed counts since some moment, by the clock that nobody can set; it never falls.
func (c *Clock) Passed() time.Duration { return c.passed() }

// NotBefore lets the clock be no earlier than t from now on.
func (c *Clock) NotBefore(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if from := bare(t).Add(-c.passed()); from.After(c.anchor) {
		c.anchor = from
	}
}

// Ahead gives by how much the time of the server is later than what the clock of the machine shows; less than zero when it
// is earlier.
func (c *Clock) Ahead() time.Duration { return c.Now().Sub(bare(c.wall())) }

// bare takes away the reading that Go adds to the time of day, by which it would count when it compares times.
func bare(t time.Time) time.Time { return t.Round(0).UTC() }

// monotonic counts by the clock that Go itself uses for timers.
func monotonic() func() time.Duration {
	began := time.Now()
	return func() time.Duration { return time.Since(began) }
}
