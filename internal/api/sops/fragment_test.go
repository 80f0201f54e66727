package sops

import (
	"compress/gzip"
	"io"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/status"
)

// inOneGo encodes an entry in one go, with its numbers in it and its children written out twice.
func inOneGo(s *sops, t *service.TaskStatus, children bool) string {
	d := &draft{statusEncoder: statusEncoder{times: clock{zone: s.zone}, task: t.Task.ID, children: children}}
	b, at := d.entry(nil, t, s.svc.TaskURL(t.Task.Project, t.Task.ID))
	return string(b[:at.second]) + string(b[at.from:at.to]) + string(b[at.second:])
}

// drawStatus draws the status of a task that may have nodes in two levels, as it stands at a moment.
func drawStatus(t *rapid.T, now time.Time) service.TaskStatus {
	moment := func(name string) time.Time {
		if rapid.Bool().Draw(t, name+" absent") {
			return time.Time{}
		}
		return noon.Add(time.Duration(rapid.IntRange(-100, 0).Draw(t, name)) * time.Second)
	}
	of := service.TaskStatus{Task: stdops.Task{
		ID: 7, Project: 1, Name: rapid.StringN(0, 10, -1).Draw(t, "name"), FlowType: stdops.FlowCommon, Created: moment("created"),
		Deleted: rapid.Bool().Draw(t, "deleted"),
		Root:    stdops.RootState{State: stdops.StateRunning, Started: moment("started"), Finished: moment("finished"), Revision: 3},
	}}
	sk := &stdops.Skeleton{Nodes: []stdops.SkeletonNode{{}}}
	var nodes []stdops.NodeState
	for i := range rapid.IntRange(0, 20).Draw(t, "nodes") {
		parent := stdops.NodeIndex(rapid.IntRange(0, i).Draw(t, "parent"))
		sk.Nodes = append(sk.Nodes, stdops.SkeletonNode{Parent: parent, Name: rapid.StringN(0, 10, -1).Draw(t, "node")})
		nodes = append(nodes, stdops.NodeState{
			Node: stdops.NodeIndex(i + 1), Order: int32(i + 1), State: stdops.StateRunning,
			Started: moment("node started"), Finished: moment("node finished"),
		})
	}
	var err error
	if of.Status, err = status.Project(sk, &of.Task, nodes, now, true); err != nil {
		t.Fatal(err)
	}
	return of
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// TestFragment: what was encoded at one moment reads at another as if it had been encoded then.
func TestFragment(t *testing.T) {
	t.Parallel()
	s := &sops{svc: &service.Service{Surroundings: &service.Surroundings{}}, zone: time.UTC}
	rapid.Check(t, func(t *rapid.T) {
		children := rapid.Bool().Draw(t, "children")
		later := noon.Add(time.Duration(rapid.IntRange(0, 1e6).Draw(t, "later")) * time.Millisecond)
		of := drawStatus(t, noon)
		f := s.entry(&of, children)
		moveTo(&of.Status, later)
		want := inOneGo(s, &of, children)
		if got := string(rendered(f, later)); got != want {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}
		p := f.pack(noon)
		switch {
		case p.at(later):
			if got := unpackedFragment(t, p, later); got != want {
				t.Fatalf("packed\n got %s\nwant %s", got, want)
			}
		case len(f.pieces) <= mostPacked:
			t.Error("packed for one moment only")
		}
		if got := unpackedFragment(t, f.pack(later), later); got != want {
			t.Fatalf("packed at the moment\n got %s\nwant %s", got, want)
		}
		if held := cap(f.text) + cap(f.pieces)*56; f.size() < held || f.revision != 3 {
			t.Errorf("holds %d bytes, counts as %d; revision %d", held, f.size(), f.revision)
		}
	})
}

func moveTo(s *status.Status, now time.Time) {
	if s.Grows {
		s.Elapsed = status.Elapsed(s.Started, time.Time{}, now)
	}
	for i := range s.Children {
		moveTo(&s.Children[i], now)
	}
}

func rendered(f *fragment, now time.Time) []byte {
	c := &call{out: api.NewWriter(httptest.NewRecorder(), &api.IDs{})}
	return c.addFragment(nil, f, now)
}

// unpackedFragment gives what a caller reads of a packed fragment.
func unpackedFragment(t *rapid.T, f *fragment, now time.Time) string {
	rec := httptest.NewRecorder()
	c := &call{out: api.NewWriter(rec, &api.IDs{})}
	b := c.out.Begin()
	c.out.Pack()
	c.out.End(c.addFragment(b, f, now), "", nil)
	z, err := gzip.NewReader(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(text), `{"result":true,"data":`), `,"code":0,"message":"","trace_id":""}`)
}

// TestFragments: of a task the latest revision is kept for each way to ask, and never more than there is room for.
func TestFragments(t *testing.T) {
	t.Parallel()
	const room = 100_000
	c, err := newFragments(room)
	if err != nil {
		t.Fatal(err)
	}
	at := func(revision int64, size int) *fragment {
		return &fragment{revision: revision, text: make([]byte, size)}
	}
	for _, revision := range []int64{4, 5, 3} { // the reader of revision 3 was slow
		c.put(fragmentKey{1, true, false}, at(revision, 10))
	}
	c.put(fragmentKey{1, false, false}, at(2, 10))
	c.put(fragmentKey{1, true, true}, at(1, 10))
	if whole, brief := c.get(fragmentKey{1, true, false}), c.get(fragmentKey{1, false, false}); whole.revision != 5 || brief.revision != 2 {
		t.Errorf("kept revisions %d and %d", whole.revision, brief.revision)
	}
	c.put(fragmentKey{2, true, false}, at(1, room/shareOfOne))
	if c.get(fragmentKey{2, true, false}) != nil {
		t.Error("a fragment took more than its share")
	}
	for i := range stdops.TaskID(1000) {
		c.put(fragmentKey{i, true, false}, at(1, 1000))
	}
	held := 0
	for f := range c.cache.Values() {
		held += f.size()
	}
	if held > room || held < room/2 {
		t.Errorf("%d bytes are kept where there is room for %d", held, room)
	}
}

// TestKeptFragment: what is kept serves its revision only, and when it was packed for one moment, that moment only.
func TestKeptFragment(t *testing.T) {
	t.Parallel()
	s := &sops{svc: &service.Service{Surroundings: &service.Surroundings{}}, zone: time.UTC}
	var err error
	if s.fragments, err = newFragments(1 << 20); err != nil {
		t.Fatal(err)
	}
	of := sample(mostPacked)
	of.Status.Grows = true
	for i := range of.Status.Children {
		of.Status.Children[i].Grows = true
	}
	plain, packed := fragmentKey{task: 7, children: true}, fragmentKey{task: 7, children: true, packed: true}
	c := &call{sops: s}
	if c.keptFragment(plain, 3, noon) != nil || c.keptFragment(packed, 3, noon) != nil {
		t.Error("something was kept before anything was")
	}
	f := s.entry(&of, true)
	f.revision = 3
	s.fragments.put(plain, f)
	if c.keptFragment(plain, 3, noon) != f || c.keptFragment(plain, 4, noon) != nil || c.keptFragment(packed, 4, noon) != nil {
		t.Error("kept for another revision")
	}
	now := c.keptFragment(packed, 3, noon)
	if now == nil || !now.at(noon.Add(999*time.Millisecond)) || now.at(noon.Add(time.Second)) {
		t.Fatalf("packed for %v", now.moment)
	}
	if again := c.keptFragment(packed, 3, noon.Add(500*time.Millisecond)); again != now {
		t.Error("packed twice within a second")
	}
	if next := c.keptFragment(packed, 3, noon.Add(time.Second)); next == now || !next.at(noon.Add(time.Second)) {
		t.Errorf("a second later it is still that of %v", next.moment)
	}
}

func BenchmarkFragment(b *testing.B) {
	s := &sops{svc: &service.Service{Surroundings: &service.Surroundings{}}, zone: time.UTC}
	for _, n := range []int{0, 20} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			t := sample(n)
			f := s.entry(&t, n > 0)
			c := &call{out: api.NewWriter(httptest.NewRecorder(), &api.IDs{})}
			buf := c.addFragment(nil, f, noon)
			b.SetBytes(int64(len(buf)))
			for b.Loop() {
				buf = c.addFragment(buf[:0], f, noon)
			}
		})
	}
}
