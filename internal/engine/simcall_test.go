package engine

import (
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// start implements [calls]: the call is out until the seed lets it end.
func (s *simulation) start(d *driver, c call) {
	t := s.store.tasks[d.ref.Task]
	s.watchCall(t, &c)
	t.out++
	stuck := !s.calm && s.chance(s.never)
	if stuck {
		s.faults[faultNever]++
	}
	s.calls = append(s.calls, &simCall{driver: d, task: t, call: c, stuck: stuck})
}

// cancel implements [calls].
func (s *simulation) cancel(ref stdops.TaskRef, meant func(callID) bool, why error) {
	for _, c := range s.calls {
		if c.driver.ref == ref && meant(c.call.id()) && c.cancelled == nil {
			c.cancelled = why
		}
	}
}

// out implements [calls].
func (s *simulation) out(ref stdops.TaskRef, _ *driver) map[callID]bool {
	out := make(map[callID]bool)
	for _, c := range s.calls {
		if c.driver.ref == ref {
			out[c.call.id()] = true
		}
	}
	return out
}

// endCall lets a call end, or do a part of that: its slot is free, its result is posted, it has left the pool.
func (s *simulation) endCall() (_ *simTask, happened bool) {
	c := s.calls[s.rand.IntN(len(s.calls))]
	first := slices.IndexFunc(s.calls, func(o *simCall) bool { return o.task == c.task && o.call.node == c.call.node })
	c = s.calls[first] // calls of one node are never out at once: the later one waits
	lasts := c.stuck
	if c.cancelled != nil {
		lasts = s.rand.IntN(8) > 0 // it takes its time to end, while its node may have gone on
	}
	if lasts && !s.calm {
		return nil, false
	}
	if !c.released {
		c.released = true
		if s.mistake != mistakeSlots || s.rand.IntN(50) > 0 {
			s.engine.slots.release(c.driver.ref, c.call.class)
		}
		if s.chance(s.piece) {
			return nil, true
		}
	}
	if !c.ended {
		c.ended = true
		c.task.begun[c.call.id()] = simBegun{life: s.life, ended: true}
		l := letter{event: s.result(c), result: true}
		if s.mistake != mistakeLoses || s.rand.IntN(50) > 0 {
			_ = s.engine.post(c.driver.ref, l)
		}
		if s.faultWeight[faultDuplicate] > 0 && s.rand.IntN(20) == 0 && !s.calm {
			s.faults[faultDuplicate]++
			s.late = append(s.late, lateLetter{c.driver.ref, l})
		}
		if s.chance(s.piece) {
			return nil, true
		}
	}
	c.task.out--
	s.calls = slices.Delete(s.calls, first, first+1)
	return c.task, true
}

var simOutcomes = []plugin.Outcome{plugin.Done, plugin.Done, plugin.Done, {Next: plugin.Callback}, plugin.PollAfter(0), plugin.PollAfter(3 * time.Second), plugin.PollAfter(5 * time.Minute)}

func (s *simulation) result(c *simCall) callEnded {
	s.serial++
	c.call.outputs.Set("out", int64(s.serial))
	ended := callEnded{
		node: c.call.node, version: c.call.version, call: c.call.number, inputs: c.call.inputs, outputs: c.call.outputs, called: c.call.called,
	}
	if n := c.task.nodes[c.call.node]; s.mistake == mistakeMixesUp && n != nil {
		ended.version, ended.call = n.Version, n.Call
		return ended
	}
	switch {
	case c.cancelled != nil:
		ended.failed = true
		c.call.outputs.Set("ex_data", c.cancelled.Error())
	case s.calm:
	case s.chance(s.fails):
		ended.failed = true
	default:
		ended.outcome = simOutcomes[s.rand.IntN(len(simOutcomes))]
	}
	return ended
}
