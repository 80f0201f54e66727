package engine

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

func ref(project, task int64) stdops.TaskRef {
	return stdops.TaskRef{Project: stdops.ProjectID(project), Task: stdops.TaskID(task)}
}

// testSlots is a pool of one class whose grants are written down.
func testSlots(size int) (*slots, *[]stdops.TaskRef) {
	granted := &[]stdops.TaskRef{}
	return newSlots([plugin.Classes]int{plugin.Script: size}, func(r stdops.TaskRef) { *granted = append(*granted, r) }), granted
}

func (s *slots) want(r stdops.TaskRef, n int) {
	s.settle(holder{ref: r}, [plugin.Classes]int{plugin.Script: n}, none)
}

func TestSlotsOfAProjectAreHalf(t *testing.T) {
	t.Parallel()
	s, _ := testSlots(4)
	for i := range 3 {
		if got := s.take(holder{ref: ref(1, int64(i))}, plugin.Script); got != (i < 2) {
			t.Errorf("slot %d of project 1: %t", i, got)
		}
	}
	for i := range 3 {
		if got := s.take(holder{ref: ref(2, int64(i))}, plugin.Script); got != (i < 2) {
			t.Errorf("slot %d of project 2: %t", i, got)
		}
	}
}

// TestSlotsGoRound: two projects wait, the first with two tasks, and slots become free one after the other.
func TestSlotsGoRound(t *testing.T) {
	t.Parallel()
	s, granted := testSlots(8)
	var busy []stdops.TaskRef
	for _, r := range []stdops.TaskRef{ref(7, 1), ref(8, 1)} {
		for range 4 {
			if !s.take(holder{ref: r}, plugin.Script) {
				t.Fatal("an empty pool has no slot")
			}
			busy = append(busy, r)
		}
	}
	a, b, c := ref(1, 10), ref(1, 11), ref(2, 20)
	for _, r := range []stdops.TaskRef{a, b, c} {
		s.want(r, 3)
	}
	if s.take(holder{ref: ref(3, 30)}, plugin.Script) {
		t.Error("somebody gets a slot of a full pool")
	}
	for i, want := range []stdops.TaskRef{a, c, b, c, a, c, b} {
		s.release(busy[i], plugin.Script)
		if len(*granted) != i+1 || (*granted)[i] != want {
			t.Fatalf("turns %v", *granted)
		}
		if !s.take(holder{ref: want}, plugin.Script) {
			t.Fatal("the slot that was set aside is not given")
		}
	}
	s.release(busy[7], plugin.Script)
	if len(*granted) != 7 {
		t.Errorf("project 1 gets more than its share: %v", *granted)
	}
}

func TestSlotsSetAsideAndNoLongerWantedGoOn(t *testing.T) {
	t.Parallel()
	s, granted := testSlots(1)
	s.take(holder{ref: ref(1, 1)}, plugin.Script)
	s.want(ref(1, 2), 1)
	s.want(ref(1, 3), 1)
	s.release(ref(1, 1), plugin.Script)
	s.settle(holder{ref: ref(1, 2)}, none, none) // its node was ended meanwhile
	if len(*granted) != 2 || (*granted)[1] != ref(1, 3) {
		t.Errorf("granted %v", *granted)
	}
}

// TestSlotsSetAsideDuringAStepStay: the step began before the slot was set aside and says that its call still waits.
func TestSlotsSetAsideDuringAStepStay(t *testing.T) {
	t.Parallel()
	s, granted := testSlots(1)
	s.take(holder{ref: ref(1, 1)}, plugin.Script)
	s.want(ref(1, 2), 1)
	s.want(ref(1, 3), 1)
	s.release(ref(1, 1), plugin.Script)
	s.want(ref(1, 2), 1)
	if len(*granted) != 1 || !s.take(holder{ref: ref(1, 2)}, plugin.Script) {
		t.Errorf("granted %v", *granted)
	}
}

// TestSlotsKeepTheirPromises drives the pools by random tasks: never more slots than there are, never more than its share
// for a project, no slot free while somebody waits who may have it, and at the end all are back.
func TestSlotsKeepTheirPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(1, 7).Draw(rt, "size")
		s, _ := testSlots(size)
		c := &s.classes[plugin.Script]
		out, wants := map[stdops.TaskRef]int{}, map[stdops.TaskRef]int{}
		check := func() {
			sum, all := map[stdops.ProjectID]int{}, 0
			aside := 0
			for _, w := range c.tasks {
				aside += w.aside
			}
			for r, n := range out {
				sum[r.Project] += n
				all += n
			}
			if c.used != all+aside || c.used > size {
				rt.Fatalf("%d slots used of %d: %d out, %d set aside", c.used, size, all, aside)
			}
			waiting := 0
			for id, p := range c.projects {
				if p.used > c.share || p.used < sum[id] {
					rt.Fatalf("project %d has %d slots, its share is %d, %d are out", id, p.used, c.share, sum[id])
				}
				for e := p.line.Front(); e != nil; e = e.Next() {
					w := e.Value.(waitingTask)
					waiting += w.task.wants
					if c.used < size && p.used < c.share {
						rt.Fatalf("%v waits while a slot is free", w.ref)
					}
				}
			}
			if waiting != c.waiting {
				rt.Fatalf("%d calls wait, counted %d", waiting, c.waiting)
			}
		}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			r := ref(rapid.Int64Range(1, 3).Draw(rt, "project"), rapid.Int64Range(1, 3).Draw(rt, "task"))
			switch rapid.IntRange(0, 3).Draw(rt, "event") {
			case 0, 1: // a step: it takes what it can get of what it wants, and says what is left
				want := wants[r] + rapid.IntRange(0, 2).Draw(rt, "more")
				for want > 0 && s.take(holder{ref: r}, plugin.Script) {
					out[r]++
					want--
				}
				unused := rapid.IntRange(0, min(1, out[r])).Draw(rt, "unused")
				out[r] -= unused
				wants[r] = want
				s.settle(holder{ref: r}, [plugin.Classes]int{plugin.Script: want}, [plugin.Classes]int{plugin.Script: unused})
			case 2: // its waiting nodes were ended
				wants[r] = 0
				s.settle(holder{ref: r}, none, none)
			default:
				if out[r] > 0 {
					out[r]--
					s.release(r, plugin.Script)
				}
			}
			check()
		}
		for r, n := range out {
			for range n {
				s.release(r, plugin.Script)
			}
			out[r] = 0
		}
		for r := range wants {
			s.settle(holder{ref: r}, none, none)
		}
		if c.used != 0 || c.waiting != 0 || len(c.tasks) != 0 || c.line.Len() != 0 {
			rt.Fatalf("left over: %d used, %d waiting, %d tasks, %d projects in the line", c.used, c.waiting, len(c.tasks), c.line.Len())
		}
	})
}
