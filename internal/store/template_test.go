package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func TestTemplate_versions(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	first, err := s.CreateTemplate(ctx, Template{Project: 1, Name: "a", Category: "c", Description: "d", Creator: "alice", Created: at(0)}, []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	want := Template{
		ID: 1, Project: 1, Name: "a", Category: "c", Description: "d", Creator: "alice", Editor: "alice", Created: at(0), Edited: at(0),
		Version: "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed", // sha256sum of "one"
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	second, err := s.EditTemplate(ctx, Template{ID: 1, Project: 1, Name: "b", Editor: "bob", Edited: at(1)}, []byte("two"))
	if err != nil {
		t.Fatal(err)
	}
	want = Template{ID: 1, Project: 1, Name: "b", Creator: "alice", Editor: "bob", Created: at(0), Edited: at(1), Version: VersionOf([]byte("two"))}
	if diff := cmp.Diff(want, second); diff != "" {
		t.Errorf("edited (-want +got):\n%s", diff)
	}
	for version, body := range map[string]string{"": "two", first.Version: "one", second.Version: "two"} {
		got, text, err := s.Template(ctx, TemplateRef{1, 1}, version)
		if err != nil || string(text) != body {
			t.Errorf("version %q: %q, %v; want %q", version, text, err, body)
		}
		if diff := cmp.Diff(second, got); diff != "" {
			t.Errorf("version %q (-want +got):\n%s", version, diff)
		}
	}
	versions, err := s.TemplateVersions(ctx, TemplateRef{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]TemplateVersion{{second.Version, "bob", at(1)}, {first.Version, "alice", at(0)}}, versions); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if back, err := s.EditTemplate(ctx, first, []byte("one")); err != nil || back.Version != first.Version {
		t.Errorf("back to the first: %+v, %v", back, err)
	}
}

func TestTemplate_not_found(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	for range 2 {
		if _, err := s.CreateTemplate(ctx, Template{Project: 1, Name: "a"}, nil); err == nil {
			t.Fatal("a template without a time of creation was stored")
		}
		if _, err := s.CreateTemplate(ctx, Template{Project: 1, Name: "a", Created: at(0)}, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.DeleteTemplate(ctx, TemplateRef{1, 2}); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(TemplateRef) error{
		"get": func(r TemplateRef) error { _, _, err := s.Template(ctx, r, ""); return err },
		"edit": func(r TemplateRef) error {
			_, err := s.EditTemplate(ctx, Template{Project: r.Project, ID: r.Template, Edited: at(1)}, nil)
			return err
		},
		"versions": func(r TemplateRef) error { _, err := s.TemplateVersions(ctx, r); return err },
		"delete":   func(r TemplateRef) error { return s.DeleteTemplate(ctx, r) },
	} {
		for _, r := range []TemplateRef{{1, 99}, {2, 1}, {0, 1}, {1, 2}} {
			if err := call(r); stdops.ErrorCode(err) != stdops.CodeNotFound {
				t.Errorf("%s %+v: %v", name, r, err)
			}
		}
	}
	if _, _, err := s.Template(ctx, TemplateRef{1, 1}, "nothing"); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("unknown version: %v", err)
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, project := range []stdops.ProjectID{1, CommonProject, 1, 1} {
		if _, err := s.CreateTemplate(t.Context(), Template{Project: project, Created: at(0)}, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.DeleteTemplate(t.Context(), TemplateRef{1, 3}); err != nil {
		t.Fatal(err)
	}
	for project, want := range map[stdops.ProjectID][]stdops.TemplateID{1: {4, 1}, CommonProject: {2}, 5: nil} {
		templates, err := s.Templates(t.Context(), project, TemplateFilter{})
		if err != nil {
			t.Fatal(err)
		}
		var got []stdops.TemplateID
		for _, template := range templates {
			got = append(got, template.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("project %d (-want +got):\n%s", project, diff)
		}
	}
}
