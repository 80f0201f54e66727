package flow

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// shape writes the flows of a tree, each as "id:source>target", and what is drawn.
func shape(t testing.TB, tree *Tree) string {
	t.Helper()
	var words []string
	for _, l := range tree.flows {
		words = append(words, l.id+":"+l.source+">"+l.target)
	}
	return strings.Join(words, " ")
}

func TestSelect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, chains, exclude, want string }{
		{"nothing", "S>A>B>E", "", "l1:S>A l2:A>B l3:B>E"},
		{"one", "S>A>B>D>E", "B", "l1:S>A l2:A>D l4:D>E"},
		{"neighbours", "S>A>B>D>F>E", "B D", "l1:S>A l2:A>F l5:F>E"},
		{"neighbours backwards", "S>A>B>D>F>E", "D B", "l1:S>A l2:A>F l5:F>E"},
		{"several ways in", "S>EG EG>A>Z EG>B>Z Z>Y>E", "Z", "l1:S>EG l2:EG>A l3:A>Y l4:EG>B l5:B>Y l7:Y>E"},
		{"a subprocess", "S>SUB>A>E", "SUB", "l1:S>A l3:A>E"},
		{"empty parallel block", "S>A>PG PG>B>CG PG>D>CG CG>F>E", "B D", "l1:S>A l2:A>F l8:F>E"},
		{"one branch left", "S>PG PG>B>CG PG>D>CG CG>E", "B", "l1:S>PG l4:PG>D l5:D>CG l6:CG>E"},
		{"nested blocks", "S>A>PG1 PG1>PG2 PG2>B>CG1 PG2>D>CG1 CG1>CG2 PG1>F>CG2 CG2>H>E", "B D F", "l1:S>A l2:A>H l12:H>E"},
		{"inner block", "S>PG1 PG1>PG2 PG2>B>CG1 PG2>D>CG1 CG1>CG2 PG1>F>CG2 CG2>H>E", "B D", "l1:S>PG1 l8:PG1>F l9:F>CG2 l10:CG2>H l11:H>E"},
		{"block before a block", "S>PG1 PG1>A>CG1 PG1>B>CG1 CG1>PG2 PG2>D>CG2 PG2>F>CG2 CG2>H>E", "A B", "l1:S>PG2 l7:PG2>D l8:D>CG2 l9:PG2>F l10:F>CG2 l11:CG2>H l12:H>E"},
		{"exclusive and conditional gateways stay", "S>CPG CPG>B>CG CPG>D>CG CG>E", "B D", "l1:S>CPG l2:CPG>CG l4:CPG>CG l6:CG>E"},
		{"converge shared with an exclusive gateway", "S>EG EG>PG PG>B>CG PG>D>CG EG>H>CG CG>F>E", "B D", "l1:S>EG l2:EG>F l7:EG>H l8:H>F l10:F>E"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tree := mustParse(t, sketch(c.chains))
			if _, err := tree.Select(strings.Fields(c.exclude)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, shape(t, tree)); diff != "" {
				t.Errorf("flows (-want +got):\n%s", diff)
			}
			mustCompile(t, tree)
			again, err := Parse(tree.Template())
			if err != nil {
				t.Fatal(err)
			}
			mustCompile(t, again)
		})
	}
}

// TestSelectChild looks at what a subprocess keeps for its parent: the constants that are outputs, and what these need.
func TestSelectChild(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>B>E")
	constants := &stdops.Object{}
	for i, c := range [][2]string{{"${a}", ""}, {"${out}", "${deep}"}, {"${deep}", "x"}, {"${idle}", "x"}} {
		constants.Set(c[0], stdops.NewObject("key", c[0], "name", "n", "index", int64(i), "value", c[1], "show_type", "show", "source_type", "custom"))
	}
	o.Set("constants", constants)
	o.Set("outputs", []any{"${out}", "${a}"})
	set(t, o, "activities.A.component.data", `{"x":{"hook":false,"value":"${a}"}}`)
	for name, c := range map[string]struct {
		run              func(*Tree, []string) (*Selection, error)
		outputs, dropped string
	}{
		"child": {(*Tree).SelectChild, "[${a} ${out}]", "[${idle}]"},
		"root":  {(*Tree).Select, "[${a}]", "[${out} ${deep} ${idle}]"},
	} {
		tree := mustParse(t, o)
		selection, err := c.run(tree, tree.ExceptOptional([]string{"A"}))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(tree.Activities(), tree.Outputs(), selection.NotReferred.Keys()); got != "[A] "+c.outputs+" "+c.dropped {
			t.Errorf("%s: activities, outputs, dropped constants: %s", name, got)
		}
	}
}

func TestSelectRefuses(t *testing.T) {
	t.Parallel()
	o := set(t, sketch("S>A>B>PG PG>CG PG>CG CG>E"), "activities.B.optional", "false")
	for exclude, want := range map[string]string{
		"nonsense": "task node[id=nonsense] is not in template pipeline tree",
		"PG":       "task node[id=PG] is not in template pipeline tree",
		"S":        "task node[id=S] is not in template pipeline tree",
		"A A":      "task node[id=A] is not in template pipeline tree",
		"B":        "task node[id=B] is not optional",
	} {
		_, err := mustParse(t, o).Select(strings.Fields(exclude))
		if err == nil || err.Error() != want || stdops.ErrorCode(err) != stdops.CodeInvalid {
			t.Errorf("%s: got %v, want %s", exclude, err, want)
		}
	}
}

func TestSelectOfEverything(t *testing.T) {
	t.Parallel()
	tree := mustParse(t, sketch("S>A>E"))
	if _, err := tree.Select([]string{"A"}); err != nil {
		t.Fatal(err)
	}
	if err := tree.Validate(); err == nil || !strings.HasPrefix(err.Error(), "start_event: ") {
		t.Errorf("a flow from start to end: %v", err)
	}
}

func TestSelectRedraws(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>B>D>E")
	set(t, o, "line", `[{"id":"l1","source":{"id":"S","arrow":"Right"},"target":{"id":"A","arrow":"Left"}},
		{"id":"l2","source":{"id":"A","arrow":"Right"},"target":{"id":"B","arrow":"Top"}},
		{"id":"l3","source":{"id":"B","arrow":"Right"},"target":{"id":"D","arrow":"Left"}},
		{"id":"l4","source":{"id":"D","arrow":"Right"},"target":{"id":"E","arrow":"Left"}}]`)
	set(t, o, "location", `[{"id":"S"},{"id":"A"},{"id":"B"},{"id":"D"},{"id":"E"}]`)
	tree := mustParse(t, o)
	if _, err := tree.Select([]string{"B"}); err != nil {
		t.Fatal(err)
	}
	got := tree.Template()
	for path, want := range map[string]string{
		"line": `[{"id":"l1","source":{"id":"S","arrow":"Right"},"target":{"id":"A","arrow":"Left"}},` +
			`{"id":"l2","source":{"id":"A","arrow":"Right"},"target":{"id":"D","arrow":"Top"}},` +
			`{"id":"l4","source":{"id":"D","arrow":"Right"},"target":{"id":"E","arrow":"Left"}}]`,
		"location":              `[{"id":"S"},{"id":"A"},{"id":"D"},{"id":"E"}]`,
		"activities.D.incoming": `["l2"]`,
	} {
		if diff := cmp.Diff(want, text(t, at(t, got, path))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestSelectPrunesConstants(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>EG EG>B>CG EG>SUB>CG CG>D>E")
	set(t, o, "activities.A.component.data.k", `{"hook":false,"value":["x ${v + int(w)}"]}`)
	set(t, o, "activities.A.component.data.script", `{"hook":false,"value":"echo \"$STDOPS_VAR_env\" $STDOPS_VAR_unknown"}`)
	set(t, o, "activities.D.component.data.k", `{"hook":false,"value":"${only_d} ${both}"}`)
	set(t, o, "activities.B.component.data.k", `{"hook":true,"value":"${both}"}`)
	set(t, o, "gateways.EG.conditions.l3.evaluate", `"${rule} == 1"`)
	inner := at(t, o, "activities.SUB.pipeline").(*stdops.Object)
	constant(t, inner, "${shown}", `"${passed}"`)
	constant(t, inner, "${hidden}", `"${unused}"`, "show_type", "hide")
	for i, key := range []string{"${through}", "${v}", "${w}", "${only_d}", "${both}", "${rule}", "${passed}", "${unused}", "${also_unused}", "${env}"} {
		constant(t, o, key, `"1"`, "index", int64(20-i))
	}
	constant(t, o, "${v}", `{"a":["${through}"]}`, "index", int64(1))
	constant(t, o, "${both}", `""`, "source_type", "component_inputs", "source_info", value(t, `{"B":["k"],"D":["k"]}`))
	constant(t, o, "${out}", `""`, "source_type", "component_outputs", "source_info", value(t, `{"D":["k"]}`), "index", int64(99))
	o.Set("outputs", []any{"${unused}", "${out}", "${w}"})
	tree := mustParse(t, o)
	s, err := tree.Select([]string{"D"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, c := range tree.Constants() {
		got = append(got, c.Key)
		if index, _ := c.raw.Get("index"); index != int64(i) {
			t.Errorf("%s has index %v, want %d", c.Key, index, i)
		}
	}
	if diff := cmp.Diff([]string{"${both}", "${v}", "${env}", "${passed}", "${rule}", "${w}", "${through}", "${out}"}, got); diff != "" {
		t.Errorf("constants (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"${only_d}", "${unused}", "${also_unused}"}, s.NotReferred.Keys()); diff != "" {
		t.Errorf("not referred (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"${out}", "${w}"}, tree.Outputs()); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	written := tree.Template()
	for path, want := range map[string]string{"constants.${both}.source_info": `{"B":["k"]}`, "constants.${out}.source_info": `{}`} {
		if got := text(t, at(t, written, path)); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if m := mustCompile(t, tree).Nodes[4].Activity.Outputs; m != nil {
		t.Errorf("outputs of B: %v", m)
	}
}

// Values of a subprocess that is not unfolded yet count like those of one that is.
func TestPruneSeesValuesForTemplates(t *testing.T) {
	t.Parallel()
	o := refer(t, 1)
	set(t, o, "activities.SUB0.constants", `{"${a}":{"key":"${a}","value":"${v}","show_type":"show"},"${b}":{"key":"${b}","value":"${w}","show_type":"hide"}}`)
	constant(t, o, "${v}", `1`)
	constant(t, o, "${w}", `1`)
	s, err := mustParse(t, o).Select(nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"${w}"}, s.NotReferred.Keys()); diff != "" {
		t.Errorf("not referred (-want +got):\n%s", diff)
	}
}

func TestExcept(t *testing.T) {
	t.Parallel()
	tree := mustParse(t, sketch("S>D>B>A>PG PG>CG PG>CG CG>E"))
	if diff := cmp.Diff([]string{"A", "D"}, tree.Except([]string{"B", "ghost", "PG"})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"${a}":                    "a",
		"${a+int(b)}":             "a int b",
		`${a["c"]} ${"%s" % d}`:   "a d",
		"a b ${c":                 "",
		"${a.b.c}":                "a",
		"${ {'k': v}[k] } w ${x}": "x",
		`${"}" + a} b`:            "",
		"${a # b} ${${c}}":        "c",
		"it's ${a} o'clock":       "a",
		"${a'} b ${c}":            "a c",
		"${1a}":                   "1a",
		"$${a}":                   "a",
		"no":                      "",
	} {
		var got []string
		for word := range references([]any{stdops.NewObject("k", text)}) {
			got = append(got, word)
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}
