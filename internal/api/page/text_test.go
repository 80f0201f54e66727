package page

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, limit := rapid.String().Draw(t, "text"), rapid.IntRange(1, 20).Draw(t, "limit")
		got := cut(text, limit)
		head, short := strings.CutSuffix(got, "…")
		switch {
		case utf8.RuneCountInString(got) > limit:
			t.Fatalf("%q is longer than %d", got, limit)
		case got != text && !short, got != text && !strings.HasPrefix(text, head):
			t.Fatalf("%q does not begin like %q", got, text)
		case utf8.RuneCountInString(text) <= limit && got != text:
			t.Fatalf("%q was cut to %q", text, got)
		}
	})
}

func TestDuration(t *testing.T) {
	t.Parallel()
	want := map[int64]string{
		0: "0 s", 59: "59 s", 60: "1 min 00 s", 61: "1 min 01 s", 3599: "59 min 59 s", 3600: "1 h 00 min", 3661: "1 h 01 min",
		86399: "23 h 59 min", 86400: "1 d 0 h", 1_000_000: "11 d 13 h",
	}
	got := map[int64]string{}
	for seconds := range want {
		got[seconds] = duration(seconds)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got)\n" + diff)
	}
}

func TestStamp(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("Asia/Shanghai", 8*3600)
	c := newClock(noon, zone)
	for _, row := range []struct {
		t    time.Time
		want stamp
	}{
		{time.Time{}, stamp{}},
		{at(1), stamp{"2026-05-04T20:00:01+08:00", "2026-05-04 20:00:01 Asia/Shanghai", "20:00:01"}},
		{at(-20 * 3600), stamp{"2026-05-04T00:00:00+08:00", "2026-05-04 00:00:00 Asia/Shanghai", "00:00:00"}},
		{at(-20*3600 - 1), stamp{"2026-05-03T23:59:59+08:00", "2026-05-03 23:59:59 Asia/Shanghai", "2026-05-03 23:59:59"}},
	} {
		if diff := cmp.Diff(row.want, c.stamp(row.t)); diff != "" {
			t.Error("(-want +got)\n" + diff)
		}
	}
	for zone, want := range map[*time.Location]string{
		zone: "Asia/Shanghai (UTC+08:00)", time.UTC: "UTC", time.FixedZone("X", -9000): "X (UTC-02:30)",
	} {
		if got := newClock(noon, zone).zone(); got != want {
			t.Errorf("zone %q, want %q", got, want)
		}
	}
}

var cssColour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)

// TestContrast computes the contrast of every text colour with every ground that it stands on, as WCAG 2 defines it.
func TestContrast(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("static/page.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(css), "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("the style sheet has no dark scheme")
	}
	for scheme, text := range map[string]string{"light": light, "dark": dark[:strings.Index(dark, "\n}")]} {
		colours := map[string]float64{}
		for _, m := range cssColour.FindAllStringSubmatch(text, -1) {
			colours[m[1]] = luminance(m[2])
		}
		pairs := []string{"on-accent accent", "failed failed-ground", "ink failed-ground", "muted failed-ground", "accent failed-ground"}
		for _, ink := range []string{"ink", "muted", "accent", "finished", "running", "failed", "suspended", "revoked"} {
			for _, ground := range []string{"ground", "paper", "attention-ground"} {
				pairs = append(pairs, ink+" "+ground)
			}
		}
		pairs = append(pairs, "ink raised", "muted raised")
		for _, pair := range pairs {
			ink, ground, _ := strings.Cut(pair, " ")
			a, hasInk := colours[ink]
			b, hasGround := colours[ground]
			if got := (max(a, b) + .05) / (min(a, b) + .05); !hasInk || !hasGround || got < 4.5 {
				t.Errorf("%s: %s on %s has a contrast of %.2f", scheme, ink, ground, got)
			}
		}
	}
}

// luminance is the relative luminance of a colour.
func luminance(hex string) float64 {
	part := func(i int) float64 {
		n, err := strconv.ParseUint(hex[i:i+2], 16, 8)
		if err != nil {
			panic(fmt.Sprintf("colour %s", hex))
		}
		v := float64(n) / 255
		if v <= .04045 {
			return v / 12.92
		}
		return math.Pow((v+.055)/1.055, 2.4)
	}
	return .2126*part(0) + .7152*part(2) + .0722*part(4)
}
