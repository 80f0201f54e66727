package store

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
)

// FinishedQuery says which tasks of a project are meant: those that FINISHED among the newest of one flow, and that have one tree.
type FinishedQuery struct {
	Template stdops.TemplateID // 0: tasks that were made of a tree of their own
	Tree     string            // hash
	Among    int64             // so many of the newest tasks of the flow are looked at
	Limit    int
}

// Finished lists tasks, newest first. Deleted ones are not among them. Both statements go along the index of the tasks of a
// flow: how many they look at is bounded, however many tasks there are.
func (s *Store) Finished(ctx context.Context, project stdops.ProjectID, q FinishedQuery) ([]stdops.TaskID, error) {
	rows, err := s.readers.QueryContext(ctx, `
		SELECT id FROM task
		WHERE project_id = $1 AND template_id = $2 AND deleted = 0 AND tree_hash = $3 AND state = $4
			AND id >= COALESCE((SELECT id FROM task WHERE project_id = $1 AND template_id = $2 AND deleted = 0
				ORDER BY id DESC LIMIT 1 OFFSET $5), 0)
		ORDER BY id DESC LIMIT $6`,
		int64(project), int64(q.Template), q.Tree, int64(stdops.StateFinished), q.Among-1, int64(q.Limit))
	list, err := collect(rows, err, func(id *stdops.TaskID) []any { return []any{number(id)} })
	if err != nil {
		return nil, fmt.Errorf("list finished tasks of flow %d in project %d: %w", q.Template, project, explain(err))
	}
	return list, nil
}
