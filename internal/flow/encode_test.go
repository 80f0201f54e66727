package flow

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// full is a tree with everything in it that carries ids.
func full(t testing.TB) *stdops.Object {
	t.Helper()
	data, err := os.ReadFile("testdata/full.json")
	if err != nil {
		t.Fatal(err)
	}
	return value(t, string(data)).(*stdops.Object)
}

func readable(t testing.TB, v any) string {
	t.Helper()
	return strings.NewReplacer(",\"", ",\n\"", "{\"", "{\n\"").Replace(text(t, v))
}

func TestEchoRewritesEveryID(t *testing.T) {
	t.Parallel()
	tree := mustParse(t, full(t))
	mustCompile(t, tree)
	want, err := os.ReadFile("testdata/full.echo.json")
	if err != nil {
		t.Fatal(err)
	}
	ids := IDs{
		Node: func(i stdops.NodeIndex) string { return "N" + bodyIDs.Node(i)[1:] },
		Flow: func(i stdops.FlowIndex) string { return "L" + bodyIDs.Flow(i)[1:] },
	}
	if diff := cmp.Diff(readable(t, value(t, string(want))), readable(t, tree.Echo(ids))); diff != "" {
		t.Errorf("echo (-want +got):\n%s", diff)
	}
}

func TestEchoWithTaskIDs(t *testing.T) {
	t.Parallel()
	tree := mustParse(t, sketch("S>A>E"))
	mustCompile(t, tree)
	echo := tree.Echo(TaskIDs(42))
	a := stdops.NodeID(42, 3)
	if got := echo.Text("id"); got != stdops.NodeID(42, 0) {
		t.Errorf("root id %s", got)
	}
	if got := at(t, echo, "activities."+a+".template_node_id"); got != "A" {
		t.Errorf("template_node_id %v", got)
	}
}

func TestBodyIsTheSameForAllTasks(t *testing.T) {
	t.Parallel()
	make := func(id, v string) *Tree {
		o := value(t, strings.ReplaceAll(text(t, sketch("S>A>SUB>E")), `"l2"`, `"`+id+`"`)).(*stdops.Object)
		constant(t, o, "${v}", v)
		return mustParse(t, o)
	}
	first, second, third := make("l2", `"1"`), make("other", `"2"`), make("l2", `"1"`)
	set(t, third.raw, "name", `"x"`)
	hash := mustCompile(t, first).Hash
	if got := mustCompile(t, second).Hash; got != hash {
		t.Error("other flow ids or values make another tree")
	}
	if got := mustCompile(t, third).Hash; got == hash {
		t.Error("another tree has the same hash")
	}
}

func TestBodyRoundTrip(t *testing.T) {
	t.Parallel()
	tree := mustParse(t, full(t))
	g := mustCompile(t, tree)
	values := tree.TakeValues()
	body, err := tree.Body()
	if err != nil {
		t.Fatal(err)
	}
	read, err := ParseBody(body)
	if err != nil {
		t.Fatal(err)
	}
	again, err := read.Body()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(body), string(again)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	h, err := Compile(read)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(g, h, cmp.Comparer(func(a, b *stdops.Object) bool { return text(t, a) == text(t, b) })); diff != "" {
		t.Errorf("graph (-want +got):\n%s", diff)
	}
	want := readable(t, mustCompiled(t, full(t)).Echo(TaskIDs(7)))
	if diff := cmp.Diff(want, readable(t, read.WithValues(values).Echo(TaskIDs(7)))); diff != "" {
		t.Errorf("echo (-want +got):\n%s", diff)
	}
}

func mustCompiled(t testing.TB, o *stdops.Object) *Tree {
	t.Helper()
	tree := mustParse(t, o)
	mustCompile(t, tree)
	return tree
}

func TestValuesOfTheRootAreTaken(t *testing.T) {
	t.Parallel()
	o := sketch("S>SUB>E")
	constant(t, o, "${v}", `{"a":[1]}`)
	constant(t, at(t, o, "activities.SUB.pipeline").(*stdops.Object), "${w}", `"inner"`)
	tree := mustCompiled(t, o)
	if got, want := text(t, tree.TakeValues()), `{"v":{"a":[1]}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	body, err := tree.Body()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(body), `[1]`) || !strings.Contains(string(body), `"inner"`) {
		t.Errorf("body: %s", body)
	}
	filled := tree.WithValues(stdops.NewObject("v", "2", "ghost", "3"))
	if got := at(t, filled.Template(), "constants").(*stdops.Object); text(t, got) == "" || filled.Constants()[0].Value != "2" || got.Len() != 1 {
		t.Errorf("constants: %s", text(t, got))
	}
	if tree.Constants()[0].Value != nil {
		t.Error("the shared tree was changed")
	}
}

func TestParseBodyRefusesDamage(t *testing.T) {
	t.Parallel()
	body, err := mustCompiled(t, full(t)).Body()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, []byte("null"), []byte("[]"), []byte("{}"), body[:len(body)/2], append([]byte("x"), body...)} {
		if _, err := ParseBody(bad); err == nil {
			t.Errorf("accepted %.40q", bad)
		}
	}
	bent := strings.Replace(string(body), `"target":"n`, `"target":"m`, 1)
	tree, err := ParseBody([]byte(bent))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compile(tree); err == nil {
		t.Error("compiled a flow to nowhere")
	}
}

func TestSkeleton(t *testing.T) {
	t.Parallel()
	o := set(t, sketch("S>A>SUB>E"), "activities.A.template_node_id", `"origin"`)
	want := mustCompile(t, mustParse(t, o)).Skeleton()
	type n = stdops.SkeletonNode
	if diff := cmp.Diff([]n{
		{Kind: stdops.KindPipeline},
		{Kind: stdops.KindStartEvent, Name: "S"},
		{Kind: stdops.KindEndEvent, Name: "E"},
		{Kind: stdops.KindActivity, Name: "A", Plugin: "debug_node", Source: "origin"},
		{Kind: stdops.KindSubprocess, Name: "SUB", Source: "SUB"},
		{Kind: stdops.KindStartEvent, Name: "S", Parent: 4},
		{Kind: stdops.KindEndEvent, Name: "E", Parent: 4},
		{Kind: stdops.KindActivity, Name: "inner", Plugin: "debug_node", Source: "inner", Parent: 4},
	}, want.Nodes); diff != "" {
		t.Errorf("skeleton (-want +got):\n%s", diff)
	}
	b := EncodeSkeleton(want)
	got, err := DecodeSkeleton(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	for i := range b {
		if _, err := DecodeSkeleton(b[:i]); err == nil {
			t.Errorf("accepted the first %d of %d bytes", i, len(b))
		}
	}
	if _, err := DecodeSkeleton(append(b, 0)); err == nil {
		t.Error("accepted a byte too many")
	}
	if _, err := DecodeSkeleton([]byte{2, 0}); err == nil {
		t.Error("accepted another version")
	}
}
