//go:build faults

package app_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/fail"
	"github.com/stdops/stdops/internal/store"
)

// waiting is a task in which something comes after a time.
type waiting struct {
	name  string
	flow  piece
	least time.Duration // from its start to its end
	state string        // of the node "there" at the end
	retry int           // the same
	id    int64
	began time.Time
}

var waitingForAWhile = []waiting{
	{name: "timer", flow: act("there", "sleep_timer", "bk_timing", "6"), least: 6 * time.Second, state: "FINISHED"},
	{
		name: "time limit", least: 6 * time.Second, state: "FAILED",
		flow: option(act("there", "effect_wait"), "timeout_config", map[string]any{"enable": true, "seconds": 6, "action": "forced_fail"}),
	},
	{
		name: "retries by itself", least: 6 * time.Second, state: "FAILED", retry: 1,
		flow: option(act("there", "effect", "bit", "0"), "auto_retry", map[string]any{"enable": true, "times": 1, "interval": 6}),
	},
	{name: "polls", flow: act("there", "loop_count_s_node"), least: 2 * time.Second, state: "FINISHED"},
}

// stepped is a server whose clock is set while it runs.
type stepped struct {
	*crash
	env      []string
	clock    string // the file that says by how much the clock is off
	patience time.Duration
	began    time.Time
	waiting  []waiting
}

func newStepped(t *testing.T) *stepped {
	t.Helper()
	s := &stepped{crash: newCrash(t), patience: 2 * time.Minute, began: time.Now()}
	s.clock = filepath.Join(t.TempDir(), "clock")
	s.env = []string{fail.ClockEnv + "=" + s.clock}
	s.set(0)
	return s
}

func (s *stepped) set(off time.Duration) {
	s.t.Helper()
	// In one step: the server reads it at any time.
	if err := os.WriteFile(s.clock+".new", []byte(off.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(s.clock+".new", s.clock); err != nil {
		s.t.Fatal(err)
	}
}

// begin starts a task of each kind.
func (s *stepped) begin() {
	s.t.Helper()
	for _, w := range waitingForAWhile {
		w.id = s.making(&shape{name: w.name, flow: w.flow})
		w.began = time.Now()
		s.startTask(w.id)
		s.until(w.name, func() bool { return s.there(w.id).State != "" })
		s.waiting = append(s.waiting, w)
	}
}

// end waits until all that waits has ended. What comes before its time, or in vain is waited for, is wrong.
func (s *stepped) end() {
	s.t.Helper()
	for deadline := time.Now().Add(s.patience); len(s.waiting) > 0; time.Sleep(100 * time.Millisecond) {
		var left []waiting
		for _, w := range s.waiting {
			n := s.there(w.id)
			took := time.Since(w.began)
			switch {
			case n.State != w.state || n.Retry != w.retry:
				left = append(left, w)
			case took < w.least-100*time.Millisecond: // by as much a start may get ahead of the clock
				s.wrong("%s: came after %v, not before %v", w.name, took, w.least)
			}
		}
		if s.waiting = left; time.Now().After(deadline) {
			for _, w := range left {
				s.wrong("%s: is stuck", w.name)
			}
			return
		}
	}
}

// checkTimes holds the times on record against what has really passed, and against one another.
func (s *stepped) checkTimes() {
	s.t.Helper()
	data, err := store.OpenCopy(s.t.Context(), s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	defer data.Close()
	s.checkRecords(data)
}

// checkRecords is checkTimes for records that are anywhere.
func (s *stepped) checkRecords(data *store.Copy) {
	s.t.Helper()
	refs, err := data.Tasks(s.t.Context(), 0, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	last := s.began.Add(-time.Second)
	for _, ref := range refs {
		record, err := data.Record(s.t.Context(), ref)
		if err != nil {
			s.t.Fatal(err)
		}
		if created := record.Task.Created; created.Before(last) {
			s.wrong("task %d was created at %v, the one before at %v", ref.Task, created, last)
		}
		last = record.Task.Created
		s.checkLog(record)
	}
}

func (s *stepped) checkLog(record *stdops.Record) {
	before := record.Task.Created
	for _, tr := range record.Log {
		if tr.Time.Before(before) || tr.Time.After(time.Now().Add(time.Second)) {
			s.wrong("task %d: node %d became %v at %v, after what came at %v", record.Task.ID, tr.Node, tr.To, tr.Time, before)
		}
		before = tr.Time
	}
}

// figure reads one of those that the server tells of itself.
func (s *stepped) figure(name string) string {
	s.t.Helper()
	res, err := http.Get(s.base + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// play sets the clock while something waits, and sets it back by an hour while the server is killed and starts again.
func (s *stepped) play(step time.Duration) {
	s.t.Helper()
	s.mustStart(s.env...)
	s.begin()
	s.set(step)
	s.end()
	s.begin()
	s.kill()
	s.verify()
	s.set(-time.Hour)
	s.mustStart(s.env...)
	s.end()
}

// TestClock sets the clock of a server that runs by an hour and by ten years, to and fro, and kills it: nothing comes early,
// nothing is stuck, and no time on record goes back.
func TestClock(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{time.Hour, -time.Hour, tenYears, -tenYears} {
		t.Run(step.String(), func(t *testing.T) {
			t.Parallel()
			s := newStepped(t)
			s.play(step)
			ahead := time.Hour
			var got float64
			if _, err := fmt.Sscan(s.figure("stdops_clock_ahead_seconds"), &got); err != nil || got < ahead.Seconds()-60 || got > ahead.Seconds()+1 {
				t.Errorf("the clock was set back by an hour, the server says it is ahead by %v s, %v", got, err)
			}
			s.stop()
			s.verify()
			s.checkTimes()
			if n := strings.Count(s.log.String(), "the clock of the machine was set"); n != 1 {
				t.Errorf("the log tells %d times that the clock was set:\n%s", n, s.log)
			}
		})
	}
}

// TestClockControl does the same to a server that goes by the clock of the machine.
func TestClockControl(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{time.Hour, -time.Hour, tenYears, -tenYears} {
		t.Run(step.String(), func(t *testing.T) {
			t.Parallel()
			s := newStepped(t)
			s.control, s.patience = true, 10*time.Second
			s.env = append(s.env, fail.Env+"=clock.wall")
			s.mustStart(s.env...)
			s.begin()
			s.set(step)
			s.end()
			s.kill()
			s.checkTimes()
			if want := map[bool]string{true: "not before", false: "is stuck"}[step > 0]; !strings.Contains(strings.Join(s.found, "\n"), want) {
				t.Errorf("nothing %s: %q", want, s.found)
			}
		})
	}
}

// TestVerifyOfAServerThatWasAhead: a poll is out, whose time has come by the clock of the server, but not by that of this
// machine.
func TestVerifyOfAServerThatWasAhead(t *testing.T) {
	t.Parallel()
	s := newStepped(t)
	s.set(time.Hour)
	s.mustStart(s.env...)
	id := s.making(&shape{name: "poll", flow: parallel(act("polled", "effect_poll", "hold", "1"), act("there", "dummy_exec_node", "time", "1"))})
	s.startTask(id)
	s.until("the poll is out, and something else has ended since", func() bool { return s.there(id).State == "FINISHED" })
	s.kill()
	s.verify()
}
