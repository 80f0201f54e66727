package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// TemplateVersion is a version that a template has or had.
type TemplateVersion struct {
	Version string // sha256 of its body, in hex
	Editor  string // who stored it first
	Created time.Time
}

// TemplateVersions lists the versions of a template, newest first. One that was gone back to stands where it was first.
func (s *Store) TemplateVersions(ctx context.Context, r TemplateRef) ([]TemplateVersion, error) {
	var versions []TemplateVersion
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT v.version, v.editor, v.created_at FROM template_version AS v JOIN template AS t ON t.id = v.template_id
			WHERE t.id = $1 AND t.project_id = $2 AND t.deleted = 0
			ORDER BY v.created_at DESC, v.version`, int64(r.Template), int64(r.Project))
		versions, err = collect(rows, err, func(v *TemplateVersion) []any {
			return []any{&v.Version, &v.Editor, instant(&v.Created)}
		})
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("list versions of template %d: %w", r.Template, err)
	case len(versions) == 0: // every template has one
		return nil, r.missing()
	}
	return versions, nil
}
