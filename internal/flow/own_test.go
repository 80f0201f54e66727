package flow

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

const ownPath = "activities.A.component.data.subprocess.value.pipeline"

// owner makes a tree whose activity A makes a task of what value says.
func owner(value *stdops.Object) *stdops.Object {
	o := sketch("S>A>E")
	activities, _ := o.Get("activities")
	a, _ := activities.(*stdops.Object).Get("A")
	a.(*stdops.Object).Set("component", stdops.NewObject(
		"code", "subprocess_plugin", "version", "1.0.0",
		"data", stdops.NewObject("subprocess", stdops.NewObject("hook", false, "value", value)),
	))
	return o
}

func owning(pipeline *stdops.Object) *stdops.Object {
	return owner(stdops.NewObject("pipeline", pipeline))
}

func TestOwnFlowIsReadWithItsPlace(t *testing.T) {
	t.Parallel()
	broken := sketch("S>B>E")
	set(t, broken, "activities.B.name", "")
	without := sketch("S>A>E")
	set(t, without, "activities.A.component.code", `"subprocess_plugin"`)
	const path = "activities.A.component.data.subprocess"
	for want, o := range map[string]*stdops.Object{
		ownPath + ".activities.B.name: is required":                   owning(broken),
		path + ": is required":                                        without,
		path + ".value: must be an object":                            set(t, owner(nil), path+".value", `"${x}"`),
		path + ".value.pipeline: must be an object":                   owner(stdops.NewObject("pipeline", "x")),
		path + ".value: a subprocess needs template_id or pipeline":   owner(&stdops.Object{}),
		path + ".value.template_id: must be the number of a template": owner(stdops.NewObject("template_id", "x")),
	} {
		if _, err := Parse(o); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestOwnFlowIsValidatedWithItsPlace(t *testing.T) {
	t.Parallel()
	self := sketch("S>B>E")
	constant(t, self, "${k}", `"${k}"`, "show_type", "hide")
	inside := sketch("S>SUB>E")
	at(t, inside, "activities.SUB").(*stdops.Object).Set("pipeline", owning(self))
	for want, o := range map[string]*stdops.Object{
		ownPath + ".constants.${k}.value: constants refer to themselves":                                         owning(self),
		ownPath + "." + ownPath + ".constants.${k}.value: constants refer to themselves":                         owning(owning(self)),
		ownPath + ".activities.SUB.pipeline." + ownPath + ".constants.${k}.value: constants refer to themselves": owning(inside),
	} {
		if err := mustParse(t, o).Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// What enters the flow is read around its activity, where the same name is another variable.
func TestOwnFlowMayTakeAVariableOfItsOwnName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fields []any
		fails  bool
	}{
		{[]any{"show_type", "show"}, false},
		{[]any{"show_type", "show", "need_render", false}, true},
		{[]any{"show_type", "hide"}, true},
	} {
		inner := sketch("S>B>E")
		constant(t, inner, "${k}", `"${k}"`, c.fields...)
		if err := mustParse(t, owning(inner)).Validate(); (err != nil) != c.fails {
			t.Errorf("%v: %v", c.fields, err)
		}
		if err := mustParse(t, inner).ValidateOwn(); (err != nil) != c.fails {
			t.Errorf("%v: by itself: %v", c.fields, err)
		}
		if err := mustParse(t, inner).Validate(); err == nil {
			t.Errorf("%v: a task of it alone is not refused", c.fields)
		}
	}
}

// A constant that only a stored flow is given is not one that nothing refers to.
func TestOwnFlowUsesConstantsAroundIt(t *testing.T) {
	t.Parallel()
	inner := sketch("S>B>E")
	constant(t, inner, "${in}", `"${outer}"`)
	o := owner(stdops.NewObject("template_id", int64(1)))
	constant(t, o, "${outer}", `"x"`)
	constant(t, o, "${other}", `"x"`)
	tree := mustParse(t, o)
	if err := tree.Expand((&shelf{trees: map[stdops.TemplateID]*Tree{1: mustParse(t, inner)}}).load, DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	if uses := tree.Uses(); len(uses) != 1 || uses[0].Key != "${outer}" {
		t.Errorf("used: %v", uses)
	}
}

func TestOwnFlowNamesItsPlugins(t *testing.T) {
	t.Parallel()
	want := []PluginRef{
		{"subprocess_plugin", "1.0.0", "activities.A.component.code"},
		{"debug_node", "legacy", ownPath + ".activities.B.component.code"},
	}
	if diff := cmp.Diff(want, mustParse(t, owning(sketch("S>B>E"))).Plugins()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The flows that activities make tasks of count like subprocesses.
func TestOwnFlowCountsInTheLimits(t *testing.T) {
	t.Parallel()
	deep := sketch("S>B>E")
	for range 3 {
		deep = owning(deep)
	}
	for _, c := range []struct {
		limits Limits
		want   string
	}{
		{Limits{Nesting: 3, Nodes: 12}, "<nil>"},
		{Limits{Nesting: 2, Nodes: 12}, ".pipeline: nesting of subprocesses deeper than 2"},
		{Limits{Nesting: 3, Nodes: 11}, "too many nodes: the tree with its subprocesses has more than 11"},
	} {
		err := mustParse(t, deep).Expand(nil, c.limits)
		if got := fmt.Sprint(err); !strings.HasSuffix(got, c.want) {
			t.Errorf("%+v: got %s, want %s", c.limits, got, c.want)
		}
	}
	if g := mustCompile(t, mustParse(t, deep)); g.Inside != 9 || len(g.Nodes) != 4 {
		t.Errorf("%d nodes, %d inside", len(g.Nodes), g.Inside)
	}
}

// A reference to a stored flow becomes the flow, also where it stands in a flow that a task is made of.
func TestOwnFlowIsUnfolded(t *testing.T) {
	t.Parallel()
	s := &shelf{trees: map[stdops.TemplateID]*Tree{1: mustParse(t, sketch("S>stored>E"))}}
	for name, o := range map[string]*stdops.Object{
		"of a template":       owner(stdops.NewObject("template_id", int64(1), "subprocess_name", "n")),
		"with a subprocess":   owning(refer(t, 1)),
		"of a flow like that": owning(owner(stdops.NewObject("template_id", int64(1)))),
	} {
		t.Run(name, func(t *testing.T) {
			before := text(t, o)
			tree := mustParse(t, o)
			if len(tree.Plugins()) == 0 {
				t.Fatal("no plugin")
			}
			if _, err := Compile(tree); name == "of a template" && err == nil {
				t.Error("compiled without the flow")
			}
			if err := tree.Expand(s.load, DefaultLimits()); err != nil {
				t.Fatal(err)
			}
			g := mustCompile(t, tree)
			given := text(t, g.Nodes[3].Activity.Inputs[0].Value)
			if !strings.Contains(given, `"name":"stored"`) || g.Nodes[3].Activity.Inputs[0].Render {
				t.Errorf("the activity is given %s", given)
			}
			if got := text(t, tree.Echo(TaskIDs(1))); !strings.Contains(got, `"name":"stored"`) {
				t.Errorf("echo %s", got)
			}
			if after := text(t, o); after != before {
				t.Errorf("what was sent has changed to %s", after)
			}
			body, err := tree.Body()
			if err != nil {
				t.Fatal(err)
			}
			again, err := ParseBody(body)
			if err != nil {
				t.Fatal(err)
			}
			if twice, _ := again.Body(); string(twice) != string(body) {
				t.Errorf("body (-once +twice)\n%s", cmp.Diff(string(body), string(twice)))
			}
		})
	}
}

// A stored flow that is used twice is copied each time, with what its activities make tasks of.
func TestOwnFlowOfAStoredFlowIsCopied(t *testing.T) {
	t.Parallel()
	outer := mustParse(t, owning(refer(t, 2)))
	s := &shelf{trees: map[stdops.TemplateID]*Tree{1: outer, 2: mustParse(t, sketch("S>stored>E"))}}
	written := func() string { return text(t, (&writer{own: true}).tree(outer, "")) }
	before := written()
	if err := mustParse(t, refer(t, 1, 1)).Expand(s.load, DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, written()); diff != "" {
		t.Errorf("the stored flow has changed (-before +after)\n%s", diff)
	}
}

func TestOwnFlowOfATemplateThatContainsItself(t *testing.T) {
	t.Parallel()
	s := &shelf{trees: map[stdops.TemplateID]*Tree{1: mustParse(t, owner(stdops.NewObject("template_id", int64(1))))}}
	err := mustParse(t, owner(stdops.NewObject("template_id", int64(1)))).Expand(s.load, DefaultLimits())
	if err == nil || !strings.Contains(err.Error(), "template 1 contains itself") {
		t.Errorf("got %v", err)
	}
}

// TestSecretsOfOwnFlows: what is secret in a flow, however deep, is not shown of the task that makes a task of it either.
func TestSecretsOfOwnFlows(t *testing.T) {
	t.Parallel()
	inner := sketch("S>SUB>E")
	constant(t, at(t, inner, "activities.SUB.pipeline").(*stdops.Object), "${p}", `"s3cret"`, "custom_type", "password")
	tree := mustParse(t, owning(owning(inner)))
	graph := mustCompile(t, tree)
	if got := graph.SecretsOf(&stdops.Object{}).Text("<s3cret>"); got != "<"+stdops.Hidden+">" {
		t.Errorf("%s is shown of the task", got)
	}
	if shown := text(t, tree.Shown().Echo(TaskIDs(7))); strings.Contains(shown, "s3cret") || !strings.Contains(shown, stdops.Hidden) {
		t.Errorf("the tree is shown as %s", shown)
	}
	if kept := text(t, tree.Template()); !strings.Contains(kept, "s3cret") {
		t.Error("the tree itself has changed")
	}
}
