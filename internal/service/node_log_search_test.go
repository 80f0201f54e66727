package service

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// searchAll searches a text that is a log, of which so many bytes are looked through at a time; each line counts once.
func searchAll(t *rapid.T, log, wanted string, window int) (lines []int64) {
	at := LogPlace{Line: 1}
	for i := 0; ; i++ {
		text, from := characters([]byte(log[at.From:min(len(log), int(at.From)+window)]), at.From, int64(len(log)))
		end := from + int64(len(text))
		hits, next, searched := findLines(text, LogPlace{From: from, Line: at.Line, Begin: at.Begin}, end == int64(len(log)), wanted)
		for _, hit := range hits {
			if begins := hit.From == 0 || log[hit.From-1] == '\n'; !begins || int64(strings.Count(log[:hit.From], "\n")) != hit.Line-1 {
				t.Fatalf("line %d begins at %d", hit.Line, hit.From)
			}
			if !slices.Contains(lines, hit.Line) {
				lines = append(lines, hit.Line)
			}
		}
		if searched == int64(len(log)) {
			return lines
		}
		if next.From <= at.From || searched < next.From {
			t.Fatalf("from %d it came to %d, looked through to %d", at.From, next.From, searched)
		}
		at = next
	}
}

func TestSearchLog_finds_each_line_however_it_is_cut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("abAé\u212a")), 0, 300, -1), 1, 20).Draw(t, "lines")
		wanted := rapid.StringOfN(rapid.RuneFrom([]rune("abk")), 1, 3, -1).Draw(t, "wanted")
		log := strings.Join(lines, "\n")
		var want []int64
		for i, line := range lines {
			if strings.Contains(strings.ToLower(line), wanted) {
				want = append(want, int64(i+1))
			}
		}
		if got := searchAll(t, log, wanted, rapid.IntRange(64, 500).Draw(t, "window")); !slices.Equal(got, want) {
			t.Fatalf("found %v, want %v", got, want)
		}
	})
}

func TestSearchLog_shows_what_it_found(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 1000) + "Needle" + strings.Repeat("é", 1000)
	many := strings.Repeat("needle\n", mostLogHits+1)
	for _, c := range []struct {
		text, wanted string
		hits         int
		excerpt      string
	}{
		{"a\x1b[1mNee\x1b[0mdle\nneedles\n", "NEEDLE", 2, "a\x1b[1mNee\x1b[0mdle"},
		{"\u009b31mneedle \x1b]0;title\x07", "title", 0, ""},
		{"31m", "31M", 1, "31m"},
		{many, "needle", mostLogHits, "needle"},
	} {
		hits, next, searched := findLines(c.text, LogPlace{Line: 1}, true, c.wanted)
		if len(hits) != c.hits || len(hits) > 0 && hits[0].Text != c.excerpt {
			t.Errorf("%.40q: %d hits", c.text, len(hits))
		}
		if c.hits == mostLogHits && (next != LogPlace{7 * mostLogHits, mostLogHits + 1, 7 * mostLogHits} || searched != next.From) {
			t.Errorf("it goes on at %+v, looked through to %d", next, searched)
		}
	}
	hits, _, _ := findLines(long, LogPlace{Line: 1}, true, "needle")
	if len(hits) != 1 || len(hits[0].Text) > longestExcerpt || !strings.Contains(hits[0].Text, "éNeedleé") || strings.ContainsRune(hits[0].Text, '\ufffd') {
		t.Errorf("of a long line: %+v", hits)
	}
}
