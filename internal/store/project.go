package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/stdops/stdops"
)

// NoBiz is the business id of a project that is bound to none.
const NoBiz = -1

// Project owns tasks and templates.
type Project struct {
	ID       stdops.ProjectID
	Name     string
	Biz      int64 // id of the business in a CMDB, NoBiz for none; at most one project has it
	FromCMDB bool
	TimeZone string // IANA name, "" for that of the server
	Disabled bool
	Created  time.Time
}

const projectColumns = `id, name, biz, from_cmdb, time_zone, disabled, created_at`

func projectFields(p *Project) []any {
	return []any{number(&p.ID), &p.Name, &p.Biz, &p.FromCMDB, &p.TimeZone, &p.Disabled, instant(&p.Created)}
}

// Project reads a project by its id.
func (s *Store) Project(ctx context.Context, id stdops.ProjectID) (Project, error) {
	if p, ok := s.projects.numbered(id); ok {
		return p, nil
	}
	var p Project
	expected := s.projects.expect()
	err := s.readers.QueryRowContext(ctx, `SELECT `+projectColumns+` FROM project WHERE id = $1`, int64(id)).
		Scan(projectFields(&p)...)
	if errors.Is(err, sql.ErrNoRows) {
		return p, noProject(id)
	}
	if err != nil {
		return p, fmt.Errorf("load project %d: %w", id, explain(err))
	}
	s.projects.remember(p, expected)
	return p, nil
}

// ProjectByBiz reads the project that is bound to a business.
func (s *Store) ProjectByBiz(ctx context.Context, biz int64) (Project, error) {
	if p, ok := s.projects.bound(biz); ok {
		return p, nil
	}
	var p Project
	expected := s.projects.expect()
	err := s.readers.QueryRowContext(ctx, `SELECT `+projectColumns+` FROM project WHERE biz = $1 AND biz <> -1`, biz).
		Scan(projectFields(&p)...)
	if errors.Is(err, sql.ErrNoRows) {
		return p, stdops.Errorf(stdops.CodeNotFound, "no project is bound to business %d", biz)
	}
	if err != nil {
		return p, fmt.Errorf("load project of business %d: %w", biz, explain(err))
	}
	s.projects.remember(p, expected)
	return p, nil
}

// Projects lists all projects by id.
func (s *Store) Projects(ctx context.Context) ([]Project, error) {
	rows, err := s.readers.QueryContext(ctx, `SELECT `+projectColumns+` FROM project ORDER BY id`)
	projects, err := collect(rows, err, projectFields)
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", explain(err))
	}
	return projects, nil
}

// CreateProject stores a new project and gives it with its id.
func (s *Store) CreateProject(ctx context.Context, p Project) (Project, error) {
	err := s.write(ctx, func(ctx context.Context, tx *sql.Conn) (err error) {
		p, err = insertProject(ctx, tx, p)
		return err
	})
	if err != nil {
		return Project{}, err
	}
	return p, nil
}

func insertProject(ctx context.Context, tx *sql.Conn, p Project) (Project, error) {
	err := tx.QueryRowContext(ctx, `
		INSERT INTO project (name, biz, from_cmdb, time_zone, disabled, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		RETURNING id`, p.Name, p.Biz, p.FromCMDB, p.TimeZone, p.Disabled, micros(p.Created)).Scan(number(&p.ID))
	if duplicate(err) {
		return p, stdops.Errorf(stdops.CodeRefused, "business %d is bound to another project", p.Biz)
	}
	if err != nil {
		return p, fmt.Errorf("create project %s: %w", p.Name, err)
	}
	return p, nil
}

// RegisterProject makes sure that there is a project for p.Biz and gives it as it stands then. An existing one takes
// over name and time zone where p has them.
func (s *Store) RegisterProject(ctx context.Context, p Project) (Project, error) {
	if p.Biz == NoBiz {
		return Project{}, stdops.Errorf(stdops.CodeInvalid, "%d is not the id of a business", p.Biz)
	}
	err := s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		return tx.QueryRowContext(ctx, `
			INSERT INTO project (name, biz, from_cmdb, time_zone, disabled, created_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (biz) WHERE biz <> -1 DO UPDATE SET
				name = CASE WHEN excluded.name <> '' THEN excluded.name ELSE project.name END,
				time_zone = CASE WHEN excluded.time_zone <> '' THEN excluded.time_zone ELSE project.time_zone END
			RETURNING `+projectColumns,
			p.Name, p.Biz, p.FromCMDB, p.TimeZone, p.Disabled, micros(p.Created)).Scan(projectFields(&p)...)
	})
	if err != nil {
		return Project{}, fmt.Errorf("register project of business %d: %w", p.Biz, err)
	}
	return p, nil
}
