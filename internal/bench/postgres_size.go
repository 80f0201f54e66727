package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/stdops/stdops/internal/app"
)

// PostgresSizeOptions say how many finished tasks a database has while it is measured.
type PostgresSizeOptions struct {
	DB        string // address of a database without tasks, which is filled
	Many, Few int    // finished tasks
	Questions int    // in one round
	Rounds    int

	Progress func(name string) // is told what is measured next; nil: nobody is
}

// Check says what is wrong with the options.
func (o *PostgresSizeOptions) Check() error {
	switch {
	case o.DB == "":
		return errors.New("db must name a database without tasks, which the bench fills")
	case o.Few < 2*mostTasks || o.Many < o.Few:
		return fmt.Errorf("few must be at least %d, and many not be less", 2*mostTasks)
	case o.Questions < 1 || o.Rounds < 1:
		return errors.New("questions and rounds must be at least 1")
	}
	return nil
}

// PostgresSize compares the worst answers about fifty random finished tasks of a database with few tasks and with many. The
// tasks have the rows that such an answer needs, and no others. It fills the database, which must have no tasks.
func PostgresSize(ctx context.Context, o PostgresSizeOptions) (report *Report, err error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	db, err := fillable(ctx, o.DB)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	report = &Report{
		Machine: thisMachine(), Tasks: o.Many, Nodes: sampleNodes, Questions: o.Questions, Rounds: o.Rounds,
	}
	if report.Server, err = db.Version(ctx); err != nil {
		return nil, err
	}
	w, err := newWorld(ctx, Options{Tasks: mostTasks, Nodes: sampleNodes, db: o.DB})
	if err != nil {
		return nil, err
	}
	defer w.remove()
	if err := w.stop(); err != nil {
		return nil, err
	}
	w.roles = app.Roles{NoWorker: true}
	var finished batch
	for i, id := range w.tasks {
		if !runsOn(i) {
			finished = append(finished, id)
		}
	}
	w.tasks = nil
	result := Comparison{Name: "50 random finished tasks, not asked for before", Unit: "ms", Goal: Goal{AtMost: 1.5}}
	for _, side := range []struct {
		tasks int
		of    *Series
	}{{o.Few, &result.Reference}, {o.Many, &result.Ours}} {
		side.of.Name = fmt.Sprintf("%d tasks", side.tasks)
		if o.Progress != nil {
			o.Progress(side.of.Name)
		}
		more, err := db.Fill(ctx, finished, side.tasks-len(w.tasks), 0, "task_input", "node_state")
		if err != nil {
			return nil, err
		}
		w.tasks = append(w.tasks, more...)
		if err := db.Vacuum(ctx, false); err != nil {
			return nil, err
		}
		size, err := db.Size(ctx)
		if err != nil {
			return nil, err
		}
		report.Figures = append(report.Figures, Figure{Unit: "MiB", Series: single(side.of.Name+" on disk", mebibytes(size))})
		ask := w.freshQuestions(o.Questions)
		for range o.Rounds {
			worst, err := ask(ctx, 0)
			if err != nil {
				return nil, err
			}
			side.of.Rounds = append(side.of.Rounds, worst)
		}
	}
	result.conclude()
	report.Comparisons = []Comparison{result}
	return report, nil
}
