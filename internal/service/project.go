package service

import (
	"context"
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// NewProject is a project for a business of a CMDB; without a CMDB of ours the caller says what it is called.
type NewProject struct {
	Biz      int64
	Name     string // "" keeps the name, or makes one of the business id
	TimeZone string // IANA name, "" keeps that of the project, or means that of the server
}

// RegisteredProject is a project that there is.
type RegisteredProject struct {
	ID   stdops.ProjectID
	Name string
}

// RegisterProject makes sure that a business has a project. Only applications that are trusted everywhere may do so.
func (s *Service) RegisterProject(ctx context.Context, caller *Caller, n NewProject) (*RegisteredProject, error) {
	if !caller.Trusted() {
		return nil, stdops.Errorf(stdops.CodeForbidden, "you have no permission to call this api.")
	}
	if n.Biz < 0 {
		return nil, stdops.Errorf(stdops.CodeInvalid, "bk_biz_id must not be negative")
	}
	if _, err := time.LoadLocation(n.TimeZone); err != nil || n.TimeZone == "Local" {
		return nil, stdops.Errorf(stdops.CodeInvalid, "time_zone %.64q is unknown", n.TimeZone)
	}
	if n.Name != "" {
		if err := checkName("bk_biz_name", n.Name); err != nil {
			return nil, err
		}
	}
	return s.registerProject(ctx, n)
}

// registerProject keeps an existing name when none is given: only a new project needs one to be made up.
func (s *Service) registerProject(ctx context.Context, n NewProject) (*RegisteredProject, error) {
	if n.Name == "" {
		_, err := s.store.ProjectByBiz(ctx, n.Biz)
		if stdops.ErrorCode(err) == stdops.CodeNotFound {
			n.Name = fmt.Sprintf("business %d", n.Biz)
		} else if err != nil {
			return nil, err
		}
	}
	p, err := s.store.RegisterProject(ctx, store.Project{
		Name: n.Name, Biz: n.Biz, FromCMDB: true, TimeZone: n.TimeZone, Created: s.store.Now(),
	})
	if err != nil {
		return nil, err
	}
	return &RegisteredProject{ID: p.ID, Name: p.Name}, nil
}
