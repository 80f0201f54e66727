package main

import (
	"testing"
	"time"
)

func TestRetentionFlag(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		want  time.Duration
		shown string
	}{
		{"180d", 180 * day, "180d"},
		{"36h", 36 * time.Hour, "36h0m0s"},
		{"48h", 48 * time.Hour, "2d"},
		{"0", 0, "0"},
		{"0d", 0, "0"},
		{"1h", time.Hour, "1h0m0s"},
		{"36500d", mostRetention, "36500d"},
	} {
		var got time.Duration
		f := retentionFlag{&got}
		if err := f.Set(c.text); err != nil || got != c.want || f.String() != c.shown {
			t.Errorf("%s: %v, %v, shown as %s", c.text, got, err, f)
		}
	}
	for _, text := range []string{"", "d", "180", "-1d", "-1h", "59m", "1.5d", "36501d", "2000000000d", "99999999999d", "1w"} {
		got := 7 * day
		if err := (retentionFlag{&got}).Set(text); err == nil || got != 7*day {
			t.Errorf("%q gives %v, %v", text, got, err)
		}
	}
}
