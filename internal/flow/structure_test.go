package flow

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

type structureCase struct{ name, chains, want string }

func structureCases(t testing.TB) []structureCase {
	t.Helper()
	data, err := os.ReadFile("testdata/structure.txt")
	if err != nil {
		t.Fatal(err)
	}
	var cases []structureCase
	for l := range strings.Lines(string(data)) {
		if l = strings.TrimSpace(l); l == "" || l[0] == '#' {
			continue
		}
		parts := strings.Split(l, " | ")
		if len(parts) != 3 {
			t.Fatalf("bad line: %s", l)
		}
		cases = append(cases, structureCase{parts[0], parts[1], parts[2]})
	}
	return cases
}

func TestStructure(t *testing.T) {
	t.Parallel()
	for _, c := range structureCases(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := sketch(c.chains)
			for _, id := range at(t, o, "activities").(*stdops.Object).Keys() {
				if in, _ := at(t, o, "activities."+id+".incoming").([]any); len(in) == 0 {
					set(t, o, "activities."+id+".incoming", `""`) // an empty list has no valid form
				}
			}
			tree, err := Parse(o)
			if err == nil {
				err = tree.Validate()
			}
			if want, ok := strings.CutPrefix(c.want, "ok"); ok {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				if diff := cmp.Diff(sorted(strings.Fields(want)), matches(tree)); diff != "" {
					t.Errorf("matches (-want +got):\n%s", diff)
				}
				mustCompile(t, tree)
				return
			}
			if stdops.ErrorCode(err) != stdops.CodeInvalid || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one at %s", err, c.want)
			}
		})
	}
}

func matches(tree *Tree) []string {
	var list []string
	for _, n := range tree.gateways {
		if n.converge != "" {
			list = append(list, n.id+"="+n.converge)
		}
	}
	return sorted(list)
}

func sorted(list []string) []string {
	slices.Sort(list)
	return append([]string{}, list...)
}

func TestConnections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, path, value, want string }{
		{"flow to nowhere", "flows.l3.target", `"ghost"`, `end_event.incoming: flow "l3" leads to another node`},
		{"flow from nowhere", "flows.l3.source", `"ghost"`, `flows.l3.source: node "ghost" does not exist`},
		{"unknown flow", "activities.A.outgoing", `"l9"`, `activities.A.outgoing: flow "l9" does not exist`},
		{"unknown incoming flow", "activities.B.incoming", `["l2","l9"]`, `activities.B.incoming: flow "l9" does not exist`},
		{"flow named twice", "activities.B.incoming", `["l2","l2"]`, `activities.B.incoming: flow "l2" is named twice`},
		{"flow of others", "activities.A.outgoing", `"l3"`, `activities.A.outgoing: flow "l3" begins at another node, "B"`},
		{"flow that nobody names", "flows.l9", `{"id":"l9","source":"A","target":"E"}`, "flows.l9: the flow is not named in outgoing"},
		{"stray flow to nowhere", "flows.l9", `{"id":"l9","source":"A","target":"ghost"}`, `flows.l9.target: node "ghost" does not exist`},
		{"no flows", "flows", "", `start_event.outgoing: flow "l1" does not exist`},
		{"start with incoming", "start_event.incoming", `["l1"]`, `start_event.incoming: flow "l1" leads to another node`},
		{"no outgoing", "start_event.outgoing", `""`, `flows.l1: the flow is not named in outgoing of "S"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := mustParse(t, set(t, sketch("S>A>B>E"), c.path, c.value)).Validate()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestTargetOfFlowMissing(t *testing.T) {
	t.Parallel()
	o := set(t, sketch("S>A>B>E"), "flows.l3.target", `"ghost"`)
	set(t, o, "end_event.incoming", `""`)
	err := mustParse(t, o).Validate()
	if want := `flows.l3.target: node "ghost" does not exist`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestConditionsMatchBranches(t *testing.T) {
	t.Parallel()
	const flows = "S>EG EG>A>CG EG>B>CG CG>E" // l2 and l4 are the branches
	for _, c := range []struct{ name, path, value, want string }{
		{"branch without condition", "gateways.EG.conditions.l4", "", `gateways.EG.conditions: flow "l4" has no condition and is not the default`},
		{"condition for a foreign flow", "gateways.EG.conditions.l3", `{"evaluate":"1"}`, `gateways.EG.conditions: flow "l3" does not leave this gateway`},
		{"foreign default", "gateways.EG.default_condition", `{"flow_id":"l3"}`, `gateways.EG.default_condition.flow_id: flow "l3" does not leave`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := mustParse(t, set(t, sketch(flows), c.path, c.value)).Validate()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	o := set(t, sketch(flows), "gateways.EG.conditions.l4", "")
	set(t, o, "gateways.EG.default_condition", `{"flow_id":"l4"}`)
	g := mustCompile(t, mustParse(t, o))
	if d := g.Nodes[5].Default; d == nil || d.Target != 4 || len(g.Nodes[5].Branches) != 1 {
		t.Errorf("default %v, branches %v", d, g.Nodes[5].Branches)
	}
}

func TestClientCannotSetMatch(t *testing.T) {
	t.Parallel()
	tree := mustParse(t, set(t, sketch("S>EG EG>A>E EG>B>E"), "gateways.EG.converge_gateway_id", `"A"`))
	mustCompile(t, tree)
	if v := at(t, tree.Template(), "gateways.EG").(*stdops.Object); v.Text("converge_gateway_id") != "" {
		t.Errorf("kept %s", text(t, v))
	}
}
