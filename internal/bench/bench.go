package bench

import (
	"context"
	"fmt"
	"io"
	"runtime/pprof"
	"time"
)

// The bounds of [Options]: a batch holds at most 50 ids, and a task is at least a start, an activity and an end.
const (
	mostTasks   = 50
	fewestNodes = 3
	mostNodes   = 1000
)

// connections is how many clients ask at the same time, each its next question when the last was answered.
const connections = 4

// Options say how much is measured.
type Options struct {
	Tasks    int           // in the batch that is asked about
	Nodes    int           // that each of them has reached
	Duration time.Duration // of one side in one round
	Rounds   int

	Progress func(name string) // is told what is measured next; nil: nobody is
	Profile  io.Writer         // takes a CPU profile of one more round of the hot batch with children; nil: none

	db string // of the server; "": its store is in a temporary directory
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	switch {
	case o.Tasks < 1 || o.Tasks > mostTasks:
		return fmt.Errorf("tasks must be between 1 and %d", mostTasks)
	case o.Nodes < fewestNodes || o.Nodes > mostNodes:
		return fmt.Errorf("nodes must be between %d and %d", fewestNodes, mostNodes)
	case o.Duration <= 0:
		return fmt.Errorf("duration must be more than 0")
	case o.Rounds < 1:
		return fmt.Errorf("rounds must be at least 1")
	}
	return nil
}

// Status measures how fast a server tells the status of a batch of tasks. Its files are in a temporary directory, which
// is removed afterwards.
func Status(ctx context.Context, o Options) (*Report, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	report := &Report{
		Machine: thisMachine(), Tasks: o.Tasks, Nodes: o.Nodes, Duration: o.Duration.String(), Rounds: o.Rounds, Connections: connections,
	}
	w, err := newWorld(ctx, o)
	if err != nil {
		return nil, err
	}
	defer w.remove()
	for _, part := range []func(context.Context, *world, Options) ([]Comparison, error){hotAnswers, firstAnswers, reads} {
		done, err := part(ctx, w, o)
		if err != nil {
			return nil, err
		}
		report.Comparisons = append(report.Comparisons, done...)
	}
	return report, nil
}

// side is one of two things that are measured in turns. It works for d and gives a figure.
type side func(ctx context.Context, d time.Duration) (float64, error)

// pair is what is measured, with what it is held against.
type pair struct {
	Comparison
	ours, reference side
}

// warmUp is the part of a round that each side runs before the first, without being measured.
const warmUp = 10

// measure runs both sides in turns, so that a machine that grows slower or faster meanwhile does so for both.
func (p *pair) measure(ctx context.Context, o Options) (Comparison, error) {
	result := p.Comparison
	if o.Progress != nil {
		o.Progress(p.Name)
	}
	for round := -1; round < o.Rounds; round++ {
		d := o.Duration
		if round < 0 {
			d /= warmUp
		}
		ours, err := p.ours(ctx, d)
		if err != nil {
			return result, fmt.Errorf("%s: %s: %w", p.Name, p.Ours.Name, err)
		}
		reference, err := p.reference(ctx, d)
		if err != nil {
			return result, fmt.Errorf("%s: %s: %w", p.Name, p.Reference.Name, err)
		}
		if round >= 0 {
			result.Ours.Rounds = append(result.Ours.Rounds, ours)
			result.Reference.Rounds = append(result.Reference.Rounds, reference)
		}
	}
	result.conclude()
	return result, nil
}

// measureAll measures pairs one after the other.
func measureAll(ctx context.Context, o Options, pairs ...*pair) ([]Comparison, error) {
	list := make([]Comparison, 0, len(pairs))
	for _, p := range pairs {
		done, err := p.measure(ctx, o)
		if err != nil {
			return nil, err
		}
		list = append(list, done)
	}
	return list, nil
}

// profiled runs a side once under the CPU profiler.
func profiled(ctx context.Context, o Options, s side) error {
	if o.Profile == nil {
		return nil
	}
	if err := pprof.StartCPUProfile(o.Profile); err != nil {
		return fmt.Errorf("start the CPU profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	_, err := s(ctx, o.Duration)
	return err
}
