package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stdops/stdops"
)

// Scheme is an execution scheme: a named choice of the activities of a template that are to run.
type Scheme struct {
	ID    int64
	Name  string // of its own within the template
	Nodes []string
}

// Schemes lists the execution schemes of a template, oldest first.
func (s *Store) Schemes(ctx context.Context, r TemplateRef) ([]Scheme, error) {
	var schemes []Scheme
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := findTemplate(ctx, tx, r); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT id, name, nodes FROM scheme WHERE template_id = $1 ORDER BY id`, int64(r.Template))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var scheme Scheme
			var nodes []byte
			if err := rows.Scan(&scheme.ID, &scheme.Name, &nodes); err != nil {
				return err
			}
			if err := json.Unmarshal(nodes, &scheme.Nodes); err != nil {
				return fmt.Errorf("nodes of scheme %d: %w", scheme.ID, err)
			}
			schemes = append(schemes, scheme)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list schemes of template %d: %w", r.Template, err)
	}
	return schemes, nil
}

// PutScheme stores an execution scheme under its name, in the place of the one that has it, and gives it with its id.
func (s *Store) PutScheme(ctx context.Context, r TemplateRef, scheme Scheme) (Scheme, error) {
	err := s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		if err := findTemplate(ctx, tx, r); err != nil {
			return err
		}
		if err := putScheme(ctx, tx, r.Template, &scheme); err != nil {
			return err
		}
		return countSchemes(ctx, tx, r.Template)
	})
	if err != nil {
		return Scheme{}, fmt.Errorf("store scheme %s: %w", scheme.Name, err)
	}
	return scheme, nil
}

func putScheme(ctx context.Context, tx *sql.Conn, template stdops.TemplateID, scheme *Scheme) error {
	nodes, err := json.Marshal(scheme.Nodes)
	if err != nil {
		return err
	}
	return tx.QueryRowContext(ctx, `
		INSERT INTO scheme (template_id, name, nodes) VALUES ($1, $2, $3)
		ON CONFLICT (template_id, name) DO UPDATE SET nodes = excluded.nodes
		RETURNING id`, int64(template), scheme.Name, string(nodes)).Scan(&scheme.ID)
}

// countSchemes refuses a template that has got too many schemes.
func countSchemes(ctx context.Context, tx *sql.Conn, template stdops.TemplateID) error {
	var count int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM scheme WHERE template_id = $1`, int64(template)).Scan(&count)
	if err == nil && count > stdops.MostSchemes {
		err = stdops.Errorf(stdops.CodeRefused, "template %d would have %d schemes, it may have %d", template, count, stdops.MostSchemes)
	}
	return err
}

// importScheme stores a scheme under its id, where there may be one already. Its name may have been given to another one
// since the id was chosen; bodies name the id, so that refuses the import.
func importScheme(ctx context.Context, tx *sql.Conn, template stdops.TemplateID, scheme Scheme) error {
	nodes, err := json.Marshal(scheme.Nodes)
	if err != nil {
		return err
	}
	var id int64
	err = tx.QueryRowContext(ctx, `
		INSERT INTO scheme (id, template_id, name, nodes) VALUES ($1, $2, $3, $4)
		ON CONFLICT (template_id, name) DO UPDATE SET nodes = excluded.nodes
		RETURNING id`, scheme.ID, int64(template), scheme.Name, string(nodes)).Scan(&id)
	if err == nil && id != scheme.ID {
		err = stdops.Errorf(stdops.CodeRefused, "template %d has got a scheme %.64q meanwhile, import again", template, scheme.Name)
	}
	return err
}

// DeleteScheme takes the execution scheme of a name away.
func (s *Store) DeleteScheme(ctx context.Context, r TemplateRef, name string) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		if err := findTemplate(ctx, tx, r); err != nil {
			return err
		}
		missing := stdops.Errorf(stdops.CodeNotFound, "template %d has no scheme %.64q", r.Template, name)
		return execOne(ctx, tx, missing, `DELETE FROM scheme WHERE name = $1 AND template_id = $2`, name, int64(r.Template))
	})
}

// findTemplate makes sure that the project has the template.
func findTemplate(ctx context.Context, q querier, r TemplateRef) error {
	var id int64
	err := q.QueryRowContext(ctx, `SELECT id FROM template WHERE id = $1 AND project_id = $2 AND deleted = 0`,
		int64(r.Template), int64(r.Project)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return r.missing()
	}
	return err
}
