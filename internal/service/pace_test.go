package service

import (
	"fmt"
	"testing"

	"github.com/stdops/stdops"
)

// TestSuspectsAreBounded: whoever makes up codes of apps cannot make the server remember them all.
func TestSuspectsAreBounded(t *testing.T) {
	t.Parallel()
	f, err := newFailures(20)
	must(t, err)
	for i := range 3 * mostSuspects {
		f.count(Credentials{AppCode: fmt.Sprint(i), AppSecret: "x", Peer: "192.0.2.1:1"})
	}
	f.buckets.CleanUp()
	if n := f.buckets.EstimatedSize(); n > mostSuspects {
		t.Errorf("%d suspects are remembered", n)
	}
}

// TestSuspectOf: the port does not count, and of an address of IPv6 only its network does.
func TestSuspectOf(t *testing.T) {
	t.Parallel()
	of := func(peer string) suspect { return suspectOf(Credentials{AppCode: "shop", Peer: peer}) }
	for _, c := range []struct {
		one, other string
		same       bool
	}{
		{"192.0.2.1:1", "192.0.2.1:2", true},
		{"192.0.2.1:1", "192.0.2.2:1", false},
		{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
		{"[2001:db8::1]:1", "[2001:db8::ffff:1]:1", true},
		{"[fe80::1%eth0]:1", "[fe80::2%eth1]:1", true},
		{"[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", false},
		{"@", "", true},
	} {
		if (of(c.one) == of(c.other)) != c.same {
			t.Errorf("%s and %s: %v, %v", c.one, c.other, of(c.one), of(c.other))
		}
	}
}

// TestWrongSignInsCountForSignInsOnly: who has sent wrong tokens is not told of secrets of an app, which nobody has sent.
func TestWrongSignInsCountForSignInsOnly(t *testing.T) {
	t.Parallel()
	s := setup(t)
	const peer = "192.0.2.1:1"
	for range s.limits.Failures {
		_, _, err := s.SignInWithToken(t.Context(), "wrong")
		s.CountSignIn(peer, err)
	}
	if err := s.AdmitSignIn(peer); stdops.ErrorCode(err) != stdops.CodeTooMany {
		t.Errorf("a sign-in: %v", err)
	}
	if err := s.Admit(t.Context(), Credentials{Token: "x", Peer: peer}); stdops.ErrorCode(err) != stdops.CodeUnauthenticated {
		t.Errorf("a request without an app: %v", err)
	}
}

// BenchmarkAdmit is what each request pays for the limits, of which nearly all is the check of the secret.
func BenchmarkAdmit(b *testing.B) {
	for _, wrong := range []bool{false, true} {
		b.Run(fmt.Sprintf("suspects=%v", wrong), func(b *testing.B) {
			s := setup(b)
			s.limits.Rate = 1_000_000
			secret, err := s.CreateApp(b.Context(), LocalAdmin(), NewApp{Code: "shop"})
			if err != nil {
				b.Fatal(err)
			}
			c := Credentials{AppCode: "shop", AppSecret: secret, Peer: "192.0.2.1:1234"}
			if wrong {
				s.guesses.count(Credentials{AppCode: "shop", AppSecret: "x", Peer: c.Peer})
			}
			known := s.identity.Load()
			b.Run("limits", func(b *testing.B) {
				b.RunParallel(func(p *testing.PB) {
					for p.Next() {
						_ = s.guesses.check(c)
						_ = s.pace(known.apps["shop"].pace, "app", "shop")
					}
				})
			})
			b.Run("all", func(b *testing.B) {
				b.RunParallel(func(p *testing.PB) {
					for p.Next() {
						_ = s.Admit(b.Context(), c)
					}
				})
			})
		})
	}
}
