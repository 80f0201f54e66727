package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// SizeOptions say how large tasks and stores are that are asked about.
type SizeOptions struct {
	Nodes     int // of the large task
	Many, Few int // finished tasks of the two stores that are compared
	Questions int // in one round
	Rounds    int

	Progress func(name string) // is told what is measured next; nil: nobody is
}

const (
	mostMany      = 1_000_000
	mostQuestions = 10_000
)

// Check says what is wrong with the options.
func (o *SizeOptions) Check() error {
	switch {
	case o.Nodes < fewestWide+1 || o.Nodes > mostNodesOfTask:
		return fmt.Errorf("nodes must be between %d and %d", fewestWide+1, mostNodesOfTask)
	case o.Few < mostTasks || o.Few > mostMany:
		return fmt.Errorf("few tasks must be between %d and %d", mostTasks, mostMany)
	case o.Many < o.Few || o.Many > mostMany:
		return fmt.Errorf("many tasks must be between the few and %d", mostMany)
	case o.Questions < 1 || o.Questions > mostQuestions:
		return fmt.Errorf("questions must be between 1 and %d", mostQuestions)
	case o.Rounds < 1:
		return errors.New("rounds must be at least 1")
	}
	return nil
}

// Size measures how long single answers take at worst: about a task of very many nodes while other tasks run, and about
// tasks of a store that holds very many. Its files are in temporary directories, which are removed afterwards.
func Size(ctx context.Context, o SizeOptions) (*Report, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	report := &Report{
		Machine: thisMachine(), Tasks: o.Many, Nodes: o.Nodes, Rounds: o.Rounds, Questions: o.Questions,
	}
	var err error
	if report.Figures, err = largeTask(ctx, o); err != nil {
		return nil, err
	}
	report.Comparisons, err = fullStores(ctx, o)
	return report, err
}

func (o *SizeOptions) tell(name string) {
	if o.Progress != nil {
		o.Progress(name)
	}
}

// worst gives the time within which 99 of 100 answers came, in milliseconds.
func worst(times []time.Duration) float64 {
	sorted := slices.Sorted(slices.Values(times))
	at := int(math.Ceil(0.99*float64(len(sorted)))) - 1
	return float64(sorted[at].Nanoseconds()) / 1e6
}
