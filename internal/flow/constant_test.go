package flow

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func TestSetConstants(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>E")
	constant(t, o, "${a}", `1`)
	constant(t, o, "${b}", `2`)
	tree := mustParse(t, o)
	tree.SetConstants(stdops.NewObject("${b}", "new", "${ghost}", "x", "a", "no key"))
	if got, want := text(t, tree.TakeValues()), `{"a":1,"b":"new"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	tree.SetConstants(nil)
}

func TestRevalue(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>E")
	constant(t, o, "${a}", `1`)
	constant(t, o, "${b}", `2`)
	tree := mustParse(t, o)
	tree.TakeValues()
	had := stdops.NewObject("a", "x", "b", "${a}")
	for _, c := range []struct {
		values        *stdops.Object
		want, unknown string
		refused       string
	}{
		{stdops.NewObject("${a}", int64(7), "a", "no key", "${ghost}", "x"), `{"a":7}`, `["a","${ghost}"]`, ""},
		{nil, `{}`, `[]`, ""},
		{stdops.NewObject("${a}", "${b}", "${b}", "y"), `{"a":"${b}","b":"y"}`, `[]`, ""},
		{stdops.NewObject("${a}", "${a}!"), "", "", "constants.${a}.value: constants refer to themselves: ${a}"},
		{stdops.NewObject("${a}", "${b}"), "", "", "constants.${a}.value: constants refer to each other in a circle: ${a} → ${b} → ${a}"},
	} {
		own, unknown, err := tree.Revalue(had, c.values)
		if c.refused != "" {
			if err == nil || err.Error() != c.refused || stdops.ErrorCode(err) != stdops.CodeInvalid {
				t.Errorf("got %v, want %s", err, c.refused)
			}
			continue
		}
		list := []any{}
		for _, key := range unknown {
			list = append(list, key)
		}
		if err != nil || text(t, own) != c.want || text(t, list) != c.unknown {
			t.Errorf("got %s and %v, %v, want %s and %s", text(t, own), unknown, err, c.want, c.unknown)
		}
	}
	if text(t, had) != `{"a":"x","b":"${a}"}` || tree.Constants()[0].Value != nil {
		t.Error("what was there was changed")
	}
}

func TestMeta(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, value, default_, kept string }{
		{"default", `{"default":"d","default_text":"t"}`, `"d"`, `{"default":"d","default_text":"t"}`},
		{"text of the default", `{"default":"","default_text":"t"}`, `"t"`, `{"default":"","default_text":"t"}`},
		{"neither", `{"items_text":"[]"}`, `""`, `{"items_text":"[]"}`},
		{"list", `["a"]`, `["a"]`, `["a"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := sketch("S>A>E")
			constant(t, o, "${m}", c.value, "is_meta", true)
			constant(t, o, "${had}", c.value, "is_meta", true, "meta", stdops.NewObject("mine", true))
			constant(t, o, "${plain}", c.value, "is_meta", false)
			chosen, kept := mustParse(t, o), mustParse(t, o)
			chosen.ChooseDefaults()
			kept.KeepMeta()
			for tree, want := range map[*Tree]string{chosen: c.default_, kept: c.kept} {
				constants := tree.Constants()
				meta, _ := constants[0].raw.Get("meta")
				before := at(t, o, "constants.${m}")
				if diff := cmp.Diff(text(t, before), text(t, meta)); diff != "" {
					t.Errorf("meta (-want +got):\n%s", diff)
				}
				if got := text(t, constants[0].Value); got != want {
					t.Errorf("value %s, want %s", got, want)
				}
				had, _ := constants[1].raw.Get("meta")
				if text(t, had) != `{"mine":true}` || text(t, constants[1].Value) != c.value {
					t.Errorf("meta that was there became %s", text(t, had))
				}
				if _, had := constants[2].raw.Get("meta"); had {
					t.Error("a plain constant has meta")
				}
			}
		})
	}
}

func TestSimplify(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>E")
	constant(t, o, "${a}", `1`, "custom_type", "select", "is_meta", true)
	constant(t, o, "${b}", `1`, "custom_type", "select")
	constant(t, o, "${c}", `1`, "custom_type", "select", "source_type", "component_inputs")
	tree := mustParse(t, o)
	tree.Simplify([]string{"${a}", "${c}"})
	constants := tree.Constants()
	if a := constants[0]; a.CustomType != "textarea" || a.raw.Text("source_tag") != "textarea.textarea" || flag(a.raw, "is_meta", true) {
		t.Errorf("a: %s", text(t, a.raw))
	}
	for _, c := range constants[1:] {
		if c.CustomType != "select" {
			t.Errorf("%s: %s", c.Key, text(t, c.raw))
		}
	}
}
