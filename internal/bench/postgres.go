package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/bench/bare"
	"github.com/stdops/stdops/internal/store"
)

// PostgresOptions say how much is measured of servers that share a database.
type PostgresOptions struct {
	DB       string        // address of a database without tasks, which is filled
	Program  string        // the stdops that is started as a server
	Tasks    int           // of the mixed flow, that run at the same time
	Nodes    int           // of the task that is paused while it runs
	Pauses   int           // of it, in each way
	Waiting  int           // tasks whose time lies far ahead
	Idle     time.Duration // for which they are watched
	Kills    int           // of workers
	Duration time.Duration // of one side in one round, at least
	Rounds   int

	Progress func(name string) // is told what is measured next; nil: nobody is
}

// Check says what is wrong with the options.
func (o *PostgresOptions) Check() error {
	switch {
	case o.DB == "":
		return errors.New("db must name a database without tasks, which the bench fills")
	case o.Tasks < 1 || o.Tasks > mostRuns:
		return fmt.Errorf("tasks must be between 1 and %d", mostRuns)
	case o.Nodes < 2*fewestWide || o.Nodes > mostNodesOfTask:
		return fmt.Errorf("nodes must be between %d and %d", 2*fewestWide, mostNodesOfTask)
	case o.Pauses < 1 || o.Waiting < 1 || o.Kills < 0:
		return errors.New("pauses and waiting must be at least 1, and kills not below 0")
	case o.Idle <= 0 || o.Duration <= 0:
		return errors.New("idle and duration must be more than 0")
	case o.Rounds < 1:
		return errors.New("rounds must be at least 1")
	}
	return nil
}

func (o *PostgresOptions) tell(name string) {
	if o.Progress != nil {
		o.Progress(name)
	}
}

func (o *PostgresOptions) common() Options {
	return Options{Tasks: mostTasks, Nodes: sampleNodes, Duration: o.Duration, Rounds: o.Rounds, Progress: o.Progress, db: o.DB}
}

// site is a database with a server that only answers.
type site struct {
	PostgresOptions
	bare  *bare.DB
	front *world
}

// Postgres measures servers that share a PostgreSQL database. It fills the database, which must have no tasks.
func Postgres(ctx context.Context, o PostgresOptions) (report *Report, err error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	db, err := fillable(ctx, o.DB)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	report = &Report{
		Machine: thisMachine(), Tasks: o.Tasks, Activities: mixedActivities, Duration: o.Duration.String(), Rounds: o.Rounds,
	}
	if report.Server, err = db.Version(ctx); err != nil {
		return nil, err
	}
	s := &site{PostgresOptions: o, bare: db}
	if report.Figures, err = s.sizes(ctx); err != nil {
		return nil, err
	}
	if err := s.measure(ctx, report); err != nil {
		return nil, err
	}
	deadlocks, err := db.Deadlocks(ctx)
	report.Figures = append(report.Figures, Figure{Unit: "in all of this", Series: single("deadlocks", float64(deadlocks))})
	return report, err
}

// measure takes the parts one after the other, each beside what was left by those before it.
func (s *site) measure(ctx context.Context, report *Report) (err error) {
	for _, part := range []func(context.Context) ([]Comparison, []Figure, error){
		s.statuses, s.withFront(s.engines), s.withFront(s.pauses), s.withFront(s.heldRow), s.withFront(s.takeovers), s.withFront(s.idle),
	} {
		comparisons, figures, err := part(ctx)
		if err != nil {
			return err
		}
		report.Comparisons = append(report.Comparisons, comparisons...)
		report.Figures = append(report.Figures, figures...)
	}
	return nil
}

type postgresPart func(context.Context) ([]Comparison, []Figure, error)

// withFront runs a part beside a server that takes requests and drives nothing.
func (s *site) withFront(part postgresPart) func(context.Context) ([]Comparison, []Figure, error) {
	return func(ctx context.Context) ([]Comparison, []Figure, error) {
		front, err := worldOn(ctx, s.DB, app.Roles{NoWorker: true})
		if err != nil {
			return nil, nil, err
		}
		s.front = front
		defer front.remove()
		return part(ctx)
	}
}

// fillable gives a database that the bench may fill, with the schema of this program.
func fillable(ctx context.Context, url string) (db *bare.DB, err error) {
	if err := app.Upgrade(ctx, app.Place{DB: url}, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	if db, err = bare.Open(ctx, url); err != nil {
		return nil, err
	}
	n, err := db.Tasks(ctx)
	if err == nil && n > 0 {
		err = fmt.Errorf("the database has %d tasks: the bench fills one that has none", n)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func single(name string, value float64) Series {
	s := Series{Name: name, Rounds: []float64{value}}
	s.conclude()
	return s
}

// statuses measures answers of a server of its own, as [Status] does.
func (s *site) statuses(ctx context.Context) ([]Comparison, []Figure, error) {
	w, err := newWorld(ctx, s.common())
	if err != nil {
		return nil, nil, err
	}
	defer w.remove()
	list, err := hotAnswers(ctx, w, s.common())
	if err != nil {
		return nil, nil, err
	}
	for i := range list {
		list[i].Goal = Goal{} // it is that of a server which has its store for itself, and asks nobody whether a task has changed
	}
	w.roles = app.Roles{NoWorker: true} // what a process does beside answering is not to be measured
	for _, part := range []func(context.Context, *world, Options) ([]Comparison, error){firstAnswers, reads} {
		done, err := part(ctx, w, s.common())
		if err != nil {
			return nil, nil, err
		}
		list = append(list, done...)
	}
	return list, nil, nil
}

// create makes tasks without starting them.
func (s *site) create(ctx context.Context, n int, tree *stdops.Object) (batch, error) {
	tasks := make(batch, n)
	var all errgroup.Group
	all.SetLimit(connections)
	for i := range tasks {
		all.Go(func() (err error) {
			tasks[i], err = s.front.createTask(ctx, fmt.Sprintf("bench task %d", i+1), tree)
			return err
		})
	}
	return tasks, all.Wait()
}

// open opens the store beside the server that answers.
func (s *site) open(ctx context.Context) (*store.Store, error) {
	beside := &world{dir: filepath.Join(s.front.dir, "beside"), db: s.DB}
	return beside.open(ctx)
}

// sizes measures how many bytes of the database a finished task takes, whole and archived.
func (s *site) sizes(ctx context.Context) ([]Figure, error) {
	s.tell("bytes of a task")
	empty, err := s.sizeNow(ctx, false)
	if err != nil {
		return nil, err
	}
	w, err := worldOn(ctx, s.DB, app.Roles{})
	if err != nil {
		return nil, err
	}
	defer w.remove()
	tasks := make(batch, s.Tasks)
	for i := range tasks {
		if tasks[i], err = w.createAndStart(ctx, mixed()); err != nil {
			return nil, err
		}
	}
	limited, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	if _, err := s.bare.AwaitEnds(limited, tasks); err != nil {
		return nil, err
	}
	if err := w.stop(); err != nil {
		return nil, err
	}
	whole, err := s.sizeNow(ctx, false)
	if err != nil {
		return nil, err
	}
	st, err := w.open(ctx)
	if err != nil {
		return nil, err
	}
	for n := 1; n > 0 && err == nil; {
		n, err = st.Archive(ctx, st.Now().Add(time.Hour), s.Tasks)
	}
	if err := errors.Join(err, st.Close()); err != nil {
		return nil, err
	}
	archived, err := s.sizeNow(ctx, true)
	each := func(size int64) float64 { return float64(size-empty) / float64(s.Tasks) }
	return []Figure{
		{Unit: "bytes", Series: single("a finished task of 23 nodes on disk, whole", each(whole))},
		{Unit: "bytes", Series: single("a finished task of 23 nodes on disk, archived", each(archived))},
	}, err
}

func (s *site) sizeNow(ctx context.Context, compact bool) (int64, error) {
	if err := s.bare.Vacuum(ctx, compact); err != nil {
		return 0, err
	}
	return s.bare.Size(ctx)
}
