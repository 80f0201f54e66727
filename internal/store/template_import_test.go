package store

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func imported(id stdops.TemplateID, name string) ImportedTemplate {
	return ImportedTemplate{
		Template: Template{
			ID: id, Project: CommonProject, Name: name, Creator: "ann", Editor: "ann", Created: at(0), Edited: at(0), Version: VersionOf([]byte(name)),
		},
		Body: []byte(name),
	}
}

func TestReservedIDsAreNotGivenTwice(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	for _, want := range []stdops.TemplateID{1, 4} {
		if first, err := s.ReserveTemplates(ctx, 3); err != nil || first != want {
			t.Fatalf("from %d on, %v; want %d", first, err, want)
		}
	}
	made, err := s.CreateTemplate(ctx, Template{Project: 1, Name: "a", Created: at(0)}, []byte("x"))
	if err != nil || made.ID != 7 {
		t.Fatalf("the next one is %d, %v", made.ID, err)
	}
	if first, err := s.ReserveTemplates(ctx, 1); err != nil || first != 8 {
		t.Fatalf("then %d, %v", first, err)
	}
}

func TestImportIsOneTransaction(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	if _, err := s.ReserveTemplates(ctx, 2); err != nil {
		t.Fatal(err)
	}
	key := &stdops.RequestKey{Project: CommonProject, Owner: "app a", Key: "k", Expires: s.Now().Add(1e9)}
	if err := s.ImportTemplates(ctx, []ImportedTemplate{imported(1, "one"), imported(2, "two")}, key); err != nil {
		t.Fatal(err)
	}
	found, err := s.RequestKey(ctx, key)
	if err != nil || found.Made != 1 {
		t.Errorf("the key has made %d, %v", found.Made, err)
	}
	if err := s.ImportTemplates(ctx, []ImportedTemplate{imported(3, "three")}, key); !errors.Is(err, stdops.ErrRepeated) {
		t.Errorf("a second import with the key: %v", err)
	}
	next := imported(1, "one again")
	next.Replace, next.Creator = true, "somebody else"
	gone := imported(9, "gone")
	gone.Replace = true
	err = s.ImportTemplates(ctx, []ImportedTemplate{next, imported(8, "four"), gone}, nil)
	if stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("one that replaces nothing: %v", err)
	}
	own, err := s.CreateTemplate(ctx, Template{Project: 1, Name: "of a project", Created: at(0)}, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	foreign := imported(own.ID, "foreign")
	foreign.Replace = true
	if err := s.ImportTemplates(ctx, []ImportedTemplate{foreign}, nil); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("one that replaces a project's: %v", err)
	}
	if diff := cmp.Diff([]string{"two", "one"}, names(t, s)); diff != "" {
		t.Errorf("after a refusal (-want +got)\n%s", diff)
	}
	if err := s.ImportTemplates(ctx, []ImportedTemplate{next, imported(8, "four")}, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"four", "two", "one again"}, names(t, s)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	now, body, err := s.Template(ctx, TemplateRef{CommonProject, 1}, "")
	if err != nil || string(body) != "one again" || now.Creator != "ann" {
		t.Errorf("replaced by %q of %s, %v", body, now.Creator, err)
	}
	if _, body, err := s.Template(ctx, TemplateRef{CommonProject, 1}, VersionOf([]byte("one"))); err != nil || string(body) != "one" {
		t.Errorf("the version before is %q, %v", body, err)
	}
}

func names(t *testing.T, s *Store) []string {
	t.Helper()
	found, err := s.Templates(t.Context(), CommonProject, TemplateFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for i := range found {
		list = append(list, found[i].Name)
	}
	return list
}

func TestSchemesOfAnImport(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	must(t, second(s.ReserveSchemes(ctx, stdops.MostSchemes+2)))
	one := imported(1, "one")
	one.Schemes = []Scheme{{ID: 1, Name: "night", Nodes: []string{"a"}}}
	must(t, s.ImportTemplates(ctx, []ImportedTemplate{one}, nil))
	one.Replace = true
	one.Schemes[0].ID = 2 // as one who did not see the first
	if err := s.ImportTemplates(ctx, []ImportedTemplate{one}, nil); stdops.ErrorCode(err) != stdops.CodeRefused {
		t.Errorf("a name that was taken meanwhile: %v", err)
	}
	one.Schemes = nil
	for i := range int64(stdops.MostSchemes) {
		one.Schemes = append(one.Schemes, Scheme{ID: i + 2, Name: fmt.Sprint("s", i)})
	}
	if err := s.ImportTemplates(ctx, []ImportedTemplate{one}, nil); stdops.ErrorCode(err) != stdops.CodeRefused {
		t.Errorf("too many schemes: %v", err)
	}
	r := TemplateRef{one.Project, one.ID}
	if got, err := s.Schemes(ctx, r); err != nil || !cmp.Equal([]Scheme{{ID: 1, Name: "night", Nodes: []string{"a"}}}, got) {
		t.Errorf("schemes after refusals: %v, %v", got, err)
	}
	one.Schemes = one.Schemes[1:]
	must(t, s.ImportTemplates(ctx, []ImportedTemplate{one}, nil))
	if _, err := s.PutScheme(ctx, r, Scheme{Name: "more"}); stdops.ErrorCode(err) != stdops.CodeRefused {
		t.Errorf("one more: %v", err)
	}
	if _, err := s.PutScheme(ctx, r, Scheme{Name: "night", Nodes: []string{"b"}}); err != nil {
		t.Errorf("one in the place of another: %v", err)
	}
}
