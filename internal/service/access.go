package service

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/store"
)

// ScopeBiz is the one scope word that selects a project by the business it is bound to; any other text selects it by its
// own id (docs/spec/api.md 3.3).
const ScopeBiz = "cmdb_biz"

// ProjectRef names a project as callers do.
type ProjectRef struct {
	ID    string // decimal digits, as many as the caller wrote
	Scope string // ScopeBiz, or any other text for the id of the project
}

// Access is the proof that a caller was let at a project; without one no task, template or node can be touched.
type Access struct {
	project store.Project
	caller  *Caller
	key     *stdops.RequestKey // of the request, nil when it has none: stored with the effect, see [Service.Once]
	reason  string             // that the caller gives for what is done with it
}

// Because gives an access whose commands are stored with a reason.
func (a *Access) Because(reason string) *Access {
	with := *a
	with.reason = reason
	return &with
}

// command completes a command by who asks for it, why, and under which key.
func (a *Access) command(cmd engine.Command) engine.Command {
	cmd.Actor, cmd.Reason, cmd.Key = a.caller.User, a.reason, a.key
	return cmd
}

// Access resolves a project for a caller. It tells missing projects from existing ones, as bk-sops does; what the caller
// may do inside is for [Access.Require].
func (s *Service) Access(ctx context.Context, caller *Caller, ref ProjectRef) (*Access, error) {
	project, err := s.findProject(ctx, ref)
	if stdops.ErrorCode(err) == stdops.CodeNotFound {
		return nil, stdops.Errorf(stdops.CodeNotFound, "project(%s) with scope(%s) does not exist.", ref.ID, ref.Scope)
	}
	if err != nil {
		return nil, err
	}
	return &Access{project: project, caller: caller}, nil
}

func (s *Service) findProject(ctx context.Context, ref ProjectRef) (store.Project, error) {
	id, err := strconv.ParseInt(ref.ID, 10, 64)
	if err != nil { // more digits than an id has
		return store.Project{}, stdops.Errorf(stdops.CodeNotFound, "no such project")
	}
	if ref.Scope == ScopeBiz {
		return s.store.ProjectByBiz(ctx, id)
	}
	return s.store.Project(ctx, stdops.ProjectID(id))
}

// Require refuses a caller who lacks a permission in the project.
func (a *Access) Require(p Permission) error {
	if a.caller.may(a.project.ID, p) {
		return nil
	}
	return denied(p)
}

// Project gives the id of the project.
func (a *Access) Project() stdops.ProjectID { return a.project.ID }

// ProjectName gives the name of the project.
func (a *Access) ProjectName() string { return a.project.Name }

// Biz gives the business that the project is bound to, -1 for none.
func (a *Access) Biz() int64 { return a.project.Biz }

// Entry gives the project with its settings.
func (a *Access) Entry() ProjectEntry { return projectEntry(a.project) }

// Permissions lists what the caller may do in the project, by name.
func (a *Access) Permissions() []Permission {
	var list []Permission
	for _, p := range slices.Sorted(maps.Keys(least)) {
		if a.caller.may(a.project.ID, p) {
			list = append(list, p)
		}
	}
	return list
}

// Bound reports whether the project is bound to a business.
func (a *Access) Bound() bool { return a.project.Biz != store.NoBiz }

// Caller gives who was let in.
func (a *Access) Caller() *Caller { return a.caller }

func (a *Access) ref(id stdops.TaskID) stdops.TaskRef {
	return stdops.TaskRef{Project: a.project.ID, Task: id}
}
