package stdops_test

import (
	"testing"

	"github.com/stdops/stdops"
)

// TestLimitsSet: every bound has a name of its own, keeps what is set, and has a default that may be set.
func TestLimitsSet(t *testing.T) {
	t.Parallel()
	l, given := stdops.Limits{}, stdops.DefaultLimits()
	for i, want := range given.List() {
		if err := l.Set(want.Name, want.Value); err != nil {
			t.Error(err)
		}
		if got := l.List()[i]; got != want {
			t.Errorf("%+v was set, it is %+v", want, got)
		}
	}
	if l != given {
		t.Errorf("set %+v, want %+v", l, given)
	}
	for _, bad := range []struct {
		name  string
		value int64
	}{{"rate", -1}, {"requests", 0}, {"head-time", 1 << 40}, {"nonsense", 1}, {"", 1}} {
		if err := l.Set(bad.name, bad.value); err == nil || l != given {
			t.Errorf("%s=%d was set", bad.name, bad.value)
		}
	}
}
