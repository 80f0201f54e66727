package service

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// UserEntry is a user as administrators see one.
type UserEntry struct {
	Name            string
	Admin, Disabled bool
	Roles           Roles
	Created         time.Time
}

// NewUser is a user to be made, with roles in projects.
type NewUser struct {
	Name  string
	Admin bool
	Roles Roles
}

// Roles are what a user is in projects.
type Roles map[stdops.ProjectID]Role

// RoleIn is the role of a user in a project.
type RoleIn struct {
	Project stdops.ProjectID
	Role    Role
}

// Sorted gives the roles by project.
func (r Roles) Sorted() []RoleIn {
	var list []RoleIn
	for _, project := range slices.Sorted(maps.Keys(r)) {
		list = append(list, RoleIn{project, r[project]})
	}
	return list
}

// grants checks roles and gives them as they are stored for a user.
func (r Roles) grants(user string) ([]store.Grant, error) {
	var list []store.Grant
	for _, in := range r.Sorted() {
		if in.Role != "" && !in.Role.Valid() {
			return nil, stdops.Errorf(stdops.CodeInvalid, "%.64q is no role: viewer, operator, editor or admin", in.Role)
		}
		list = append(list, store.Grant{User: user, Project: in.Project, Role: store.Role(in.Role)})
	}
	return list, nil
}

// Users lists the users by name.
func (s *Service) Users(ctx context.Context, by *Caller) ([]UserEntry, error) {
	if err := by.requireAdmin(); err != nil {
		return nil, err
	}
	stored, err := s.store.LoadIdentity(ctx)
	if err != nil {
		return nil, err
	}
	roles := map[string]Roles{}
	for _, g := range stored.Grants {
		if roles[g.User] == nil {
			roles[g.User] = Roles{}
		}
		roles[g.User][g.Project] = Role(g.Role)
	}
	users := make([]UserEntry, len(stored.Users))
	for i, u := range stored.Users {
		users[i] = UserEntry{Name: u.Name, Admin: u.Admin, Disabled: u.Disabled, Roles: roles[u.Name], Created: u.Created}
	}
	return users, nil
}

// User gives one user.
func (s *Service) User(ctx context.Context, by *Caller, name string) (*UserEntry, error) {
	users, err := s.Users(ctx, by)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(users, func(u UserEntry) bool { return u.Name == name })
	if i < 0 {
		return nil, errUnknownUser(name)
	}
	return &users[i], nil
}

func errUnknownUser(name string) error {
	return stdops.Errorf(stdops.CodeNotFound, "user %.128s does not exist", name)
}

// CreateUser makes a user; one that exists is left as it is, and refused.
func (s *Service) CreateUser(ctx context.Context, by *Caller, n NewUser) error {
	if err := checkName("user name", n.Name); err != nil {
		return err
	}
	grants, err := n.Roles.grants(n.Name)
	if err != nil {
		return err
	}
	return s.administer(ctx, by, func(*identity) error {
		return s.store.CreateUser(ctx, store.User{Name: n.Name, Admin: n.Admin, Created: s.store.Now()}, grants...)
	})
}

// DisableUser makes the tokens and sessions of a user useless until [Service.EnableUser].
func (s *Service) DisableUser(ctx context.Context, by *Caller, name string) error {
	return s.administer(ctx, by, func(*identity) error { return s.store.DisableUser(ctx, name) })
}

// EnableUser undoes [Service.DisableUser].
func (s *Service) EnableUser(ctx context.Context, by *Caller, name string) error {
	return s.administer(ctx, by, func(*identity) error { return s.store.EnableUser(ctx, name) })
}

// Grant gives a user roles in projects, each in place of the one that the user had there; the role "" takes it away.
func (s *Service) Grant(ctx context.Context, by *Caller, user string, roles Roles) error {
	grants, err := roles.grants(user)
	if err != nil {
		return err
	}
	return s.administer(ctx, by, func(known *identity) error {
		if known.users[user] == nil {
			return errUnknownUser(user)
		}
		return s.store.Grant(ctx, grants...)
	})
}
