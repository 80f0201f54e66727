package flow

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/stdops/stdops"
)

// The limits of automatic retries (docs/spec/engine.md 5.3).
const (
	mostRetries      = 10
	longestInterval  = 60 // seconds
	longestTimeLimit = 1_000_000_000
)

// The actions of a time limit.
const (
	actionFail = "forced_fail"
	actionSkip = "forced_fail_and_skip"
)

func enabled(o *stdops.Object, key string) (*stdops.Object, bool) {
	v, _ := o.Get(key)
	policy, ok := v.(*stdops.Object)
	return policy, ok && flag(policy, "enable", false)
}

// autoRetryOf reads auto_retry. Numbers count without their sign; times that cannot be read are the most there may be,
// an interval that is absent is none and one that cannot be read the longest.
func autoRetryOf(o *stdops.Object) AutoRetry {
	policy, on := enabled(o, "auto_retry")
	if !on {
		return AutoRetry{}
	}
	r := AutoRetry{Times: mostRetries}
	if v, had := policy.Get("times"); had {
		r.Times = bounded(v, mostRetries)
	}
	if v, had := policy.Get("interval"); had {
		r.Interval = time.Duration(bounded(v, longestInterval)) * time.Second
	}
	return r
}

// bounded gives the whole part of v without sign, at most most; also most when v is no number.
func bounded(v any, most int) int {
	switch v := v.(type) {
	case bool:
		if v {
			return min(1, most)
		}
		return 0
	case int64:
		if v < 0 {
			v = -v
		}
		if v < 0 || v > int64(most) { // the smallest int64 has no positive twin
			return most
		}
		return int(v)
	case float64:
		return int(min(math.Abs(math.Trunc(v)), float64(most)))
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		if err != nil {
			return most
		}
		return bounded(n, most)
	default: // also *big.Int: beyond every limit
		return most
	}
}

// timeoutOf reads timeout_config. A time limit that is no positive whole number is ignored (docs/spec/engine.md 5.4).
func timeoutOf(o *stdops.Object) Timeout {
	policy, on := enabled(o, "timeout_config")
	if !on {
		return Timeout{}
	}
	v, _ := policy.Get("seconds")
	seconds, _ := v.(int64)
	if huge, ok := v.(*big.Int); ok && huge.Sign() > 0 || seconds > longestTimeLimit {
		seconds = longestTimeLimit
	}
	if seconds <= 0 {
		return Timeout{}
	}
	return Timeout{After: time.Duration(seconds) * time.Second, ThenSkip: policy.Text("action") == actionSkip}
}
