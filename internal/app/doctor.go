package app

import (
	"context"
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// Finding is something that [Diagnose] has found.
type Finding struct {
	// Note: nothing is wrong, but somebody should know.
	Note   bool          `json:"note,omitempty"`
	Task   stdops.TaskID `json:"task,omitempty"` // 0: it is about the data directory or the database
	What   string        `json:"what"`
	Advice string        `json:"advice,omitempty"` // what can be done
	// Repair: [Diagnosis.Repair] sets it right, as Advice says.
	Repair bool `json:"repair,omitempty"`
}

// Diagnosis is what [Diagnose] has found.
type Diagnosis struct {
	Verified
	Running  bool      `json:"running"` // a server has the data directory, or drives tasks of the database
	Findings []Finding `json:"findings"`

	at     Place
	repair store.Repair
}

// Wrong reports whether anything is wrong: there is more than notes.
func (d *Diagnosis) Wrong() bool {
	for _, f := range d.Findings {
		if !f.Note {
			return true
		}
	}
	return false
}

// Repaired says what [Diagnosis.Repair] has done.
type Repaired = store.Repaired

// Patient is what [Diagnose] looks at.
type Patient struct {
	Place
	LocalScripts string // the setting of the server, as far as it is known
}

// overdueAfter is how long something may be late before it counts as stuck.
const overdueAfter = time.Minute

// Diagnose looks at a data directory, whether a server has it or not, or at a database that servers share, and changes nothing.
// It does all that [Verify] does, and looks for tasks that do not go on, for what was left behind, and for what will be a trouble
// one day.
func Diagnose(ctx context.Context, p Patient) (*Diagnosis, error) {
	if p.DB != "" {
		return diagnoseDatabase(ctx, p)
	}
	data, err := store.OpenBeside(p.DataDir)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	d := &Diagnosis{Running: data.Live(), Findings: []Finding{}, at: p.Place}
	if err := d.surroundings(data, p); err != nil {
		return nil, err
	}
	schema, err := data.Schema(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case schema.Data > schema.Program:
		d.add(Finding{What: schema.Newer("the database").Error(), Advice: "nothing else was looked at"})
		return d, nil
	case len(schema.Steps) > 0:
		d.add(Finding{
			Note: true, What: fmt.Sprintf("the schema is %d, this program knows %d: only the file was looked at", schema.Data, schema.Program),
			Advice: "stdops migrate up brings it up to date, as the next start does",
		})
		e := d.examination(data, time.Time{})
		return d, e.file(ctx)
	}
	recorded, err := data.TimeOnRecord(ctx)
	if err != nil {
		d.add(Finding{What: err.Error()})
	}
	return d, d.examine(ctx, data, present(recorded, time.Now(), data.Live()), data.LastStart())
}

func (d *Diagnosis) add(f Finding) { d.Findings = append(d.Findings, f) }

// examine looks at what is stored. Whatever is late, a server has had no time for it yet that was started a moment ago.
func (d *Diagnosis) examine(ctx context.Context, data *store.Copy, now, started time.Time) (err error) {
	e := d.examination(data, now)
	late := now.Add(-overdueAfter)
	if started.After(late) {
		late = time.Time{}
	}
	sleepers := make(map[stdops.TaskID]bool)
	e.each = func(record *stdops.Record, graph *flow.Graph) {
		for _, text := range engine.Overdue(record, graph, late) {
			d.add(Finding{Task: record.Task.ID, What: text, Advice: d.adviceForLate()})
		}
		if engine.Asleep(record, graph, e.now) {
			sleepers[record.Task.ID] = true
			ref := stdops.TaskRef{Project: record.Task.Project, Task: record.Task.ID}
			d.repair.Wake = append(d.repair.Wake, store.Sleeper{Ref: ref, Revision: record.Task.Root.Revision})
		}
	}
	e.wrong = func(task stdops.TaskID, problem string) {
		f := Finding{Task: task, What: problem, Advice: adviceForDamage}
		switch {
		case sleepers[task]:
			f.Repair, f.Advice = true, d.adviceForSleeper()
		case task != 0:
			f.Advice = "revoke the task and make it anew, or restore a backup"
		}
		d.add(f)
	}
	d.repair.At = e.now
	if d.Verified, err = e.run(ctx); err != nil {
		return err
	}
	return d.unheard(ctx, data)
}

const adviceForDamage = "restore a backup (docs/operations.md)"

// examination makes a look at the data.
func (d *Diagnosis) examination(data *store.Copy, now time.Time) *examination {
	return &examination{
		data: data, now: now,
		wrong: func(_ stdops.TaskID, problem string) {
			d.add(Finding{What: problem, Advice: adviceForDamage})
		},
		orphan: func(o store.Orphans) {
			d.repair.Orphans = true
			d.add(Finding{What: o.String(), Advice: "remove these rows", Repair: true})
		},
		misled: func(m store.Misled) {
			f := Finding{Task: m.Ref.Task, What: m.What, Advice: "no stdops writes that: find out who has changed the row of the task"}
			if m.Forgotten {
				d.repair.Forgotten = true
				f.Repair, f.Advice = true, d.adviceForSleeper()
			}
			d.add(f)
		},
	}
}

// present gives the time of the server: of a stopped one the last that it has recorded, since nothing can have happened later.
// A running one records it every minute at least. What the clock of the machine says beyond that is not the server's time:
// somebody has set the clock.
func present(recorded, clock time.Time, running bool) time.Time {
	const recordedWithin = time.Minute + 10*time.Second
	if running && clock.After(recorded) && clock.Sub(recorded) < recordedWithin {
		return clock
	}
	return recorded
}

func (d *Diagnosis) adviceForSleeper() string {
	if d.at.DB != "" {
		return "let a worker look at the task"
	}
	return "let the next start look at the task"
}

func (d *Diagnosis) adviceForLate() string {
	if d.Running {
		return "see in /metrics whether calls (stdops_calls_waiting) or tasks (stdops_waiting_tasks) wait for room, and in the log of the " +
			"server what it says of the task"
	}
	return "start the server; if it is late a minute later still, the log of the server says why"
}

// unheard looks for callbacks that nobody will ever hear.
func (d *Diagnosis) unheard(ctx context.Context, data *store.Copy) error {
	rows, err := data.TellsOfNobody(ctx)
	if err != nil || rows == 0 {
		return err
	}
	d.repair.Unheard = true
	d.add(Finding{
		Note: true, What: fmt.Sprintf("%d callbacks, or messages of children, were left by tasks that have ended", rows),
		Advice: "remove these rows", Repair: true,
	})
	return nil
}

// Repairable reports whether there is something that Repair sets right.
func (d *Diagnosis) Repairable() bool {
	return len(d.repair.Wake) > 0 || d.repair.Forgotten || d.repair.Orphans || d.repair.Unheard
}

// Repair sets right what can be without harm: in a data directory that no server has, after the database was copied, or in a
// database, whoever works on it.
func (d *Diagnosis) Repair(ctx context.Context) (Repaired, error) {
	if d.at.DB != "" {
		return d.repair.Share(ctx, d.at.DB)
	}
	return d.repair.Do(ctx, d.at.DataDir)
}
