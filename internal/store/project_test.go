package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func TestProjects(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	first := Project{ID: 1, Name: "default", Biz: 2, Created: noon}
	shop := Project{Name: "shop", Biz: NoBiz, FromCMDB: true, TimeZone: "Asia/Shanghai", Disabled: true, Created: at(1)}
	for range 2 { // several may be bound to no business
		got, err := s.CreateProject(ctx, shop)
		if err != nil {
			t.Fatal(err)
		}
		shop.ID = got.ID
		if diff := cmp.Diff(shop, got); diff != "" {
			t.Errorf("created (-want +got):\n%s", diff)
		}
	}
	all, err := s.Projects(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if onPostgres(t) { // whose clock made it
		first.Created = all[0].Created
	}
	earlier := shop
	earlier.ID = 2
	if diff := cmp.Diff([]Project{first, earlier, shop}, all); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if got, err := s.Project(ctx, 3); err != nil || got != shop {
		t.Errorf("project 3: %+v, %v", got, err)
	}
	if got, err := s.ProjectByBiz(ctx, 2); err != nil || got != first {
		t.Errorf("business 2: %+v, %v", got, err)
	}
	if _, err := s.Project(ctx, 9); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("project 9: %v", err)
	}
	for _, biz := range []int64{9, NoBiz} {
		if _, err := s.ProjectByBiz(ctx, biz); stdops.ErrorCode(err) != stdops.CodeNotFound {
			t.Errorf("business %d: %v", biz, err)
		}
	}
	if _, err := s.CreateProject(ctx, Project{Name: "again", Biz: 2, Created: at(0)}); stdops.ErrorCode(err) != stdops.CodeRefused {
		t.Errorf("second project of a business: %v", err)
	}
}

func TestRegisterProject(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, c := range []struct {
		name      string
		ask, want Project
	}{
		{"new", Project{Name: "shop", Biz: 7, TimeZone: "UTC", Created: at(1)}, Project{ID: 2, Name: "shop", Biz: 7, TimeZone: "UTC", Created: at(1)}},
		{"known, nothing new", Project{Biz: 7, Created: at(2)}, Project{ID: 2, Name: "shop", Biz: 7, TimeZone: "UTC", Created: at(1)}},
		{"known, renamed", Project{Name: "store", Biz: 7, Created: at(3)}, Project{ID: 2, Name: "store", Biz: 7, TimeZone: "UTC", Created: at(1)}},
		{"known, moved", Project{Biz: 7, TimeZone: "Asia/Tokyo", Created: at(3)}, Project{ID: 2, Name: "store", Biz: 7, TimeZone: "Asia/Tokyo", Created: at(1)}},
	} {
		got, err := s.RegisterProject(t.Context(), c.ask)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	if _, err := s.RegisterProject(t.Context(), Project{Biz: NoBiz}); stdops.ErrorCode(err) != stdops.CodeInvalid {
		t.Errorf("no business: %v", err)
	}
}
