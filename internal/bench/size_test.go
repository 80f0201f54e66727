package bench

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSize runs the whole bench of sizes, with sizes that are none.
func TestSize(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var told []string
	o := SizeOptions{Nodes: 150, Few: 110, Many: 120, Questions: 3, Rounds: 2, Progress: func(name string) { told = append(told, name) }}
	report, err := Size(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	large := []string{
		"task of very many nodes, unchanged", "task of very many nodes, changed before each question", "bare handler, as many bytes",
	}
	want := append(append(append([]string(nil), large...), large...), "(fill a store with 120 tasks)", "(fill a store with 110 tasks)",
		"50 random finished tasks, not asked for before", "50 random finished tasks, again and again")
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	if len(report.Figures) != 3 || len(report.Comparisons) != 2 {
		t.Fatalf("%d figures, %d comparisons", len(report.Figures), len(report.Comparisons))
	}
	for _, f := range report.Figures {
		if f.Unit != "ms" || len(f.Rounds) != o.Rounds || f.Min <= 0 || f.Min > f.Median || f.Median > f.Max {
			t.Errorf("%+v", f)
		}
	}
	for _, c := range report.Comparisons {
		if c.Unit != "ms" || len(c.Ours.Rounds) != o.Rounds || len(c.Reference.Rounds) != o.Rounds || c.Ratio <= 0 {
			t.Errorf("%+v", c)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSizeOptions(t *testing.T) {
	t.Parallel()
	good := SizeOptions{Nodes: 10_000, Few: 1000, Many: 100_000, Questions: 100, Rounds: 5}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*SizeOptions){
		"nodes":     func(o *SizeOptions) { o.Nodes = fewestWide },
		"more":      func(o *SizeOptions) { o.Nodes = 20_001 },
		"few":       func(o *SizeOptions) { o.Few = 49 },
		"many":      func(o *SizeOptions) { o.Many = 999 },
		"questions": func(o *SizeOptions) { o.Questions = 0 },
		"rounds":    func(o *SizeOptions) { o.Rounds = 0 },
	} {
		o := good
		spoil(&o)
		if o.Check() == nil {
			t.Errorf("%s: %+v passes", name, o)
		}
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	var times []time.Duration
	for i := range 200 {
		times = append(times, time.Duration(200-i)*time.Millisecond)
	}
	if got := worst(times); got != 198 {
		t.Errorf("of 1 to 200 ms: %v", got)
	}
	if got := worst(times[:1]); got != 200 {
		t.Errorf("of one: %v", got)
	}
}
