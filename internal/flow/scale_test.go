package flow

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// The shapes that a careless algorithm takes exponential or quadratic time for.
var scales = map[string]func() string{
	"10000 in series": func() string {
		var b strings.Builder
		b.WriteString("S")
		for i := range 10_000 {
			fmt.Fprintf(&b, ">A%d", i)
		}
		return b.String() + ">E"
	},
	"5000 in parallel": func() string {
		var b strings.Builder
		b.WriteString("S>PG ")
		for i := range 5_000 {
			fmt.Fprintf(&b, "PG>A%d>CG ", i)
		}
		return b.String() + "CG>E"
	},
	"60 diamonds": func() string { return diamonds("S", 60, "E") },
	"60 diamonds without converge gateways": func() string {
		var b strings.Builder
		b.WriteString("S>EG0 ")
		for i := range 60 {
			fmt.Fprintf(&b, "EG%d>A%d>EG%d EG%d>B%d>EG%d ", i, i, i+1, i, i, i+1)
		}
		return b.String() + "EG60>A60>E EG60>B60>E"
	},
	"3000 diamonds in a branch": func() string {
		return "S>EG EG>X>CG EG>Y " + diamonds("Y", 3_000, "CG") + " CG>E"
	},
	"many ways into a chain of diamonds": func() string {
		var b strings.Builder
		for i := range 1_500 {
			fmt.Fprintf(&b, "EGx%d>EGx%d EGx%d>J ", i, i+1, i)
		}
		return "S>EGx0 " + b.String() + "EGx1500>E EGx1500>J " + diamonds("J", 1_500, "E")
	},
	"4000 exclusive gateways inside each other": func() string { return nest("EG", 4_000) },
	"4000 parallel gateways inside each other":  func() string { return nest("PG", 4_000) },
	"3000 gateways that lead back": func() string {
		var b strings.Builder
		for i := range 3_000 {
			fmt.Fprintf(&b, "EG%d>EG%d EG%d>EG0 ", i, i+1, i)
		}
		return "S>EG0 " + b.String() + "EG3000>E"
	},
}

func diamonds(from string, n int, to string) string {
	var b strings.Builder
	b.WriteString(from + ">EG0 ")
	for i := range n {
		next := fmt.Sprintf("EG%d", i+1)
		if i == n-1 {
			next = to
		}
		fmt.Fprintf(&b, "EG%d>A%d>CG%d EG%d>B%d>CG%d CG%d>%s ", i, i, i, i, i, i, i, next)
	}
	return b.String()
}

func nest(kind string, n int) string {
	var b strings.Builder
	b.WriteString("S>" + kind + "0 ")
	for i := range n - 1 {
		fmt.Fprintf(&b, "%s%d>%s%d %s%d>A%d>CG%d CG%d>CG%d ", kind, i, kind, i+1, kind, i, i, i, i+1, i)
	}
	fmt.Fprintf(&b, "%s%d>X>CG%d %s%d>Y>CG%d CG0>E", kind, n-1, n-1, kind, n-1, n-1)
	return b.String()
}

func TestScale(t *testing.T) {
	t.Parallel()
	for name, chains := range scales {
		t.Run(name, func(t *testing.T) {
			tree := mustParse(t, sketch(chains()))
			if err := tree.Expand(nil, DefaultLimits()); err != nil {
				t.Fatal(err)
			}
			g := mustCompile(t, tree)
			if got, want := len(g.Nodes), 3+len(tree.activities)+len(tree.gateways); got != want {
				t.Errorf("%d nodes, want %d", got, want)
			}
		})
	}
}

func TestManyFragmentsThatNothingCloses(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("${{}", 500_000) + "${a}"
	if diff := cmp.Diff([]string{"a"}, fragments(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLongChainOfConstants(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>E")
	for i := range 20_000 {
		constant(t, o, fmt.Sprintf("${v%d}", i), fmt.Sprintf(`"${v%d}"`, i+1))
	}
	set(t, o, "activities.A.component.data.k", `{"hook":false,"value":"${v0}"}`)
	tree := mustParse(t, o)
	if err := tree.Validate(); err != nil {
		t.Error(err)
	}
	s, err := tree.Select(nil)
	if err != nil || s.NotReferred.Len() != 0 {
		t.Errorf("%v, dropped %d", err, s.NotReferred.Len())
	}
	constant(t, o, "${v20000}", `"${v0}"`)
	err = mustParse(t, o).Validate()
	if err == nil || !strings.Contains(err.Error(), "circle") || len(err.Error()) > 1_000 {
		t.Errorf("got %.2000v", err)
	}
}

func BenchmarkValidate(b *testing.B) {
	for name, chains := range scales {
		o := sketch(chains())
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				tree, err := Parse(o)
				if err == nil {
					err = tree.Validate()
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	tree := mustParse(b, sketch(scales["10000 in series"]()))
	if err := tree.Validate(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Compile(tree); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEcho(b *testing.B) {
	tree := mustParse(b, sketch(scales["10000 in series"]()))
	for b.Loop() {
		if _, err := stdops.EncodeValue(tree.Echo(TaskIDs(1))); err != nil {
			b.Fatal(err)
		}
	}
}

// TestParseStopsAmongProblems parses a tree of very many bad nodes deep inside of others. Each problem has a path, so that
// what is looked at has to end.
func TestParseStopsAmongProblems(t *testing.T) {
	t.Parallel()
	inner := sketch("S>A>E")
	activities := at(t, inner, "activities").(*stdops.Object)
	for i := range 100_000 {
		activities.Set(fmt.Sprint("bad", i), &stdops.Object{})
	}
	for range 150 {
		outer := sketch("S>SUB>E")
		at(t, outer, "activities.SUB").(*stdops.Object).Set("pipeline", inner)
		inner = outer
	}
	_, err := Parse(inner)
	if err == nil || !strings.Contains(err.Error(), "and 1000 more at least") {
		t.Fatalf("got %.300v", err)
	}
}
