package flow

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// shelf is a store of templates by id, which counts what is asked of it.
type shelf struct {
	trees map[stdops.TemplateID]*Tree
	loads []ChildRef
}

func (s *shelf) load(ref ChildRef) (*Tree, error) {
	s.loads = append(s.loads, ref)
	if t := s.trees[ref.Template]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("no template %d", ref.Template)
}

// refer makes a tree of subprocesses in a row that refer to templates.
func refer(t testing.TB, templates ...stdops.TemplateID) *stdops.Object {
	t.Helper()
	chain := "S"
	for i := range templates {
		chain += fmt.Sprintf(">SUB%d", i)
	}
	o := sketch(chain + ">E")
	for i, id := range templates {
		path := fmt.Sprintf("activities.SUB%d", i)
		set(t, o, path+".pipeline", "")
		set(t, o, path+".template_id", fmt.Sprint(id))
	}
	return o
}

func TestExpand(t *testing.T) {
	t.Parallel()
	child := mustParse(t, sketch("S>A>E"))
	child.Version = "v2"
	before := text(t, child.Template())
	s := &shelf{trees: map[stdops.TemplateID]*Tree{1: child}}
	o := refer(t, 1, 1)
	set(t, o, "activities.SUB1.template_id", `"1"`)
	set(t, o, "activities.SUB1.constants", `{}`)
	tree := mustParse(t, o)
	if err := tree.Expand(s.load, DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	if len(s.loads) != 1 {
		t.Errorf("loaded %d times, want once", len(s.loads))
	}
	mustCompile(t, tree)
	if diff := cmp.Diff(before, text(t, child.Template())); diff != "" {
		t.Errorf("the stored tree was changed:\n%s", diff)
	}
	echo := tree.Echo(TaskIDs(1))
	for _, index := range []stdops.NodeIndex{3, 4} {
		path := "activities." + stdops.NodeID(1, index)
		sub := at(t, echo, path).(*stdops.Object)
		if sub.Text("original_template_id") != "1" || sub.Text("original_template_version") != "v2" || sub.Text("template_source") != "project" {
			t.Errorf("%s: %s", path, text(t, sub))
		}
		if _, had := sub.Get("constants"); had {
			t.Errorf("%s keeps constants", path)
		}
		if got := at(t, echo, path+".pipeline.id"); got != stdops.NodeID(1, index) {
			t.Errorf("%s.pipeline.id is %v", path, got)
		}
	}
}

func TestExpandKeepsInlinePipelines(t *testing.T) {
	t.Parallel()
	o := set(t, sketch("S>SUB>E"), "activities.SUB.template_id", "9")
	tree := mustParse(t, o)
	if err := tree.Expand(nil, DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	if g := mustCompile(t, tree); g.Nodes[6].Name != "inner" {
		t.Errorf("nodes: %v", g.Nodes)
	}
}

func TestExpandInsideInlinePipelines(t *testing.T) {
	t.Parallel()
	s := &shelf{trees: map[stdops.TemplateID]*Tree{1: mustParse(t, sketch("S>A>E"))}}
	o := sketch("S>SUB>E")
	at(t, o, "activities.SUB").(*stdops.Object).Set("pipeline", refer(t, 1))
	tree := mustParse(t, o)
	want := []ChildRef{{Template: 1, Path: "activities.SUB.pipeline.activities.SUB0"}}
	if diff := cmp.Diff(want, tree.Children()); diff != "" {
		t.Errorf("children (-want +got):\n%s", diff)
	}
	if err := tree.Expand(s.load, DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, s.loads); diff != "" {
		t.Errorf("loads (-want +got):\n%s", diff)
	}
	if len(tree.Children()) != 0 || len(mustCompile(t, tree).Nodes) != 1+3+3+3 {
		t.Error("not unfolded")
	}
}

func TestExpandFillsConstants(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>E")
	constant(t, o, "${a}", `"default"`, "source_info", value(t, `{"A":["k"]}`))
	constant(t, o, "${b}", `"kept"`)
	constant(t, o, "${meta}", `{"default":"x"}`, "is_meta", true, "show_type", "hide")
	constant(t, o, "${bare}", `{}`, "is_meta", true, "show_type", "hide")
	constant(t, o, "${open}", `{"default":"x"}`, "is_meta", true)
	given := sketch("S>A>E")
	constant(t, given, "${a}", `"given"`, "form", "f", "source_info", value(t, `{"other":["k"]}`))
	constant(t, given, "${gone}", `"given"`)
	for _, c := range []struct {
		name   string
		latest bool
		want   string
	}{
		{"one version", false, `${a}="given" ${b}="kept" ${meta}="x" ${bare}=null ${open}={"default":"x"} ${gone}="given" {"other":["k"]}`},
		{"always the latest", true, `${a}="given" ${b}="kept" ${meta}="x" ${bare}=null ${open}={"default":"x"} {"A":["k"]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &shelf{trees: map[stdops.TemplateID]*Tree{1: mustParse(t, o)}}
			outer := refer(t, 1)
			sub := at(t, outer, "activities.SUB0").(*stdops.Object)
			sub.Set("constants", at(t, given, "constants"))
			sub.Set("always_use_latest", c.latest)
			sub.Set("version", "v1")
			tree := mustParse(t, outer)
			if err := tree.Expand(s.load, DefaultLimits()); err != nil {
				t.Fatal(err)
			}
			var got []string
			inner := tree.activities[0].pipeline
			for _, k := range inner.Constants() {
				got = append(got, k.Key+"="+text(t, k.Value))
				if _, had := k.raw.Get("form"); had {
					t.Errorf("%s keeps its form", k.Key)
				}
			}
			info, _ := inner.constants[0].raw.Get("source_info")
			got = append(got, text(t, info))
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("constants (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExpandVersions(t *testing.T) {
	t.Parallel()
	s := &shelf{trees: map[stdops.TemplateID]*Tree{1: mustParse(t, sketch("S>A>E"))}}
	o := refer(t, 1, 1, 1)
	set(t, o, "activities.SUB0.version", `"v1"`)
	set(t, o, "activities.SUB1.version", `"v2"`)
	set(t, o, "activities.SUB2.version", `"v1"`)
	set(t, o, "activities.SUB2.template_source", `"common"`)
	if err := mustParse(t, o).Expand(s.load, DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	want := []ChildRef{
		{Template: 1, Version: "v1", Path: "activities.SUB0"},
		{Template: 1, Version: "v2", Path: "activities.SUB1"},
		{Template: 1, Version: "v1", Source: "common", Path: "activities.SUB2"},
	}
	if diff := cmp.Diff(want, s.loads); diff != "" {
		t.Errorf("loads (-want +got):\n%s", diff)
	}
}

func TestExpandRefuses(t *testing.T) {
	t.Parallel()
	chain := &shelf{trees: map[stdops.TemplateID]*Tree{}}
	bomb := &shelf{trees: map[stdops.TemplateID]*Tree{}}
	for i := stdops.TemplateID(1); i <= 40; i++ {
		chain.trees[i] = mustParse(t, refer(t, i+1))
		bomb.trees[i] = mustParse(t, refer(t, i+1, i+1, i+1, i+1, i+1, i+1, i+1, i+1, i+1, i+1))
	}
	leaf := mustParse(t, sketch("S>A>E"))
	bomb.trees[9], chain.trees[33] = leaf, leaf
	circle := &shelf{trees: map[stdops.TemplateID]*Tree{
		1: mustParse(t, refer(t, 2)), 2: mustParse(t, refer(t, 3)), 3: mustParse(t, refer(t, 1)),
	}}
	small := Limits{Nesting: 2, Nodes: 10}
	for _, c := range []struct {
		name   string
		shelf  *shelf
		first  stdops.TemplateID
		limits Limits
		want   string
	}{
		{"circle", circle, 1, DefaultLimits(), "contains itself"},
		{"bomb", bomb, 1, DefaultLimits(), "too many nodes"},
		{"nesting 33", chain, 1, DefaultLimits(), "nesting of subprocesses deeper than 32"},
		{"nesting 32", chain, 2, DefaultLimits(), ""},
		{"own nesting", chain, 31, small, "nesting of subprocesses deeper than 2"},
		{"own size", chain, 32, small, ""},
		{"own size exceeded", bomb, 8, Limits{Nesting: 2, Nodes: 2 + 1 + 12 + 30 - 1}, "too many nodes"},
		{"own size reached", bomb, 8, Limits{Nesting: 2, Nodes: 2 + 1 + 12 + 30}, ""},
		{"unknown template", circle, 7, DefaultLimits(), "no template 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &shelf{trees: c.shelf.trees}
			tree := mustParse(t, refer(t, c.first))
			err := tree.Expand(s.load, c.limits)
			if c.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 1000 {
				t.Errorf("got %.2000v, want %s", err, c.want)
			}
			if len(s.loads) > 50 {
				t.Errorf("loaded %d times", len(s.loads))
			}
		})
	}
}

func TestExpandInlineNesting(t *testing.T) {
	t.Parallel()
	nested := func(levels int) *Tree {
		o := sketch("S>A>E")
		for range levels {
			outer := sketch("S>SUB>E")
			at(t, outer, "activities.SUB").(*stdops.Object).Set("pipeline", o)
			o = outer
		}
		return mustParse(t, o)
	}
	if err := nested(32).Expand(nil, DefaultLimits()); err != nil {
		t.Errorf("32 levels: %v", err)
	}
	for _, levels := range []int{33, 64, 160} {
		err := nested(levels).Expand(nil, DefaultLimits())
		if stdops.ErrorCode(err) != stdops.CodeInvalid || !strings.Contains(err.Error(), "nesting") {
			t.Errorf("%d levels: %v", levels, err)
		}
	}
}

// A reference below the same template elsewhere is nested as deep as its own place says.
func TestExpandMeasuresEveryPlace(t *testing.T) {
	t.Parallel()
	s := &shelf{trees: map[stdops.TemplateID]*Tree{
		1: mustParse(t, refer(t, 2)), 2: mustParse(t, sketch("S>A>E")), 3: mustParse(t, refer(t, 1)),
	}}
	if err := mustParse(t, refer(t, 1, 3)).Expand(s.load, Limits{Nesting: 3, Nodes: 100}); err != nil {
		t.Errorf("refused: %v", err)
	}
	if err := mustParse(t, refer(t, 1, 3)).Expand(s.load, Limits{Nesting: 2, Nodes: 100}); err == nil {
		t.Error("accepted three levels")
	}
}

func TestExpandPassesErrorsOn(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	err := mustParse(t, refer(t, 1)).Expand(func(ChildRef) (*Tree, error) { return nil, cause }, DefaultLimits())
	if !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	if err := mustParse(t, refer(t, 1)).Expand(nil, DefaultLimits()); stdops.ErrorCode(err) != stdops.CodeInvalid {
		t.Errorf("without load: %v", err)
	}
}

func TestTemplateIDs(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"0", "-1", `"x"`, `""`, "1.5", "true", "99999999999999999999", `"0"`} {
		o := set(t, refer(t, 1), "activities.SUB0.template_id", bad)
		if _, err := Parse(o); err == nil || !strings.Contains(err.Error(), "activities.SUB0.template_id: must be the number of a template") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
