package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stdops/stdops"
)

// stepSettings bound a step from outside, and let the batch statement be planned as on the connections that are for it.
const stepSettings = `
	SELECT set_config('lock_timeout', '2s', true), set_config('statement_timeout', '2s', true),
		set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
		set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true)`

// Step stores what decide makes of a task while nobody else can change it. Whoever drives the task is told, or, when nobody
// does, somebody is asked to. A key that is taken gives [stdops.ErrRepeated].
func (w *Workers) Step(ctx context.Context, ref stdops.TaskRef, decide func(*stdops.Snapshot) (*stdops.Change, error)) error {
	var stored *stdops.Change
	err := writeOn(ctx, w.store.pg.writers, func(ctx context.Context, conn *sql.Conn, tx *sql.Tx) error {
		// Each statement sees what was stored when it began: those behind the one that locks the row see who had it before.
		locked := &pgx.Batch{}
		locked.Queue(stepSettings)
		locked.Queue(`SELECT id FROM task WHERE id = $1 AND project_id = $2 FOR NO KEY UPDATE`, int64(ref.Task), int64(ref.Project))
		var snap stdops.Snapshot
		if err := snapshotAfter(ctx, conn, locked, ref, &snap); err != nil {
			return err
		}
		change, err := decide(&snap)
		if err != nil || change == nil {
			return err
		}
		verdicts, err := w.store.applyIn(ctx, conn, []stdops.Change{*change})
		switch {
		case err != nil:
			return err
		case verdicts[0] != stdops.Committed: // nobody else could change the task: its key is taken
			return stdops.ErrRepeated
		}
		stored = change
		return w.tellOthers(ctx, tx, change)
	})
	if err == nil && stored != nil {
		w.store.committed(changeOf(stored))
	}
	return err
}

// tellOthers tells whoever drives a task of a step that was made from outside.
func (w *Workers) tellOthers(ctx context.Context, tx *sql.Tx, c *stdops.Change) error {
	told, err := tx.ExecContext(ctx, `SELECT `+notifyOwner+` FROM task t WHERE t.id = $1 AND t.owner IS NOT NULL`, int64(c.Task))
	if err != nil {
		return fmt.Errorf("tell who drives task %d: %w", c.Task, err)
	}
	if n, err := told.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return w.store.pg.leaveToOthers(ctx, tx, c)
}

// leaveToOthers asks that somebody goes on with a task that nobody drives, where this process is not one to do it.
func (p *postgres) leaveToOthers(ctx context.Context, tx *sql.Tx, c *stdops.Change) error {
	if p.leave == nil || !c.Outside || !c.Root.Live {
		return nil
	}
	return p.leave(ctx, tx, []stdops.Wake{{Ref: stdops.TaskRef{Project: c.Project, Task: c.Task}, At: p.clock.now()}})
}
