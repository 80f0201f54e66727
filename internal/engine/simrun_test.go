package engine

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	simulateFor  = flag.Duration("simulate", 0, "how long the simulation runs, in time of a processor; 0: a few histories")
	simulateSeed = flag.Uint64("seed", 0, "seed of the first history of the simulation; others follow it")
	simulateOne  = flag.Bool("one", false, "only that history")
)

// history runs the whole history of a seed.
func history(seed uint64, mistake simMistake) (*simulation, *broken) {
	s := newSimulation(seed, mistake)
	return s, s.run()
}

// run runs the history. It gives what was broken, nil when nothing was.
func (s *simulation) run() (wrong *broken) {
	defer func() {
		if r := recover(); r != nil {
			b, ok := r.(broken)
			if !ok {
				panic(r)
			}
			wrong = &b
		}
	}()
	s.boot()
	for s.steps < s.simPlan.steps {
		s.step()
		if s.steps%16 == 0 {
			s.checkSlots()
		}
		if s.steps%1000 == 0 && len(s.tasks) > 0 {
			s.audit(s.tasks[s.rand.IntN(len(s.tasks))])
		}
	}
	s.finish()
	return nil
}

// simCalm is in how many steps everything has to end when nothing goes wrong any more: ten times as many as were seen.
const simCalm = 40_000

// finish lets nothing go wrong any more and somebody care for every task: all have to end.
func (s *simulation) finish() {
	s.calm, s.full = true, 0
	s.late = nil
	for range simCalm {
		if len(s.tasks) == 0 {
			s.checkSlots()
			return
		}
		s.step()
	}
	t := s.tasks[0]
	s.broken(noTaskStuck, "task %d is %s after %d steps without a fault\n%s", t.task.ID, t.task.Root.State, simCalm, s.describe(t))
}

// describe tells all of a task to a person who looks for a mistake.
func (s *simulation) describe(t *simTask) string {
	var b strings.Builder
	fmt.Fprintf(&b, "it is %s, the task is %+v, woken at %s, %d calls are out\n", moment(s.now), t.task.Root, moment(t.wake), t.out)
	for i, n := range t.nodes {
		node := &t.graph.Nodes[i]
		fmt.Fprintf(&b, "node %d in %d: %s %s, to %v, %+v\n", i, node.Parent, node.Kind, node.Name, node.Out, node.Activity)
		if n != nil {
			fmt.Fprintf(&b, "\t%+v\n\t%s\n", *n, t.data[n.Node].Outputs)
		}
	}
	fmt.Fprintf(&b, "threads %+v\nvariables %q\ncallbacks %+v\n", t.forks, t.variables, t.callbacks)
	if d := s.engine.drivers[t.ref()]; d != nil {
		fmt.Fprintf(&b, "driver: busy %t, held %t, mailbox %+v, timers %+v\n", d.busy, d.held, d.mailbox, d.timers)
	}
	return b.String()
}

// reproduce gives the line that runs a history again.
func reproduce(seed uint64) string { return fmt.Sprintf("make simulate SEED=%d ONE=true", seed) }

func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestSimulation runs histories of the whole engine, each from one seed (docs/invariants.md).
func TestSimulation(t *testing.T) {
	least, seed := 40, *simulateSeed
	if *simulateOne {
		least = 1
	}
	var steps, turns, histories int
	var faults [simFaults]int
	began := cpuTime()
	for ; histories < least || cpuTime()-began < *simulateFor && !*simulateOne; histories++ {
		s, wrong := history(seed+uint64(histories), noMistake)
		if wrong != nil {
			t.Fatalf("step %d: %s\nto see it again:\n\t%s", s.steps, wrong, reproduce(seed+uint64(histories)))
		}
		steps, turns = steps+s.steps, turns+s.turns
		for i, n := range s.faults {
			faults[i] += n
		}
	}
	used := cpuTime() - began
	text := make([]string, 0, simFaults)
	for i, n := range faults {
		text = append(text, fmt.Sprintf("%d %s", n, faultNames[i]))
	}
	t.Logf("%d histories, %d steps, %d turns of drivers, %.1f million steps a minute of one processor; %s", histories, steps, turns,
		float64(steps)/used.Minutes()/1e6, strings.Join(text, ", "))
}

// TestSimulationRepeats makes sure that a history is a function of its seed.
func TestSimulationRepeats(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		one, _ := history(seed, noMistake)
		two, _ := history(seed, noMistake)
		if one.hash != two.hash || one.steps != two.steps {
			t.Errorf("seed %d: %d steps with the sum %x, then %d with %x", seed, one.steps, one.hash, two.steps, two.hash)
		}
	}
}

// simControls are the mistakes that have to be found, each by the invariant that it breaks.
var simControls = []struct {
	name      string
	mistake   simMistake
	invariant string
}{
	{"what may be stored is stored again", mistakeResends, eachTransitionOnce},
	{"wake-ups are put off", mistakePutsOff, noTaskStuck},
	{"branches count twice", mistakeJoins, joinsCountRight},
	{"tasks end again", mistakeEndsAgain, endedIsFinal},
	{"the clock goes back", mistakeClock, timesGoForward},
	{"polls go on after a revoke", mistakeRevoke, noCallAfterRevoke},
	{"results are lost", mistakeLoses, ownedDueOrWaiting},
	{"wake-ups are lost", mistakeSleeps, ownedDueOrWaiting},
	{"commands are acknowledged early", mistakeAcknowledges, acknowledgedIsStored},
	{"calls begin early", mistakeCallsEarly, calledAsStored},
	{"calls are repeated", mistakeRepeats, calledAsDeclared},
	{"memory is changed", mistakeMemory, memoryIsTheRecord},
	{"slots are lost", mistakeSlots, slotsAddUp},
	{"steps panic", mistakePanics, everyStepDecided},
	{"results are mixed up", mistakeMixesUp, finishedByItsCall},
	{"data are forgotten", mistakeForgets, recordIsSound},
}

// TestSimulationControls gives the server one mistake after the other. Each must be found, by the invariant that it breaks,
// and again by the same seed.
func TestSimulationControls(t *testing.T) {
	t.Parallel()
	for _, c := range simControls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			steps := 0
			for seed := range uint64(500) {
				s, wrong := history(seed, c.mistake)
				if steps += s.steps; wrong == nil {
					continue
				}
				if wrong.invariant != c.invariant {
					t.Fatalf("seed %d: it should break %s, but %s", seed, c.invariant, wrong)
				}
				again, same := history(seed, c.mistake)
				if same == nil || same.invariant != wrong.invariant || again.steps != s.steps {
					t.Errorf("seed %d: %s after %d steps, then %v after %d", seed, wrong, s.steps, same, again.steps)
				}
				t.Logf("found after %d steps: %s", steps, wrong.invariant)
				return
			}
			t.Errorf("not found in %d steps", steps)
		})
	}
}

var invariantRow = regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|")

// TestInvariantsPage holds the page for people to the names in the code.
func TestInvariantsPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/invariants.md")
	if err != nil {
		t.Fatal(err)
	}
	told, known := make(map[string]bool), make(map[string]bool)
	for _, row := range invariantRow.FindAllStringSubmatch(string(page), -1) {
		told[row[1]] = true
	}
	for _, c := range simControls {
		known[c.invariant] = true
	}
	if diff := cmp.Diff(known, told); diff != "" {
		t.Errorf("invariants (-code +page):\n%s", diff)
	}
}
