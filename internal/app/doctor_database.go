package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/store"
)

// diagnoseDatabase looks at a database as it is at one moment.
func diagnoseDatabase(ctx context.Context, p Patient) (*Diagnosis, error) {
	d := &Diagnosis{Findings: []Finding{}, at: p.Place}
	d.settings(p)
	if fits, err := d.schema(ctx); !fits || err != nil {
		return d, err
	}
	data, err := store.OpenDatabase(ctx, p.DB)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	fleet, err := data.Fleet(ctx, overdueAfter)
	if err != nil {
		return nil, err
	}
	d.Running = fleet.Workers > 0
	d.server(&fleet)
	d.workers(&fleet)
	return d, d.examine(ctx, data, fleet.Now, fleet.Since)
}

const nothingElse = "nothing else was looked at"

// schema reports whether the tables are those that this program knows.
func (d *Diagnosis) schema(ctx context.Context) (fits bool, err error) {
	schema, err := store.PostgresSchema(ctx, d.at.DB)
	if err != nil {
		return false, err
	}
	jobs, known, err := queue.RiverVersions(ctx, d.at.DB)
	if err != nil {
		return false, err
	}
	switch {
	case schema.Data > schema.Program:
		d.add(Finding{What: schema.Newer("the database").Error(), Advice: nothingElse})
	case schema.Data == 0:
		d.add(Finding{What: "the database has no schema yet", Advice: "stdops migrate up makes it"})
	case len(schema.Steps) > 0:
		d.add(Finding{
			Note: true, What: fmt.Sprintf("the schema is %d, this program knows %d: %s", schema.Data, schema.Program, nothingElse),
			Advice: "stdops migrate up brings it up to date; before that no server of this version starts",
		})
	case jobs > known:
		d.add(Finding{
			What:   fmt.Sprintf("the tables of the queue are those of a newer stdops (version %d, this program knows %d)", jobs, known),
			Advice: "use that version; " + nothingElse,
		})
	case jobs < known:
		d.add(Finding{
			What:   fmt.Sprintf("the tables of the queue have version %d, this program needs %d: no worker of it starts", jobs, known),
			Advice: "stdops migrate up brings them up to date",
		})
		return true, nil
	default:
		return true, nil
	}
	return false, nil
}

// crowded is the part of its connections, in percent, from which on a server of PostgreSQL has few left.
const crowded = 80

// server looks at the settings and at the room of the server of the database.
func (d *Diagnosis) server(f *store.Fleet) {
	if f.Standby {
		d.add(Finding{
			Note: true, What: "the database server is a standby: what was looked at is as old as it lags behind, and nothing can be repaired here",
			Advice: "servers, and repairs, need the address of the primary",
		})
	}
	if f.Encoding != "UTF8" {
		d.add(Finding{
			What:   fmt.Sprintf("the encoding of the database is %s, which does not hold every text: no server starts on it", f.Encoding),
			Advice: "make a database with ENCODING 'UTF8' and TEMPLATE template0, and copy this one into it by pg_dump and pg_restore",
		})
	}
	for _, name := range f.Lossy {
		d.add(Finding{
			What:   fmt.Sprintf("%s of the database server is off: when its machine crashes it loses what was acknowledged, or everything", name),
			Advice: "set it on",
		})
	}
	if !f.CommitsAtOnce {
		d.add(Finding{
			Note: true, What: "synchronous_commit of the database server is off; stdops sets it on in its own sessions",
			Advice: "set it on for everybody else",
		})
	}
	if f.Connections*100 >= f.MostConnections*crowded {
		d.add(Finding{
			Note: true, What: fmt.Sprintf("%d of the %d connections of the database server are taken", f.Connections, f.MostConnections),
			Advice: "raise max_connections, or run fewer processes (docs/operations.md says how many each of them takes)",
		})
	}
}

// workers looks at who drives tasks, and at the tasks that nobody drives though they are to be.
func (d *Diagnosis) workers(f *store.Fleet) {
	advice := "see in the logs of the workers what keeps them, and in /metrics whether they have room (stdops_waiting_tasks)"
	if f.Workers == 0 {
		advice = "start a process with the role worker"
		d.add(Finding{Note: true, What: "no process drives tasks at this moment", Advice: advice})
	}
	if f.Workers > 0 && f.Since.After(f.Now.Add(-overdueAfter)) {
		return // they have begun a moment ago
	}
	if len(f.Due) > 0 {
		d.add(Finding{What: waitingText("are due, and no worker has taken them", f.Due, f.Now), Advice: advice})
	}
	if len(f.Left) > 0 {
		d.add(Finding{What: waitingText("belong to workers that are dead, and no other has taken them", f.Left, f.Now), Advice: advice})
	}
}

// mostNamed is how many tasks a finding names.
const mostNamed = 10

func waitingText(what string, tasks []store.Waiting, now time.Time) string {
	var named []string
	for _, w := range tasks[:min(len(tasks), mostNamed)] {
		named = append(named, fmt.Sprint(w.Ref.Task))
	}
	if len(tasks) > mostNamed {
		named = append(named, "…")
	}
	return fmt.Sprintf("%d tasks %s, for %v at most (%s)", len(tasks), what, now.Sub(tasks[0].Since).Round(time.Second), strings.Join(named, ", "))
}
