package service

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/exchange"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// exampleBundle gives the bundle of docs/spec/api.md 4.14.1, after change.
func exampleBundle(t *testing.T, change func(*stdops.Object)) string {
	t.Helper()
	text, err := os.ReadFile("../exchange/testdata/example.json")
	must(t, err)
	o := &stdops.Object{}
	must(t, o.UnmarshalJSON(text))
	change(o)
	data, err := o.MarshalJSON()
	must(t, err)
	return base64.StdEncoding.EncodeToString(data)
}

func asItIs(*stdops.Object) {}

// inside gives the object under keys that are joined by blanks.
func inside(o *stdops.Object, keys string) *stdops.Object {
	for key := range strings.FieldsSeq(keys) {
		v, _ := o.Get(key)
		o, _ = v.(*stdops.Object)
	}
	return o
}

// project makes a project of business 2 and lets the administrator in.
func (b *bundle) project(t *testing.T) *Access {
	t.Helper()
	must(t, b.BootstrapApp(t.Context(), "app", "secret"))
	caller := b.as(t, "ann")
	made, err := b.RegisterProject(t.Context(), caller, NewProject{Biz: 2, Name: "shop"})
	must(t, err)
	return b.in(t, caller, made.ID)
}

func (b *bundle) as(t *testing.T, user string) *Caller {
	t.Helper()
	caller, err := b.Authenticate(t.Context(), Credentials{AppCode: "app", AppSecret: "secret", Username: user})
	must(t, err)
	return caller
}

func (b *bundle) in(t *testing.T, caller *Caller, id stdops.ProjectID) *Access {
	t.Helper()
	a, err := b.Access(t.Context(), caller, ProjectRef{ID: "2", Scope: ScopeBiz})
	must(t, err)
	if a.Project() != id {
		t.Fatalf("project %d", a.Project())
	}
	return a
}

func TestImportIntoProject(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.project(t)
	made, err := b.ImportTemplates(t.Context(), a, NewImport{Text: exampleBundle(t, asItIs)})
	must(t, err)
	if len(made.Flows) != 2 || made.Flows[0].Name != "等待" || len(made.Warnings) != 0 {
		t.Fatalf("%+v", made)
	}
	view, err := b.ViewTemplate(t.Context(), a, made.Flows[1].ID, false)
	must(t, err)
	if view.Creator != "ann" || view.Category != "OpsTools" {
		t.Errorf("%+v", view.TemplateEntry)
	}
	if has, outdated, err := view.Subprocesses(t.Context()); !has || outdated || err != nil {
		t.Errorf("subprocesses %t, outdated %t, %v", has, outdated, err)
	}
	must(t, view.Unfold(t.Context()))
	use, err := b.UseTemplate(t.Context(), a, made.Flows[1].ID, false)
	must(t, err)
	if _, err := b.CreateTask(t.Context(), use, TemplateTask{NewTask: NewTask{Name: "x"}, Template: made.Flows[1].ID}); err != nil {
		t.Error(err)
	}
}

func TestImportIsAllOrNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.project(t)
	text := exampleBundle(t, func(o *stdops.Object) {
		inside(o, "template_data pipeline_template_data template nparent tree constants").Set("${x}",
			stdops.NewObject("key", "${x}", "name", "x", "value", "${x}"))
	})
	_, err := b.ImportTemplates(t.Context(), a, NewImport{Text: text})
	refused(t, err, stdops.CodeInvalid)
	if err != nil && !strings.HasPrefix(err.Error(), "template rotate logs: constants.${x}.value: ") {
		t.Error(err)
	}
	if found, err := b.Templates(t.Context(), a, false, TemplateFilter{}); err != nil || len(found) != 0 {
		t.Errorf("%d flows, %v", len(found), err)
	}
}

func TestImportWarnsOfPlugins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	text := exampleBundle(t, func(o *stdops.Object) {
		inside(o, "template_data pipeline_template_data template nchild tree activities nc1 component").Set("code", "job_fast")
	})
	made, err := b.ImportTemplates(t.Context(), b.project(t), NewImport{Text: text})
	must(t, err)
	want := []Warning{{Path: "等待: activities.nc1.component.code", Message: "plugin job_fast (version legacy) is not registered"}}
	if diff := cmp.Diff(want, made.Warnings); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func common(o *stdops.Object) {
	inside(o, "template_data").Set("template_source", "common")
}

func TestOverride(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.project(t)
	first, err := b.ImportTemplates(t.Context(), a, NewImport{Text: exampleBundle(t, common), Common: true})
	must(t, err)
	exported, err := b.ExportTemplates(t.Context(), a, Export{IDs: []stdops.TemplateID{first.Flows[1].ID}, Common: true})
	must(t, err)
	renamed := change(t, exported, func(o *stdops.Object) {
		inside(o, "template_data pipeline_template_data template "+stdops.PipelineID(first.Flows[0].ID)).Set("name", "wait")
		inside(o, "template_data pipeline_template_data template "+stdops.PipelineID(first.Flows[0].ID)+" tree").Set("mine", true)
	})
	again, err := b.ImportTemplates(t.Context(), a, NewImport{Text: renamed, Common: true, Override: true})
	must(t, err)
	for i, f := range again.Flows {
		if f.ID != first.Flows[i].ID || !f.Replaced || f.Version == first.Flows[i].Version {
			t.Errorf("%+v replaced %+v", f, first.Flows[i])
		}
	}
	view, err := b.ViewTemplate(t.Context(), a, again.Flows[1].ID, true)
	must(t, err)
	before, _, err := b.loadTemplate(t.Context(), store.TemplateRef{Template: first.Flows[0].ID}, first.Flows[0].Version)
	must(t, err)
	if before.Name != "wait" {
		t.Errorf("the child is called %q", before.Name)
	}
	if _, outdated, err := view.Subprocesses(t.Context()); outdated || err != nil {
		t.Errorf("outdated %t, %v", outdated, err)
	}
	if diff := cmp.Diff([]string{stdops.TemplateNodeID(first.Flows[1].ID, 3)}, view.tree.Activities()); diff != "" {
		t.Errorf("nodes (-want +got)\n%s", diff)
	}
}

// change changes the content of a bundle.
func change(t *testing.T, text string, do func(*stdops.Object)) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	must(t, err)
	o := &stdops.Object{}
	must(t, o.UnmarshalJSON(data))
	do(o)
	data, err = o.MarshalJSON()
	must(t, err)
	return base64.StdEncoding.EncodeToString(data)
}

func TestOverrideIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.project(t)
	for name, c := range map[string]struct {
		n      NewImport
		change func(*stdops.Object)
	}{
		"of a project":        {NewImport{Override: true}, asItIs},
		"by a project's file": {NewImport{Override: true, Common: true}, asItIs},
		"forbidden": {NewImport{Override: true, Common: true}, func(o *stdops.Object) {
			common(o)
			inside(o, "template_data").Set("override_forbidden", true)
		}},
		"of several projects": {NewImport{Override: true, Common: true}, func(o *stdops.Object) {
			common(o)
			inside(o, "template_data template 42").Set("project_id", int64(7))
		}},
	} {
		c.n.Text = exampleBundle(t, c.change)
		if _, err := b.ImportTemplates(t.Context(), a, c.n); stdops.ErrorCode(err) != stdops.CodeRefused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhoMayImport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.project(t)
	must(t, b.CreateUser(t.Context(), LocalAdmin(), NewUser{Name: "vic"}))
	must(t, b.Grant(t.Context(), LocalAdmin(), "vic", Roles{a.Project(): Operator}))
	token, _, err := b.CreateToken(t.Context(), LocalAdmin(), NewToken{User: "vic", Name: "test"})
	must(t, err)
	caller, err := b.Authenticate(t.Context(), Credentials{AppCode: "app", AppSecret: "secret", Token: token})
	must(t, err)
	caller.trusted = trust{} // as if the app were one of many
	for common, want := range map[bool]string{
		false: "user vic have no permission to call this api.", true: "you have no permission to call this api.",
	} {
		_, err := b.ImportTemplates(t.Context(), b.in(t, caller, a.Project()), NewImport{Text: exampleBundle(t, asItIs), Common: common})
		if stdops.ErrorCode(err) != stdops.CodeForbidden || err.Error() != want {
			t.Errorf("common %t: %v", common, err)
		}
	}
}

// A flow that is exported with all that it refers to, from the project and common, comes into another place as it was.
func TestExportReachesWhatItRefersTo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.project(t)
	shared, err := b.ImportTemplates(t.Context(), a, NewImport{Text: exampleBundle(t, common), Common: true})
	must(t, err)
	parent := &stdops.Object{}
	must(t, parent.UnmarshalJSON([]byte(`{"start_event":{"id":"s","name":"","type":"EmptyStartEvent","outgoing":"l1"},
		"end_event":{"id":"e","name":"","type":"EmptyEndEvent","incoming":"l2"},"gateways":{},"constants":{},"outputs":[],
		"flows":{"l1":{"id":"l1","source":"s","target":"a"},"l2":{"id":"l2","source":"a","target":"e"}},
		"activities":{"a":{"id":"a","type":"SubProcess","name":"a","incoming":"l1","outgoing":"l2","template_source":"common"}}}`)))
	inside(parent, "activities a").Set("template_id", int64(shared.Flows[1].ID))
	made, err := b.CreateTemplate(t.Context(), a, NewTemplate{Name: "outer", Category: "Other"}, parent)
	must(t, err)
	text, err := b.ExportTemplates(t.Context(), a, Export{IDs: []stdops.TemplateID{made.ID, made.ID}})
	must(t, err)
	set, err := exchange.ReadBundle(text, exchange.Reading{Salts: []string{""}})
	must(t, err)
	var names []string
	for i := range set.Flows {
		names = append(names, set.Flows[i].Name)
	}
	if diff := cmp.Diff([]string{"等待", "rotate logs", "outer"}, names); diff != "" || set.Source != exchange.SourceProject {
		t.Errorf("%s (-want +got)\n%s", set.Source, diff)
	}
	again, err := b.ImportTemplates(t.Context(), a, NewImport{Text: text})
	must(t, err)
	_, tree, err := b.loadTemplate(t.Context(), a.templateOf(SourceProject, again.Flows[2].ID), "")
	must(t, err)
	want := []flow.ChildRef{{
		Template: again.Flows[1].ID, Source: SourceProject, Version: again.Flows[1].Version,
		Path: "activities." + stdops.TemplateNodeID(again.Flows[2].ID, 3),
	}}
	if diff := cmp.Diff(want, tree.Children()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	body, err := parent.MarshalJSON()
	must(t, err)
	silent, err := b.store.CreateTemplate(t.Context(), store.Template{Name: "silent", Created: b.clock.Now()}, // that does not say what its child is
		[]byte(strings.Replace(string(body), `"template_source":"common",`, "", 1)))
	must(t, err)
	_, err = b.ExportTemplates(t.Context(), a, Export{IDs: []stdops.TemplateID{silent.ID}, Common: true})
	must(t, err)
	must(t, b.store.DeleteTemplate(t.Context(), store.TemplateRef{Template: shared.Flows[0].ID}))
	_, err = b.ExportTemplates(t.Context(), a, Export{IDs: []stdops.TemplateID{made.ID}})
	refused(t, err, stdops.CodeRefused)
	_, err = b.ExportTemplates(t.Context(), a, Export{IDs: []stdops.TemplateID{999}})
	refused(t, err, stdops.CodeNotFound)
}

func TestCheckTellsWhatIsNotCovered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.project(t)
	text := exampleBundle(t, func(o *stdops.Object) {
		row := inside(o, "template_data template 42")
		row.Set("notify_type", `["mail"]`)
		row.Set("executor_proxy", "ann")
		child := inside(o, "template_data pipeline_template_data template nchild")
		child.Set("schemes", []any{stdops.NewObject("name", "night", "data", "[]")})
		component := inside(child, "tree activities nc1 component")
		component.Set("code", "job")
		component.Set("data", stdops.NewObject("a", stdops.NewObject("hook", false, "value", "${__import__} ${wait}")))
		inside(child, "tree constants ${wait}").Set("custom_type", "ip_selector")
		inside(o, "template_data pipeline_template_data template nparent tree activities np1 constants ${wait}").Set("value", "${x.__class__}")
		inside(o, "template_data pipeline_template_data template nparent tree constants").Set("${self}",
			stdops.NewObject("key", "${self}", "name", "x", "value", "${self}"))
	})
	checked, err := b.CheckImport(t.Context(), a, NewImport{Text: text})
	must(t, err)
	want := []CheckedFlow{
		{Name: "等待", Nodes: 3, Findings: []Finding{
			{Blocks, "activities.nc1.component.code", "plugin job (version legacy) is not registered"},
			{Blocks, "constants.${wait}.custom_type", "variables of the class ip_selector are not computed, they count as text"},
			{Differs, "activities.nc1.component.data.a", "${__import__} stays as it is: it is forbidden, or no expression here"},
			{Lost, "notify_type", "notify_type is not kept yet"},
			{Lost, "executor_proxy", "executor_proxy is not kept yet"},
		}},
		{Name: "rotate logs", Nodes: 3, Findings: []Finding{
			{Blocks, "", "constants.${self}.value: constants refer to themselves: ${self}"},
		}},
	}
	if diff := cmp.Diff(want, checked); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if found, err := b.Templates(t.Context(), a, false, TemplateFilter{}); err != nil || len(found) != 0 {
		t.Errorf("%d flows were stored, %v", len(found), err)
	}
}

func TestReportEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	text := exampleBundle(t, func(o *stdops.Object) {
		list := make([]any, 1000)
		for i := range list {
			list[i] = "${VAR:-1}"
		}
		inside(o, "template_data pipeline_template_data template nchild tree constants ${wait}").Set("value", list)
	})
	checked, err := b.CheckImport(t.Context(), b.project(t), NewImport{Text: text})
	must(t, err)
	found := checked[0].Findings
	if len(found) != mostFindings+1 || found[mostFindings].Message != "and more of these" {
		t.Errorf("%d findings", len(found))
	}
}
