package exchange_test

import (
	"encoding/base64"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/exchange"
	"github.com/stdops/stdops/internal/flow"
)

const exampleSalt = "example-salt"

// example gives the bundle of docs/spec/api.md 4.14.1.
func example(t testing.TB) *stdops.Object {
	t.Helper()
	text, err := os.ReadFile("testdata/example.json")
	must(t, err)
	v, err := stdops.DecodeValue(text)
	must(t, err)
	return v.(*stdops.Object)
}

func envelope(t testing.TB, o *stdops.Object) string {
	t.Helper()
	text, err := stdops.EncodeValue(o)
	must(t, err)
	return base64.StdEncoding.EncodeToString(text)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at gives the object under keys that are joined by blanks.
func at(o *stdops.Object, keys string) *stdops.Object {
	for key := range strings.FieldsSeq(keys) {
		v, _ := o.Get(key)
		o, _ = v.(*stdops.Object)
	}
	return o
}

// placing puts flows under the ids from 101 on.
func placing(s *exchange.Set) exchange.Placing {
	p := exchange.Placing{Source: exchange.SourceProject, Version: flow.Hash}
	for i := range s.Flows {
		p.IDs = append(p.IDs, stdops.TemplateID(101+i))
		var schemes []int64
		for j := range s.Flows[i].Schemes {
			schemes = append(schemes, int64(100*i+j+71))
		}
		p.Schemes = append(p.Schemes, schemes)
	}
	return p
}

func place(t testing.TB, s *exchange.Set, p exchange.Placing) []*stdops.Object {
	t.Helper()
	placed, err := s.Place(p)
	must(t, err)
	trees := make([]*stdops.Object, len(placed))
	for i := range placed {
		v, err := stdops.DecodeValue(placed[i].Body)
		must(t, err)
		trees[i] = v.(*stdops.Object)
	}
	return trees
}

// The digest of the example is the one that bk-sops gives it.
func TestDigestOfTheExample(t *testing.T) {
	t.Parallel()
	text := envelope(t, example(t))
	for _, salts := range [][]string{{exampleSalt}, {"another", exampleSalt}, nil} {
		if _, err := exchange.ReadBundle(text, exchange.Reading{Salts: salts}); err != nil {
			t.Errorf("salts %q: %v", salts, err)
		}
	}
	for _, salts := range [][]string{{""}, {"another"}} {
		_, err := exchange.ReadBundle(text, exchange.Reading{Salts: salts})
		if stdops.ErrorCode(err) != stdops.CodeInvalidForm {
			t.Errorf("salts %q: %v", salts, err)
		}
	}
}

// The digest of examples/rollout.dat was computed by another program.
func TestDigestOfALargerBundle(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../examples/rollout.dat")
	must(t, err)
	set, err := exchange.ReadBundle(string(text), exchange.Reading{Salts: []string{exampleSalt}})
	if err != nil || len(set.Flows) != 3 {
		t.Fatal(err)
	}
}

func TestExampleIsRead(t *testing.T) {
	t.Parallel()
	set, err := exchange.ReadBundle(envelope(t, example(t)), exchange.Reading{})
	must(t, err)
	if len(set.Flows) != 2 || set.Flows[0].Name != "等待" || set.Flows[1].Name != "rotate logs" || set.Flows[1].Category != "OpsTools" {
		t.Fatalf("flows %+v", set.Flows)
	}
	trees := place(t, set, placing(set))
	child, parent := trees[0], trees[1]
	sub := at(parent, "activities "+stdops.TemplateNodeID(102, 3))
	if id, _ := sub.Get("template_id"); id != int64(101) || sub.Text("template_source") != "project" {
		t.Errorf("the subprocess refers to %v of %q", id, sub.Text("template_source"))
	}
	body, err := stdops.EncodeValue(child)
	must(t, err)
	if sub.Text("version") != flow.Hash(body) {
		t.Errorf("version %q is not that of the child", sub.Text("version"))
	}
	nested := stdops.TemplateNodeID(101, 3)
	for name, of := range map[string]*stdops.Object{"the values of the subprocess": at(sub, "constants"), "the child": at(child, "constants")} {
		if got := at(of, "${wait} source_info").Keys(); !cmp.Equal(got, []string{nested}) {
			t.Errorf("source_info of %s names %q, want %s", name, got, nested)
		}
	}
	for _, tree := range trees {
		if location, _ := tree.Get("location"); len(location.([]any)) != 3 {
			t.Errorf("locations %v", location)
		}
		if _, err := flow.Parse(tree); err != nil {
			t.Error(err)
		}
	}
}

func TestKeptIDs(t *testing.T) {
	t.Parallel()
	set, err := exchange.ReadBundle(envelope(t, example(t)), exchange.Reading{})
	must(t, err)
	p := placing(set)
	p.KeepIDs, p.Source = true, exchange.SourceCommon
	trees := place(t, set, p)
	sub := at(trees[1], "activities np1")
	if id, _ := sub.Get("template_id"); id != int64(101) || sub.Text("template_source") != "common" {
		t.Errorf("the subprocess refers to %v of %q", id, sub.Text("template_source"))
	}
	if got := at(sub, "constants ${wait} source_info").Keys(); !cmp.Equal(got, []string{"nc1"}) {
		t.Errorf("source_info names %q", got)
	}
}

func TestBusinessIsReplaced(t *testing.T) {
	t.Parallel()
	bundle := example(t)
	tree := at(bundle, "template_data pipeline_template_data template nchild tree")
	at(tree, "activities nc1 component").Delete("version")
	at(tree, "activities nc1 component").Set("data", stdops.NewObject(
		"biz_cc_id", stdops.NewObject("hook", false, "value", int64(7)), "bk_biz_id", stdops.NewObject("hook", false, "value", int64(7))))
	for key, c := range map[string]*stdops.Object{
		"${biz}":   stdops.NewObject("key", "${biz}", "name", "b", "value", int64(7), "source_tag", "x.bk_biz_id"),
		"${empty}": stdops.NewObject("key", "${empty}", "name", "e", "value", "", "source_tag", "x.biz_cc_id"),
		"${other}": stdops.NewObject("key", "${other}", "name", "o", "value", int64(7), "source_tag", "x.other"),
	} {
		at(tree, "constants").Set(key, c)
	}
	set, err := exchange.ReadBundle(envelope(t, bundle), exchange.Reading{})
	must(t, err)
	biz := int64(2)
	p := placing(set)
	p.Biz = &biz
	child := place(t, set, p)[0]
	component := at(child, "activities "+stdops.TemplateNodeID(101, 3)+" component")
	got := map[string]any{"version": component.Text("version")}
	for name, o := range map[string]*stdops.Object{
		"biz_cc_id": at(component, "data biz_cc_id"), "bk_biz_id": at(component, "data bk_biz_id"), "${biz}": at(child, "constants ${biz}"),
		"${empty}": at(child, "constants ${empty}"), "${other}": at(child, "constants ${other}"),
	} {
		got[name], _ = o.Get("value")
	}
	want := map[string]any{
		"version": "legacy", "biz_cc_id": biz, "bk_biz_id": int64(7), "${biz}": biz, "${empty}": "", "${other}": int64(7),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSchemesGoWithTheirFlow(t *testing.T) {
	t.Parallel()
	bundle := example(t)
	at(bundle, "template_data pipeline_template_data template nchild").Set("schemes", []any{
		stdops.NewObject("id", int64(4), "unique_id", "42-night", "name", "night", "data", `["nc1","gone"]`, "template_id", int64(92)),
	})
	at(bundle, "template_data pipeline_template_data template nparent tree activities np1").Set("scheme_id_list", []any{int64(9), int64(4), "42-night"})
	set, err := exchange.ReadBundle(envelope(t, bundle), exchange.Reading{})
	must(t, err)
	placed, err := set.Place(placing(set))
	must(t, err)
	if want := `"scheme_id_list":[9,71,71]`; !strings.Contains(string(placed[1].Body), want) {
		t.Errorf("the parent does not ask for %s: %s", want, placed[1].Body)
	}
	want := []exchange.Scheme{{ID: 71, Unique: "42-night", Name: "night", Nodes: []string{stdops.TemplateNodeID(101, 3), "gone"}}}
	if diff := cmp.Diff(want, placed[0].Schemes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := set.Flows[0].Schemes[0].Nodes[0]; got != "nc1" {
		t.Errorf("the set itself has changed: %s", got)
	}
}

func TestWhatIsIgnoredIsTold(t *testing.T) {
	t.Parallel()
	bundle := example(t)
	row := at(bundle, "template_data template 42")
	row.Set("notify_type", `{"success":["mail"],"fail":[]}`)
	row.Set("executor_proxy", "ann")
	set, err := exchange.ReadBundle(envelope(t, bundle), exchange.Reading{})
	must(t, err)
	if diff := cmp.Diff([]string{"notify_type", "executor_proxy"}, set.Flows[0].Ignored); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := set.Flows[1].Ignored; got != nil {
		t.Errorf("the other flow: %q", got)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const flows = "template_data pipeline_template_data template "
	for _, c := range []struct {
		name   string
		change func(*stdops.Object)
		want   string
	}{
		{"no content", func(o *stdops.Object) { o.Delete("template_data") }, "must hold an object template_data"},
		{"no digest", func(o *stdops.Object) { o.Delete("digest") }, "digest is required"},
		{"no rows", func(o *stdops.Object) { at(o, "template_data").Delete("template") }, "template_data.template must be an object"},
		{"row without flow", func(o *stdops.Object) { at(o, flows).Delete("nchild") }, "template_data.template.42: the file has no flow nchild"},
		{"flow without row", func(o *stdops.Object) { at(o, "template_data template").Delete("42") }, "template.nchild: no template of the file has this flow"},
		{"row without pipeline id", func(o *stdops.Object) { at(o, "template_data template 42").Delete("pipeline_template_str_id") }, "template_data.template.42.pipeline_template_str_id is required"},
		{"two rows for a flow", func(o *stdops.Object) { at(o, "template_data template 42").Set("pipeline_template_str_id", "nparent") }, "nparent belongs to another template too"},
		{"other id", func(o *stdops.Object) { at(o, "template_data template 42").Set("id", int64(7)) }, "template_data.template.42: the id of a template"},
		{"no number", func(o *stdops.Object) { at(o, "template_data template").Set("x", &stdops.Object{}) }, "template_data.template.x: the id of a template"},
		{"unknown child", func(o *stdops.Object) { at(o, flows+"nparent tree activities np1").Set("template_id", "nother") }, "template rotate logs: activities.np1.template_id: the file has no flow nother"},
		{"public id of a child", func(o *stdops.Object) { at(o, flows+"nparent tree activities np1").Set("template_id", int64(42)) }, "activities.np1.template_id"},
		{"cycle", func(o *stdops.Object) { at(o, flows+"nparent tree activities np1").Set("template_id", "nparent") }, "template rotate logs: activities.np1: the template contains itself"},
		{"no tree", func(o *stdops.Object) { at(o, flows+"nchild").Set("tree", []any{}) }, "template.nchild.tree must be an object"},
		{"bad tree", func(o *stdops.Object) { at(o, flows+"nchild tree").Delete("end_event") }, "template 等待: end_event: is required"},
		{"no name", func(o *stdops.Object) { at(o, flows+"nchild").Set("name", " ") }, "template.nchild.name must be a text"},
		{"long name", func(o *stdops.Object) { at(o, flows+"nchild").Set("name", strings.Repeat("x", 51)) }, "template.nchild.name must be a text"},
		{"task of a stored flow", func(o *stdops.Object) {
			at(o, flows+"nchild tree activities nc1 component").Set("code", "subprocess_plugin")
			at(o, flows+"nchild tree activities nc1 component").Set("data", stdops.NewObject("subprocess",
				stdops.NewObject("hook", false, "value", stdops.NewObject("template_id", int64(5)))))
		}, "activities.nc1.component.data.subprocess.value: an activity that makes a task of a flow has to bring it as pipeline"},
		{"schemes", func(o *stdops.Object) {
			at(o, flows+"nchild").Set("schemes", []any{stdops.NewObject("name", "a", "data", "{}")})
		}, "template.nchild.schemes.0.data"},
		{"name of a scheme", func(o *stdops.Object) {
			at(o, flows+"nchild").Set("schemes", []any{stdops.NewObject("name", strings.Repeat("x", 65), "data", "[]")})
		}, "template.nchild.schemes.0.name must be a text of 1 to 64 characters"},
		{"line break in the name of a scheme", func(o *stdops.Object) {
			at(o, flows+"nchild").Set("schemes", []any{stdops.NewObject("name", "a\nb", "data", "[]")})
		}, "template.nchild.schemes.0.name must be a text of 1 to 64 characters"},
		{"too many schemes", func(o *stdops.Object) {
			at(o, flows+"nchild").Set("schemes", make([]any, stdops.MostSchemes+1))
		}, "template.nchild.schemes: a flow has at most 500"},
		{"too many nodes in a scheme", func(o *stdops.Object) {
			data := "[" + strings.Repeat(`"",`, 200_000) + `""]`
			at(o, flows+"nchild").Set("schemes", []any{stdops.NewObject("name", "a", "data", data)})
		}, "template.nchild.schemes.0.data"},
		{"an id twice", func(o *stdops.Object) {
			at(o, "template_data template 42").Delete("id")
			at(o, "template_data template").Set("+41", at(o, "template_data template 42"))
			at(o, "template_data template").Delete("42")
		}, "template_data.template.+41: the id of a template"},
		{"an id with a zero before it", func(o *stdops.Object) {
			at(o, "template_data template").Set("042", at(o, "template_data template 42"))
			at(o, "template_data template").Delete("42")
		}, "template_data.template.042: the id of a template"},
	} {
		bundle := example(t)
		c.change(bundle)
		_, err := exchange.ReadBundle(envelope(t, bundle), exchange.Reading{})
		if stdops.ErrorCode(err) != stdops.CodeInvalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	digest := example(t)
	digest.Set("digest", "xx")
	for _, c := range []struct {
		text string
		code stdops.Code
	}{
		{"", stdops.CodeInvalid},
		{"%%%", stdops.CodeInvalid},
		{"gASVIQAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAJpZJSFlFKULg==", stdops.CodeInvalid},
		{base64.StdEncoding.EncodeToString([]byte("[1]")), stdops.CodeInvalid},
		{envelope(t, digest), stdops.CodeInvalidForm},
	} {
		if _, err := exchange.ReadBundle(c.text, exchange.Reading{}); stdops.ErrorCode(err) != c.code {
			t.Errorf("%.20q: %v", c.text, err)
		}
	}
}

// chainOf gives a bundle of flows of which each holds the one before times over.
func chainOf(t testing.TB, flows, times int) string {
	t.Helper()
	rows, trees := &stdops.Object{}, &stdops.Object{}
	for i := range flows {
		name := "n" + strconv.Itoa(i)
		rows.Set(strconv.Itoa(i+1), stdops.NewObject("pipeline_template_str_id", name))
		tree := lineOf(times, func(o *stdops.Object) {
			o.Set("type", "ServiceActivity")
			o.Set("component", stdops.NewObject("code", "x", "data", &stdops.Object{}))
			if i > 0 {
				o.Set("type", "SubProcess")
				o.Set("template_id", "n"+strconv.Itoa(i-1))
			}
		})
		trees.Set(name, stdops.NewObject("name", name, "tree", tree))
	}
	return envelope(t, stdops.NewObject("digest", strings.Repeat("0", 32), "template_data",
		stdops.NewObject("template", rows, "pipeline_template_data", stdops.NewObject("template", trees))))
}

// lineOf gives a tree of activities in a row.
func lineOf(count int, each func(*stdops.Object)) *stdops.Object {
	activities, flows := &stdops.Object{}, &stdops.Object{}
	name := func(i int) string {
		switch i {
		case 0:
			return "s"
		case count + 1:
			return "e"
		}
		return "a" + strconv.Itoa(i)
	}
	for i := range count + 1 {
		id := "l" + strconv.Itoa(i)
		flows.Set(id, stdops.NewObject("id", id, "source", name(i), "target", name(i+1)))
		if i > 0 {
			o := stdops.NewObject("id", name(i), "name", name(i), "incoming", "l"+strconv.Itoa(i-1), "outgoing", id)
			each(o)
			activities.Set(name(i), o)
		}
	}
	return stdops.NewObject(
		"start_event", stdops.NewObject("id", "s", "name", "", "type", "EmptyStartEvent", "incoming", "", "outgoing", "l0"),
		"end_event", stdops.NewObject("id", "e", "name", "", "type", "EmptyEndEvent", "incoming", "l"+strconv.Itoa(count), "outgoing", ""),
		"activities", activities, "gateways", &stdops.Object{}, "flows", flows, "constants", &stdops.Object{}, "outputs", []any{})
}

// Forty flows of which each holds the one before ten times would become more nodes than there are atoms.
func TestFlowsThatBecomeTooManyAreRefused(t *testing.T) { //nolint:paralleltest // it counts what is allocated
	text := chainOf(t, 40, 10)
	used := allocated(func() {
		_, err := exchange.ReadBundle(text, exchange.Reading{})
		if stdops.ErrorCode(err) != stdops.CodeInvalid || !strings.Contains(err.Error(), "more than 200000 nodes") {
			t.Error(err)
		}
	})
	if used > 100<<20 {
		t.Errorf("%d bytes were allocated for a file of %d", used, len(text))
	}
}

func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestValuesAreCounted(t *testing.T) {
	t.Parallel()
	if _, err := exchange.ReadBundle(envelope(t, example(t)), exchange.Reading{Values: 100}); stdops.ErrorCode(err) != stdops.CodeInvalid {
		t.Error(err)
	}
}

// stored gives the flows of a set as they are stored.
func stored(set *exchange.Set, p exchange.Placing, trees []*stdops.Object) []exchange.Stored {
	list := make([]exchange.Stored, len(trees))
	for i, tree := range trees {
		body, _ := stdops.EncodeValue(tree)
		f := &set.Flows[i]
		list[i] = exchange.Stored{
			ID: p.IDs[i], Source: p.Source, Project: 3, Name: f.Name, Category: f.Category, Description: f.Description,
			Creator: "ann", Editor: "ben", Created: time.Unix(1e9, 0), Edited: time.Unix(2e9, 0), Version: flow.Hash(body), Tree: tree,
		}
	}
	return list
}

func TestExportedBundle(t *testing.T) {
	t.Parallel()
	set, err := exchange.ReadBundle(envelope(t, example(t)), exchange.Reading{})
	must(t, err)
	p := placing(set)
	flows := stored(set, p, place(t, set, p))
	text, err := exchange.WriteBundle(exchange.SourceProject, flows, exampleSalt)
	must(t, err)
	data, err := base64.StdEncoding.DecodeString(text)
	must(t, err)
	v, err := stdops.DecodeValue(data)
	must(t, err)
	content := at(v.(*stdops.Object), "template_data")
	parent, child := stdops.PipelineID(102), stdops.PipelineID(101)
	refs, _ := at(content, "pipeline_template_data refs "+child).Get(parent)
	if diff := cmp.Diff([]any{stdops.TemplateNodeID(102, 3)}, refs); diff != "" {
		t.Errorf("refs (-want +got)\n%s", diff)
	}
	sub := at(content, "pipeline_template_data template "+parent+" tree activities "+stdops.TemplateNodeID(102, 3))
	if _, had := sub.Get("template_source"); had || sub.Text("template_id") != child || sub.Text("version") != flows[0].Version {
		t.Errorf("the subprocess is %v", sub)
	}
	edited := at(content, "pipeline_template_data template "+parent).Text("edit_time")
	if id, _ := at(content, "template 102").Get("project_id"); id != int64(3) || edited != "2033-05-18 03:33:20 UTC" {
		t.Errorf("project %v, edited %s", id, edited)
	}
	again, err := exchange.ReadBundle(text, exchange.Reading{Salts: []string{exampleSalt}})
	must(t, err)
	if diff := cmp.Diff(bodies(t, set, p), bodies(t, again, p)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func bodies(t testing.TB, s *exchange.Set, p exchange.Placing) []string {
	t.Helper()
	placed, err := s.Place(p)
	must(t, err)
	var list []string
	for i := range placed {
		list = append(list, string(placed[i].Body))
	}
	return list
}

func TestOutdatedSubprocessIsNotExported(t *testing.T) {
	t.Parallel()
	set, err := exchange.ReadBundle(envelope(t, example(t)), exchange.Reading{})
	must(t, err)
	p := placing(set)
	flows := stored(set, p, place(t, set, p))
	flows[0].Version = "newer"
	_, err = exchange.WriteBundle(exchange.SourceProject, flows, "")
	_, inYAML := exchange.WriteYAML(flows)
	for _, err := range []error{err, inYAML} {
		if stdops.ErrorCode(err) != stdops.CodeEngine || err.Error() != "template rotate logs has expired subprocess, please update it before exporting." {
			t.Errorf("%v", err)
		}
	}
	at(flows[1].Tree, "activities "+stdops.TemplateNodeID(102, 3)).Set("always_use_latest", true)
	if _, err = exchange.WriteBundle(exchange.SourceProject, flows, ""); err != nil {
		t.Error(err)
	}
}
