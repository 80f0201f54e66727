package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/stdops/stdops"
)

// CommonProject owns the templates that every project may use.
const CommonProject stdops.ProjectID = 0

// Template is a stored flow, without its tree.
type Template struct {
	ID          stdops.TemplateID
	Project     stdops.ProjectID // CommonProject for a common one
	Name        string
	Category    string
	Description string
	Creator     string
	Editor      string // who wrote the current version
	Version     string // the current one: sha256 of its body, in hex
	Created     time.Time
	Edited      time.Time

	// Key, when set, is stored by [Store.CreateTemplate] with the template, whose id it gets. It is not read back.
	Key *stdops.RequestKey
}

const templateColumns = `id, project_id, name, category, description, creator, editor, version, created_at, edited_at`

func templateFields(t *Template) []any {
	return []any{
		number(&t.ID), number(&t.Project), &t.Name, &t.Category, &t.Description, &t.Creator, &t.Editor, &t.Version,
		instant(&t.Created), instant(&t.Edited),
	}
}

// TemplateRef names a template inside a project.
type TemplateRef struct {
	Project  stdops.ProjectID
	Template stdops.TemplateID
}

func (r TemplateRef) missing() *stdops.Error {
	return stdops.Errorf(stdops.CodeNotFound, "template %d does not exist", r.Template)
}

// CreateTemplate stores a template with its first version and gives it with its id. When its key is taken nothing is
// stored and the error is [stdops.ErrRepeated].
func (s *Store) CreateTemplate(ctx context.Context, t Template, body []byte) (Template, error) {
	t.Version = VersionOf(body)
	if t.Editor == "" {
		t.Editor = t.Creator
	}
	if t.Edited.IsZero() {
		t.Edited = t.Created
	}
	packed := s.zip.EncodeAll(body, nil)
	err := s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		if err := s.free(ctx, tx, t.Key); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, `
			INSERT INTO template (project_id, name, category, description, creator, editor, version, deleted, created_at, edited_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)
			RETURNING id`, int64(t.Project), t.Name, t.Category, t.Description, t.Creator, t.Editor, t.Version,
			micros(t.Created), micros(t.Edited)).Scan(number(&t.ID))
		if err != nil {
			return err
		}
		if err := s.keepKey(ctx, tx, t.Key, int64(t.ID)); err != nil {
			return err
		}
		return insertVersion(ctx, tx, t, packed)
	})
	if err != nil {
		return Template{}, fmt.Errorf("create template %s: %w", t.Name, err)
	}
	return t, nil
}

// VersionOf gives the version of a template with this body.
func VersionOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// insertVersion stores the current version of t. Going back to an earlier one stores nothing new.
func insertVersion(ctx context.Context, tx *sql.Conn, t Template, packed []byte) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO template_version (template_id, version, body, editor, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (template_id, version) DO NOTHING`, int64(t.ID), t.Version, packed, t.Editor, micros(t.Edited))
	return err
}

// EditTemplate makes body the current version of the template with t's project and id, with t's name and texts.
func (s *Store) EditTemplate(ctx context.Context, t Template, body []byte) (Template, error) {
	t.Version = VersionOf(body)
	packed := s.zip.EncodeAll(body, nil)
	err := s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		err := tx.QueryRowContext(ctx, `
			UPDATE template SET name = $1, category = $2, description = $3, editor = $4, version = $5, edited_at = $6
			WHERE id = $7 AND project_id = $8 AND deleted = 0
			RETURNING `+templateColumns, t.Name, t.Category, t.Description, t.Editor, t.Version, micros(t.Edited),
			int64(t.ID), int64(t.Project)).Scan(templateFields(&t)...)
		if err != nil {
			return err
		}
		return insertVersion(ctx, tx, t, packed)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Template{}, TemplateRef{t.Project, t.ID}.missing()
	}
	if err != nil {
		return Template{}, fmt.Errorf("edit template %d: %w", t.ID, err)
	}
	return t, nil
}

// Template reads a template and the body of one of its versions, the current one for "".
func (s *Store) Template(ctx context.Context, r TemplateRef, version string) (Template, []byte, error) {
	var t Template
	var packed []byte
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT `+templateColumns+` FROM template
			WHERE id = $1 AND project_id = $2 AND deleted = 0`, int64(r.Template), int64(r.Project)).Scan(templateFields(&t)...)
		if errors.Is(err, sql.ErrNoRows) {
			return r.missing()
		}
		if err != nil {
			return err
		}
		if version == "" {
			version = t.Version
		}
		err = tx.QueryRowContext(ctx, `SELECT body FROM template_version WHERE template_id = $1 AND version = $2`,
			int64(r.Template), version).Scan(&packed)
		if errors.Is(err, sql.ErrNoRows) {
			return stdops.Errorf(stdops.CodeNotFound, "template %d has no version %s", r.Template, version)
		}
		return err
	})
	if err != nil {
		return Template{}, nil, fmt.Errorf("load template %d: %w", r.Template, err)
	}
	body, err := s.unzip.DecodeAll(packed, nil)
	if err != nil {
		return Template{}, nil, fmt.Errorf("unpack template %d: %w", r.Template, err)
	}
	return t, body, nil
}

// TemplateFilter says which templates are listed; what is zero does not filter.
type TemplateFilter struct {
	IDs     []stdops.TemplateID // nil does not filter, an empty list finds nothing
	Keyword string              // part of the name, in any case of ASCII letters
}

// Templates lists the templates of a project, the common ones for CommonProject, newest first.
func (s *Store) Templates(ctx context.Context, project stdops.ProjectID, f TemplateFilter) ([]Template, error) {
	c := s.conditions()
	c.and(`project_id = ? AND deleted = 0`, int64(project))
	if f.IDs != nil {
		c.oneOf(`id`, ids(c.dialect, f.IDs))
	}
	if f.Keyword != "" {
		c.and(c.partOf(`name`), likePattern(f.Keyword))
	}
	var templates []Template
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+templateColumns+` FROM template WHERE `+c.text()+` ORDER BY id DESC`, c.args...)
		templates, err = collect(rows, err, templateFields)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list templates of project %d: %w", project, err)
	}
	return templates, nil
}

// DeleteTemplate hides a template. Tasks made from it are not touched.
func (s *Store) DeleteTemplate(ctx context.Context, r TemplateRef) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		return execOne(ctx, tx, r.missing(), `UPDATE template SET deleted = 1 WHERE id = $1 AND project_id = $2 AND deleted = 0`,
			int64(r.Template), int64(r.Project))
	})
}
