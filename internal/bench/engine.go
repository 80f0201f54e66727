package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/stdops/stdops"
)

// The most that [EngineOptions] take.
const (
	mostRuns  = 10_000
	mostSteps = 10_000
)

// EngineOptions say how much of the engine is measured.
type EngineOptions struct {
	Tasks    int           // of the mixed flow, that run at the same time
	Steps    int           // activities of the one flow that is serial
	Duration time.Duration // of one side in one round, at least: a run that has begun is carried to its end
	Rounds   int

	Progress func(name string) // is told what is measured next; nil: nobody is
	Profile  io.Writer         // takes a CPU profile of one more round of the mixed flows; nil: none
}

// Check says what is wrong with the options.
func (o *EngineOptions) Check() error {
	switch {
	case o.Tasks < 1 || o.Tasks > mostRuns:
		return fmt.Errorf("tasks must be between 1 and %d", mostRuns)
	case o.Steps < 1 || o.Steps > mostSteps:
		return fmt.Errorf("steps must be between 1 and %d", mostSteps)
	case o.Duration <= 0:
		return errors.New("duration must be more than 0")
	case o.Rounds < 1:
		return errors.New("rounds must be at least 1")
	}
	return nil
}

// Engine measures how fast tasks run on the embedded store with full durability. Its files are in a temporary directory,
// which is removed afterwards.
func Engine(ctx context.Context, o EngineOptions) (*Report, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	report := &Report{
		Machine: thisMachine(), Tasks: o.Tasks, Activities: mixedActivities, Duration: o.Duration.String(), Rounds: o.Rounds,
	}
	w, err := emptyWorld(ctx)
	if err != nil {
		return nil, err
	}
	defer w.remove()
	many, one, err := w.prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	common := Options{Duration: o.Duration, Rounds: o.Rounds, Progress: o.Progress, Profile: o.Profile}
	mixed := many.mixedFlows()
	report.Comparisons, err = measureAll(ctx, common, mixed, one.serialFlow())
	if err != nil {
		return nil, err
	}
	report.Comparisons[0].Rows = many.last.rows
	return report, profiled(ctx, common, mixed.ours)
}

// prepare creates the tasks, and stops the server: from then on nobody but the bench has its files.
func (w *world) prepare(ctx context.Context, o EngineOptions) (many, one *runs, err error) {
	many = &runs{dir: w.dir, base: w.data(), activities: o.Tasks * mixedActivities}
	one = &runs{dir: w.dir, base: w.data(), activities: o.Steps}
	for i := range o.Tasks {
		id, err := w.createTask(ctx, fmt.Sprintf("mixed task %d", i+1), mixed())
		if err != nil {
			return nil, nil, fmt.Errorf("create task %d: %w", i+1, err)
		}
		many.tasks = append(many.tasks, id)
	}
	id, err := w.createTask(ctx, "serial task", tree(0, o.Steps+2, false))
	if err != nil {
		return nil, nil, fmt.Errorf("create the serial task: %w", err)
	}
	one.tasks = batch{id}
	return many, one, w.stop()
}

// onFiles does something with the store in a directory and gives the time of the part of it that counts.
type onFiles func(ctx context.Context, dir string) (time.Duration, error)

// runs are tasks that are run again and again, each time from a copy of the same files.
type runs struct {
	dir, base  string
	tasks      batch
	activities int       // that all of them together execute
	last       recording // of the run that was the last
}

// mixedFlows holds the engine against a bare writer: it is fed with the changes that the engine's last run stored, in
// their order, in batches as large as the engine's own may become, as fast as it takes them.
func (r *runs) mixedFlows() *pair {
	return &pair{
		ours: r.perSecond(r.run), reference: r.perSecond(r.replay),
		Comparison: Comparison{
			Name: "mixed flows", Unit: "activities/s", Goal: Goal{AtLeast: 0.4},
			Ours: Series{Name: "engine"}, Reference: Series{Name: "bare writer"},
		},
	}
}

// serialFlow holds a flow whose activities run one after the other against as many commits of one row each.
func (r *runs) serialFlow() *pair {
	return &pair{
		ours: r.perActivity(r.run), reference: r.perActivity(r.singles),
		Comparison: Comparison{
			Name: "serial flow, for each activity", Unit: "µs", Goal: Goal{AtMost: 3},
			Ours: Series{Name: "engine"}, Reference: Series{Name: "commit of one row"},
		},
	}
}

// perSecond gives how many activities are executed, or recorded, in a second.
func (r *runs) perSecond(once onFiles) side {
	return func(ctx context.Context, d time.Duration) (float64, error) {
		each, err := r.repeated(ctx, d, once)
		if err != nil {
			return 0, err
		}
		return float64(r.activities) / each.Seconds(), nil
	}
}

func (r *runs) perActivity(once onFiles) side {
	return func(ctx context.Context, d time.Duration) (float64, error) {
		each, err := r.repeated(ctx, d, once)
		return float64(each.Nanoseconds()) / 1e3 / float64(r.activities), err
	}
}

// repeated does something on fresh copies of the files until it has taken d, and gives the mean time of once.
func (r *runs) repeated(ctx context.Context, d time.Duration, once onFiles) (time.Duration, error) {
	var sum time.Duration
	for n := 1; ; n++ {
		took, err := r.onCopy(ctx, once)
		if err != nil {
			return 0, err
		}
		if sum += took; sum >= d {
			return sum / time.Duration(n), nil
		}
	}
}

func (r *runs) onCopy(ctx context.Context, once onFiles) (took time.Duration, err error) {
	dir := filepath.Join(r.dir, "copy")
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.CopyFS(dir, os.DirFS(r.base)); err != nil {
		return 0, fmt.Errorf("copy the store: %w", err)
	}
	runtime.GC() // what the run before left behind is no cost of this one
	return once(ctx, dir)
}

// refs names the tasks for those who drive them.
func (r *runs) refs() []stdops.TaskRef {
	refs := make([]stdops.TaskRef, len(r.tasks))
	for i, id := range r.tasks {
		refs[i] = stdops.TaskRef{Project: project, Task: id}
	}
	return refs
}
