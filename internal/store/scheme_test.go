package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func TestSchemes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	for range 2 {
		if _, err := s.CreateTemplate(ctx, Template{Project: 1, Name: "a", Created: at(0)}, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	first, second := TemplateRef{1, 1}, TemplateRef{1, 2}
	put := func(r TemplateRef, name string, nodes ...string) Scheme {
		t.Helper()
		scheme, err := s.PutScheme(ctx, r, Scheme{Name: name, Nodes: nodes})
		if err != nil {
			t.Fatal(err)
		}
		return scheme
	}
	night := put(first, "night", "n1", "n2")
	put(first, "day")
	put(second, "night", "n3")
	if again := put(first, "night", "n2"); again.ID != night.ID {
		t.Errorf("a scheme stored again got number %d instead of %d", again.ID, night.ID)
	}
	want := []Scheme{{ID: 1, Name: "night", Nodes: []string{"n2"}}, {ID: 2, Name: "day", Nodes: nil}}
	if got, err := s.Schemes(ctx, first); err != nil || !cmp.Equal(want, got) {
		t.Errorf("schemes: %v (-want +got):\n%s", err, cmp.Diff(want, got))
	}
	if err := s.DeleteScheme(ctx, first, "night"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Schemes(ctx, first); err != nil || !cmp.Equal(want[1:], got) {
		t.Errorf("schemes: %v (-want +got):\n%s", err, cmp.Diff(want[1:], got))
	}
}

func TestSchemes_not_found(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	if _, err := s.CreateTemplate(ctx, Template{Project: 1, Name: "a", Created: at(0)}, []byte("x")); err != nil {
		t.Fatal(err)
	}
	mine := TemplateRef{1, 1}
	if _, err := s.PutScheme(ctx, mine, Scheme{Name: "night"}); err != nil {
		t.Fatal(err)
	}
	for _, r := range []TemplateRef{{1, 99}, {2, 1}, {0, 1}} {
		_, err := s.Schemes(ctx, r)
		_, putErr := s.PutScheme(ctx, r, Scheme{Name: "night"})
		for _, err := range []error{err, putErr, s.DeleteScheme(ctx, r, "night")} {
			if stdops.ErrorCode(err) != stdops.CodeNotFound {
				t.Errorf("%+v: %v", r, err)
			}
		}
	}
	if err := s.DeleteScheme(ctx, mine, "day"); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("another scheme: %v", err)
	}
}
