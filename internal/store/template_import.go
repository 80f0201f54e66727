package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stdops/stdops"
)

// ReserveTemplates sets ids of templates aside, count of them from first on. Bodies name the ids of other templates, so they
// are needed before anything is stored; those that are never used are lost, which harms nobody.
func (s *Store) ReserveTemplates(ctx context.Context, count int) (first stdops.TemplateID, err error) {
	id, err := s.reserve(ctx, "template", count)
	return stdops.TemplateID(id), err
}

// ReserveSchemes does so for ids of execution schemes.
func (s *Store) ReserveSchemes(ctx context.Context, count int) (first int64, err error) {
	return s.reserve(ctx, "scheme", count)
}

func (s *Store) reserve(ctx context.Context, table string, count int) (first int64, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		var last int64
		if s.pg != nil { // whoever else takes numbers does so in such a transaction
			err := tx.QueryRowContext(ctx, `
				SELECT setval(q, nextval(q) + $1 - 1)
				FROM pg_get_serial_sequence($2, 'id') q`, count, table).Scan(&last)
			first = last - int64(count) + 1
			return err
		}
		err := tx.QueryRowContext(ctx, `UPDATE sqlite_sequence SET seq = seq + $1 WHERE name = $2 RETURNING seq`, count, table).Scan(&last)
		if errors.Is(err, sql.ErrNoRows) { // nothing was ever stored there
			last = int64(count)
			_, err = tx.ExecContext(ctx, `INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)`, table, count)
		}
		first = last - int64(count) + 1
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reserve ids of table %s: %w", table, err)
	}
	return first, nil
}

// ImportedTemplate is one of the templates that [Store.ImportTemplates] stores.
type ImportedTemplate struct {
	Template // under a reserved id, or that of the template which it replaces
	Body     []byte
	Replace  bool
	Schemes  []Scheme // under reserved ids, or those of the schemes which they replace
}

// ImportTemplates stores templates, all of them or none, with the key of the request, which may be nil and gets the id of
// the first. Children stand before parents.
func (s *Store) ImportTemplates(ctx context.Context, all []ImportedTemplate, key *stdops.RequestKey) error {
	packed := make([][]byte, len(all))
	for i := range all {
		packed[i] = s.zip.EncodeAll(all[i].Body, nil)
	}
	err := s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		if err := s.free(ctx, tx, key); err != nil {
			return err
		}
		for i := range all {
			if err := importTemplate(ctx, tx, &all[i], packed[i]); err != nil {
				return err
			}
		}
		return s.keepKey(ctx, tx, key, int64(all[0].ID))
	})
	if err != nil {
		return fmt.Errorf("import templates: %w", err)
	}
	return nil
}

func importTemplate(ctx context.Context, tx *sql.Conn, t *ImportedTemplate, packed []byte) error {
	var err error
	if t.Replace {
		err = execOne(ctx, tx, TemplateRef{t.Project, t.ID}.missing(), `
			UPDATE template SET name = $1, category = $2, description = $3, editor = $4, version = $5, edited_at = $6
			WHERE id = $7 AND project_id = $8 AND deleted = 0`, t.Name, t.Category, t.Description, t.Editor, t.Version,
			micros(t.Edited), int64(t.ID), int64(t.Project))
	} else {
		_, err = tx.ExecContext(ctx, `
			INSERT INTO template (id, project_id, name, category, description, creator, editor, version, deleted, created_at, edited_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)`, int64(t.ID), int64(t.Project), t.Name, t.Category,
			t.Description, t.Creator, t.Editor, t.Version, micros(t.Created), micros(t.Edited))
	}
	if err != nil {
		return err
	}
	if err := importSchemes(ctx, tx, t); err != nil {
		return err
	}
	return insertVersion(ctx, tx, t.Template, packed)
}

func importSchemes(ctx context.Context, tx *sql.Conn, t *ImportedTemplate) error {
	for _, scheme := range t.Schemes {
		if err := importScheme(ctx, tx, t.ID, scheme); err != nil {
			return fmt.Errorf("scheme %s: %w", scheme.Name, err)
		}
	}
	return countSchemes(ctx, tx, t.ID)
}
