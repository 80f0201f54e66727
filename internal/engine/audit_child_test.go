package engine

import (
	"testing"

	"github.com/stdops/stdops"
)

// lost gives what is wrong with the child of a family of two.
func (f *family) lost() []string {
	return AuditChild(f.members[1].record.whole(), f.root().record.whole(), f.root().graph)
}

func TestAuditFindsWhatAChildDidNotTell(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*member){
		"finished": func(m *member) { m.work("x", false) },
		"failed":   func(m *member) { m.work(nil, true) },
		"revoked":  func(m *member) { m.step(Command{Kind: Revoke, Actor: "ann"}) },
	} {
		f := newFamily(t, maker(nil), worker(nil))
		f.settle()
		if wrong := f.lost(); len(wrong) > 0 {
			t.Errorf("%s: before: %q", name, wrong)
		}
		do(f.members[1])
		if wrong := f.lost(); len(wrong) > 0 {
			t.Errorf("%s: told, and not yet heard: %q", name, wrong)
		}
		told := f.root().record.snap.Callbacks
		f.root().record.snap.Callbacks = nil
		if wrong := f.lost(); len(wrong) != 1 {
			t.Errorf("%s: lost: %q", name, wrong)
		}
		f.root().record.snap.Callbacks = told
		f.settle()
		if wrong := f.lost(); len(wrong) > 0 {
			t.Errorf("%s: heard: %q", name, wrong)
		}
	}
	f := newFamily(t, maker(nil), worker(nil))
	f.settle()
	f.members[1].record.snap.Task.Parent.Node = stdops.RootNode + 1 // an event
	if wrong := f.lost(); len(wrong) != 1 {
		t.Errorf("child of an event: %q", wrong)
	}
}
