package engine

import (
	"container/list"
	"slices"
	"sync"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// slots shares out the room for calls of the process. Whoever gets none waits in a line: when a slot is free it is set
// aside for the task whose turn it is, round-robin over the projects that wait and, within a project, over its tasks.
type slots struct {
	ready func(stdops.TaskRef) // told, without the lock, that a slot was set aside for a task that waits

	mu      sync.Mutex
	classes [plugin.Classes]slotClass
}

// slotClass is the pool of one class. While a slot is free nobody waits but those whose project has its share.
type slotClass struct {
	size, share int
	used        int // slots that are taken or set aside
	waiting     int // calls in the line
	projects    map[stdops.ProjectID]*slotProject
	tasks       map[holder]*slotTask
	line        list.List // of *slotProject that have tasks in the line, the next one first
}

type slotProject struct {
	used  int
	line  list.List     // of *slotTask that wait, the next one first
	place *list.Element // in the line of the class, nil when none of its tasks waits
}

type slotTask struct {
	wants int // calls that wait
	aside int // slots set aside for it
	place *list.Element
}

// holder is who takes slots and waits for them: a driver of a task. One that has lost its task may still be ending when the next
// one waits, and must not take anything from it.
type holder struct {
	ref   stdops.TaskRef
	epoch int64
}

// waitingTask is what stands in the line of a project.
type waitingTask struct {
	holder
	task *slotTask
}

func newSlots(sizes [plugin.Classes]int, ready func(stdops.TaskRef)) *slots {
	s := &slots{ready: ready}
	for i, size := range sizes {
		s.classes[i] = slotClass{
			size: size, share: max(1, size/2),
			projects: make(map[stdops.ProjectID]*slotProject), tasks: make(map[holder]*slotTask),
		}
	}
	return s
}

// take gives a task a slot when one was set aside for it, or is free and within the share of its project.
func (s *slots) take(h holder, class plugin.Class) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.classes[class]
	if t := c.tasks[h]; t != nil && t.aside > 0 {
		t.aside--
		c.forget(h, t)
		return true
	}
	p := c.project(h.ref.Project)
	if c.used >= c.size || p.used >= c.share {
		return false
	}
	c.used++
	p.used++
	return true
}

// release gives back the slot of a call that has ended.
func (s *slots) release(ref stdops.TaskRef, class plugin.Class) {
	s.change(func() {
		s.classes[class].free(ref.Project, 1)
	})
}

// settle says, after a step of a task, how many of its calls of each class wait, and gives back slots that it took and
// did not need. What was set aside meanwhile it keeps, as far as it still waits.
func (s *slots) settle(h holder, wants, unused [plugin.Classes]int) {
	s.change(func() {
		for i := range s.classes {
			c := &s.classes[i]
			t := c.tasks[h]
			if t == nil {
				if wants[i] == 0 && unused[i] == 0 {
					continue
				}
				t = &slotTask{}
				c.tasks[h] = t
			}
			keep := min(t.aside, wants[i])
			c.free(h.ref.Project, unused[i]+t.aside-keep)
			t.aside = keep
			c.wait(h, t, wants[i]-keep)
			c.forget(h, t)
		}
	})
}

// change changes something under the lock and shares out what became free.
func (s *slots) change(do func()) {
	s.mu.Lock()
	do()
	var lucky []stdops.TaskRef
	for i := range s.classes {
		lucky = s.classes[i].handOut(lucky)
	}
	s.mu.Unlock()
	for _, ref := range lucky {
		s.ready(ref)
	}
}

// handOut sets free slots aside for those who wait, one at a time.
func (c *slotClass) handOut(lucky []stdops.TaskRef) []stdops.TaskRef {
	for c.used < c.size {
		p := c.next()
		if p == nil {
			break
		}
		first := p.line.Front()
		w := first.Value.(waitingTask)
		c.used++
		p.used++
		c.waiting--
		w.task.wants--
		w.task.aside++
		p.line.MoveToBack(first)
		c.line.MoveToBack(p.place)
		if w.task.wants == 0 {
			c.leave(p, w.task)
		}
		if !slices.Contains(lucky, w.ref) {
			lucky = append(lucky, w.ref)
		}
	}
	return lucky
}

// next gives the project whose turn it is, nil when nobody waits who may have a slot. At most two projects can have their
// share, so it looks at few.
func (c *slotClass) next() *slotProject {
	for e := c.line.Front(); e != nil; e = e.Next() {
		if p := e.Value.(*slotProject); p.used < c.share {
			return p
		}
	}
	return nil
}

func (c *slotClass) project(id stdops.ProjectID) *slotProject {
	p := c.projects[id]
	if p == nil {
		p = &slotProject{}
		c.projects[id] = p
	}
	return p
}

func (c *slotClass) free(id stdops.ProjectID, n int) {
	c.used -= n
	c.project(id).used -= n
}

// wait sets how many calls of a task are in the line; it keeps its place.
func (c *slotClass) wait(h holder, t *slotTask, wants int) {
	c.waiting += wants - t.wants
	t.wants = wants
	p := c.project(h.ref.Project)
	switch {
	case wants > 0 && t.place == nil:
		t.place = p.line.PushBack(waitingTask{h, t})
		if p.place == nil {
			p.place = c.line.PushBack(p)
		}
	case wants == 0 && t.place != nil:
		c.leave(p, t)
	}
}

// leave takes a task out of the line.
func (c *slotClass) leave(p *slotProject, t *slotTask) {
	p.line.Remove(t.place)
	t.place = nil
	if p.line.Len() == 0 {
		c.line.Remove(p.place)
		p.place = nil
	}
}

// forget drops a task that neither waits nor has anything set aside.
func (c *slotClass) forget(h holder, t *slotTask) {
	if t.wants == 0 && t.aside == 0 {
		delete(c.tasks, h)
	}
}

// stats gives the figures of the moment.
func (s *slots) stats() []ClassStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := make([]ClassStats, len(s.classes))
	for i := range s.classes {
		stats[i] = ClassStats{Class: plugin.Class(i), Out: s.classes[i].used, Waiting: s.classes[i].waiting}
	}
	return stats
}

// hand holds the slots that one step of a task takes.
type hand struct {
	slots *slots
	holder
	taken [plugin.Classes]int
}

func (h *hand) take(class plugin.Class) bool {
	ok := h.slots.take(h.holder, class)
	if ok {
		h.taken[class]++
	}
	return ok
}

// none is the number of calls of a task that is not in memory: after its next step it says anew how many wait.
var none [plugin.Classes]int

// giveBack gives back what a step took that was not stored.
func (h *hand) giveBack() { h.slots.settle(h.holder, none, h.taken) }
