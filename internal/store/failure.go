package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stdops/stdops"
)

// Failures reads the outputs of the nodes of a task that are FAILED or whose error was ignored, of at most limit nodes:
// in them stands why. Inputs are not read.
func (s *Store) Failures(ctx context.Context, ref stdops.TaskRef, limit int) ([]stdops.NodeData, error) {
	var data []stdops.NodeData
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT d.node, d.outputs FROM node_state s JOIN node_data d ON d.task_id = s.task_id AND d.node = s.node
			WHERE s.task_id = $1 AND s.project_id = $2 AND (s.state = $3 OR s.error_ignored = 1) AND d.outputs IS NOT NULL
			ORDER BY s.ord LIMIT $4`,
			int64(ref.Task), int64(ref.Project), int64(stdops.StateFailed), int64(limit))
		data, err = collect(rows, err, func(d *stdops.NodeData) []any { return []any{number(&d.Node), &d.Outputs} })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load failures of task %d: %w", ref.Task, err)
	}
	return data, orArchived(ctx, s.readers, ref, len(data))
}
