package store

import (
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// TestProjects_known: a project that was looked up is not read again until a project changes, and what is read while one
// is being changed is not kept.
func TestProjects_known(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := reopen(t, dir)
	defer closeStore(t, s)
	count := countReads(t, s)
	name := func() string {
		t.Helper()
		p, err := s.ProjectByBiz(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		same, err := s.Project(t.Context(), p.ID)
		if err != nil || same != p {
			t.Errorf("by business %+v, by id %+v, %v", p, same, err)
		}
		return p.Name
	}
	look := func(want string, reads int) {
		t.Helper()
		if got := name(); got != want {
			t.Errorf("the project is called %s, not %s", got, want)
		}
		if got := count(); len(got) != reads {
			t.Errorf("%d reads, want %d: %s", len(got), reads, got)
		}
	}
	rename := func(name string) {
		t.Helper()
		if _, err := s.RegisterProject(t.Context(), Project{Biz: 2, Name: name, Created: noon}); err != nil {
			t.Fatal(err)
		}
	}
	look("default", 1)
	look("default", 0)
	rename("shop")
	look("shop", 1)
	createTask(t, s, newTask("one"))
	look("shop", 0)
	err := raw(s.writer.conn, func(c *sqlite3.Conn) error {
		c.CommitHook(func() bool { return name() == "shop" })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rename("store")
	count()
	look("store", 1)
}

// TestKnownProjects_bound: projects are forgotten before they are too many.
func TestKnownProjects_bound(t *testing.T) {
	t.Parallel()
	k := newKnownProjects()
	for i := range int64(3 * mostKnownProjects / 2) {
		k.remember(Project{ID: 1, Biz: i}, k.expect())
	}
	if len(k.byBiz) > mostKnownProjects || len(k.byBiz) == 0 {
		t.Errorf("%d projects are known by their business", len(k.byBiz))
	}
}
