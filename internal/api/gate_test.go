package api

import (
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stdops/stdops"
)

func TestGate(t *testing.T) {
	t.Parallel()
	gates := NewGates(2, 2)
	for range 2 {
		if err := gates.Of(true).Enter(); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // what was refused takes no place
		if err := gates.Of(true).Enter(); stdops.ErrorCode(err) != stdops.CodeUnavailable {
			t.Errorf("a full gate: %v", err)
		}
	}
	if err := gates.Of(false).Enter(); err != nil {
		t.Errorf("strangers, while those who are known fill theirs: %v", err)
	}
	gates.Of(true).Leave()
	if err := gates.Of(true).Enter(); err != nil {
		t.Errorf("a place that became free: %v", err)
	}
}

// TestGateAtOnce: however many come at the same time, never more are inside than may be.
func TestGateAtOnce(t *testing.T) {
	t.Parallel()
	g := NewGate(4)
	var inside, let atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 1000 {
				if g.Enter() != nil {
					continue
				}
				if n := inside.Add(1); n > 4 {
					t.Errorf("%d requests are served", n)
				}
				let.Add(1)
				inside.Add(-1)
				g.Leave()
			}
		})
	}
	all.Wait()
	if let.Load() == 0 || g.serving.Load() != 0 {
		t.Errorf("%d were let in, %d are left", let.Load(), g.serving.Load())
	}
}

// TestSharedGate: whoever has his share is kept out, and nobody else is.
func TestSharedGate(t *testing.T) {
	t.Parallel()
	g := NewSharedGate(8)
	ann, bob, app := Who{User: "ann"}, Who{User: "bob"}, Who{App: "shop", User: "ann"}
	enter := func(w Who, times int) {
		t.Helper()
		for range times {
			if err := g.Enter(w); err != nil {
				t.Fatalf("%v: %v", w, err)
			}
		}
	}
	enter(ann, 6)
	var refused *stdops.Error
	for range 3 { // what was refused takes no place
		if err := g.Enter(ann); !errors.As(err, &refused) || refused.Code != stdops.CodeTooMany || refused.RetryAfter == 0 {
			t.Errorf("over the share: %v", err)
		}
	}
	enter(bob, 1)
	enter(app, 1)
	if err := g.Enter(Who{User: "fay"}); stdops.ErrorCode(err) != stdops.CodeUnavailable {
		t.Errorf("a full gate: %v", err)
	}
	g.Leave(ann)
	enter(ann, 1)
	for range 6 {
		g.Leave(ann)
	}
	g.Leave(bob)
	g.Leave(app)
	if len(g.of) != 0 || g.gate.serving.Load() != 0 {
		t.Errorf("%v, %d are left when all have gone", g.of, g.gate.serving.Load())
	}
	if err := NewSharedGate(1).Enter(ann); err != nil {
		t.Errorf("the least gate: %v", err)
	}
}

func TestRequestKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sent []string
		want string
		ok   bool
	}{
		{nil, "", true},
		{[]string{"k"}, "k", true},
		{[]string{`"quoted"`}, `"quoted"`, true},
		{[]string{strings.Repeat("~", 255)}, strings.Repeat("~", 255), true},
		{[]string{strings.Repeat("~", 256)}, "", false},
		{[]string{""}, "", false},
		{[]string{"a b"}, "", false},
		{[]string{"a\tb"}, "", false},
		{[]string{"ä"}, "", false},
		{[]string{"a", "a"}, "", false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)
		r.Header["Idempotency-Key"] = c.sent
		got, err := RequestKey(r)
		if got != c.want || (err == nil) != c.ok || err != nil && stdops.ErrorCode(err) != stdops.CodeInvalid {
			t.Errorf("%q gives %q, %v", c.sent, got, err)
		}
	}
}

// TestNewRequest: what belongs to one part cannot pass for a piece of the next.
func TestNewRequest(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, parts := range [][]string{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"", "abc"}} {
		var list [][]byte
		for _, p := range parts {
			list = append(list, []byte(p))
		}
		hash := string(NewRequest("k", list...).Hash)
		if other, had := seen[hash]; had {
			t.Errorf("%q and %q have the same hash", parts, other)
		}
		seen[hash] = strings.Join(parts, "|")
	}
}
