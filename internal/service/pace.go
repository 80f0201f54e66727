package service

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/stdops/stdops"
)

// Admit refuses an application that is unknown or disabled, whose secret is wrong, or that asks too often. Each call
// counts as one request, so it comes before any work is done for one.
func (s *Service) Admit(ctx context.Context, c Credentials) error {
	if err := s.guesses.check(c); err != nil {
		return err
	}
	known, err := s.current(ctx)
	if err != nil {
		return err
	}
	if !s.authenticApp(known, c, &Caller{}) {
		s.guesses.count(c)
		return errApp()
	}
	return s.pace(known.apps[c.AppCode].pace, "app", c.AppCode)
}

// AdmitUser refuses a user without an app who asks too often. Each call counts as one request.
func (s *Service) AdmitUser(c *Caller) error {
	if found := s.identity.Load().users[c.User]; found != nil {
		return s.pace(found.pace, "user", c.User)
	}
	return nil
}

// AdmitSignIn refuses whoever has sent too many wrong tokens and sign-in links from an address lately, also with a right
// one. The peer is the address and port of whoever asks.
func (s *Service) AdmitSignIn(peer string) error {
	return s.guesses.refuse(suspectOf(Credentials{Peer: peer}), "tokens and sign-in links from this address")
}

// CountSignIn counts an attempt to sign in that ended with err, if it was a wrong guess.
func (s *Service) CountSignIn(peer string, err error) {
	if stdops.ErrorCode(err) == stdops.CodeUnauthenticated {
		s.guesses.add(suspectOf(Credentials{Peer: peer}))
	}
}

func (s *Service) pace(p *rate.Limiter, kind, name string) error {
	if p == nil || p.Allow() {
		return nil
	}
	return stdops.Errorf(stdops.CodeTooMany, "the %s %s sends more than %d requests a second", kind, name, s.limits.Rate)
}

// newPace makes the bucket of one app or user: it holds the requests of one second. nil lets everything through.
func (s *Service) newPace() *rate.Limiter {
	if s.limits.Rate == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(s.limits.Rate), int(s.limits.Rate))
}

// keepPace fills the buckets of apps and users that are there since before only as far as they were.
func (s *Service) keepPace(known, before *identity) {
	for code, a := range known.apps {
		if old := before.apps[code]; old != nil {
			a.pace = old.pace
		} else {
			a.pace = s.newPace()
		}
	}
	for name, u := range known.users {
		if old := before.users[name]; old != nil {
			u.pace = old.pace
		} else {
			u.pace = s.newPace()
		}
	}
}

// failures counts wrong secrets by app and address, and those of people who sign in by address. Apps that do not exist are counted like those that do: else the
// refusal would tell which those are.
type failures struct {
	limit   int64 // a minute; 0: any number
	any     atomic.Bool
	buckets *otter.Cache[suspect, *rate.Limiter]
}

// suspect is who has sent wrong secrets: one app as seen from one address, which of IPv6 is a network of 64 bits. Without
// an app it is whoever tries to sign in from there.
type suspect struct {
	app     string
	address netip.Prefix
}

// mostSuspects bounds the memory for suspects; beyond it those are forgotten that came least often.
const mostSuspects = 10_000

func newFailures(limit int64) (*failures, error) {
	buckets, err := otter.New(&otter.Options[suspect, *rate.Limiter]{
		MaximumSize: mostSuspects,
		Executor:    func(work func()) { work() }, // no goroutine of which nobody knows when it ends
	})
	if err != nil {
		return nil, fmt.Errorf("make table of wrong secrets: %w", err)
	}
	return &failures{limit: limit, buckets: buckets}, nil
}

func suspectOf(c Credentials) suspect {
	peer, err := netip.ParseAddrPort(c.Peer)
	if err != nil {
		return suspect{app: c.AppCode}
	}
	bits := 32
	if peer.Addr().Unmap().Is6() {
		bits = 64
	}
	network, _ := peer.Addr().Unmap().WithZone("").Prefix(bits)
	return suspect{app: c.AppCode, address: network}
}

// check refuses whoever has sent too many wrong secrets, also with the right one: else the guessing could go on. Without an
// app nothing is guessed.
func (f *failures) check(c Credentials) error {
	if !f.any.Load() || c.AppCode == "" {
		return nil
	}
	return f.refuse(suspectOf(c), "secrets of the app")
}

func (f *failures) refuse(who suspect, what string) error {
	bucket, ok := f.buckets.GetIfPresent(who)
	if !ok {
		return nil
	}
	missing := 1 - bucket.Tokens()
	if missing <= 0 {
		return nil
	}
	seconds := math.Ceil(missing / float64(bucket.Limit()))
	return &stdops.Error{
		Code: stdops.CodeTooMany, RetryAfter: time.Duration(seconds) * time.Second,
		Message: fmt.Sprintf("more than %d wrong %s in a minute", f.limit, what),
	}
}

// count counts a wrong secret. A request without one guesses nothing.
func (f *failures) count(c Credentials) {
	if c.AppCode != "" && c.AppSecret != "" {
		f.add(suspectOf(c))
	}
}

func (f *failures) add(who suspect) {
	if f.limit == 0 {
		return
	}
	f.any.Store(true)
	bucket, _ := f.buckets.ComputeIfAbsent(who, func() (*rate.Limiter, bool) {
		return rate.NewLimiter(rate.Every(time.Minute/time.Duration(f.limit)), int(f.limit)), false
	})
	bucket.Allow()
}
