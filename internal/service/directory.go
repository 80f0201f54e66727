package service

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// AppEntry is an application as administrators see it.
type AppEntry struct {
	Code, Name string
	Trusted    bool // in all projects
	Projects   []stdops.ProjectID
	Disabled   bool
	Created    time.Time
}

// NewApp is an application to be registered.
type NewApp struct {
	Code, Name string // the name "" means the code
	Trusted    bool
	Projects   []stdops.ProjectID // to be trusted in
}

// Apps lists the applications by code.
func (s *Service) Apps(ctx context.Context, by *Caller) ([]AppEntry, error) {
	if err := by.requireAdmin(); err != nil {
		return nil, err
	}
	stored, err := s.store.LoadIdentity(ctx)
	if err != nil {
		return nil, err
	}
	trusted := map[string][]stdops.ProjectID{}
	for _, t := range stored.Trusts {
		trusted[t.App] = append(trusted[t.App], t.Project)
	}
	apps := make([]AppEntry, len(stored.Apps))
	for i, a := range stored.Apps {
		apps[i] = AppEntry{
			Code: a.Code, Name: a.Name, Trusted: a.TrustedAll, Projects: trusted[a.Code], Disabled: a.Disabled, Created: a.Created,
		}
	}
	return apps, nil
}

// RegisterApp registers an application with its trust and gives its secret, which is shown this once. Projects are looked
// up before anything is written.
func (s *Service) RegisterApp(ctx context.Context, by *Caller, n NewApp) (secret string, made AppEntry, err error) {
	if err := checkName("app code", n.Code); err != nil {
		return "", made, err
	}
	if n.Name == "" {
		n.Name = n.Code
	}
	ctx = context.WithoutCancel(ctx) // a caller who goes away must not leave half of it
	secret = newSecret()
	made = AppEntry{Code: n.Code, Name: n.Name, Trusted: n.Trusted, Projects: n.Projects, Created: s.store.Now()}
	return secret, made, s.administer(ctx, by, func(*identity) error {
		if err := s.projectsExist(ctx, n.Projects); err != nil {
			return err
		}
		created := store.App{Code: n.Code, Name: n.Name, TrustedAll: n.Trusted, Created: made.Created}
		if err := s.store.CreateApp(ctx, created, s.hash(secretOfApp, secret)); err != nil {
			return err
		}
		for _, project := range n.Projects {
			if err := s.store.TrustApp(ctx, store.AppTrust{App: n.Code, Project: project}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) projectsExist(ctx context.Context, ids []stdops.ProjectID) error {
	for _, id := range ids {
		if _, err := s.store.Project(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// UserEntry is a user as administrators see one.
type UserEntry struct {
	Name            string
	Admin, Disabled bool
	Roles           map[stdops.ProjectID]Role
	Created         time.Time
}

// NewUser is a user to be made, with roles in projects.
type NewUser struct {
	Name  string
	Admin bool
	Roles map[stdops.ProjectID]Role
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
	roles := map[string]map[stdops.ProjectID]Role{}
	for _, g := range stored.Grants {
		if roles[g.User] == nil {
			roles[g.User] = map[stdops.ProjectID]Role{}
		}
		roles[g.User][g.Project] = Role(g.Role)
	}
	users := make([]UserEntry, len(stored.Users))
	for i, u := range stored.Users {
		users[i] = UserEntry{Name: u.Name, Admin: u.Admin, Disabled: u.Disabled, Roles: roles[u.Name], Created: u.Created}
	}
	return users, nil
}

// RoleIn is the role of a user in a project.
type RoleIn struct {
	Project stdops.ProjectID
	Role    Role
}

// SortedRoles gives the roles by project.
func (u *UserEntry) SortedRoles() []RoleIn {
	var list []RoleIn
	for _, project := range slices.Sorted(maps.Keys(u.Roles)) {
		list = append(list, RoleIn{project, u.Roles[project]})
	}
	return list
}

// AddUser makes a user. Unlike [Service.CreateUser] it leaves one that exists as it is and refuses.
func (s *Service) AddUser(ctx context.Context, by *Caller, n NewUser) (*UserEntry, error) {
	if err := checkName("user name", n.Name); err != nil {
		return nil, err
	}
	for _, role := range n.Roles {
		if !role.Valid() {
			return nil, stdops.Errorf(stdops.CodeInvalid, "%q is no role: viewer, operator, editor or admin", role)
		}
	}
	ctx = context.WithoutCancel(ctx) // a caller who goes away must not leave half of it
	projects := slices.Sorted(maps.Keys(n.Roles))
	made := &UserEntry{Name: n.Name, Admin: n.Admin, Roles: n.Roles, Created: s.store.Now()}
	return made, s.administer(ctx, by, func(known *identity) error {
		if known.users[n.Name] != nil {
			return stdops.Errorf(stdops.CodeRefused, "user %s exists already", n.Name)
		}
		if err := s.projectsExist(ctx, projects); err != nil {
			return err
		}
		if err := s.store.CreateUser(ctx, store.User{Name: n.Name, Admin: n.Admin, Created: made.Created}); err != nil {
			return err
		}
		for _, project := range projects {
			grant := store.Grant{User: n.Name, Project: project, Role: store.Role(n.Roles[project])}
			if err := s.store.Grant(ctx, grant); err != nil {
				return err
			}
		}
		return nil
	})
}

// TokenEntry is a token without its secret.
type TokenEntry struct {
	ID               string // names it without giving it away
	User, Name       string
	Created, Expires time.Time // an Expires of zero: never
}

// NewToken is a token to be made.
type NewToken struct {
	User, Name string
	Life       time.Duration // 0: it never expires
}

// tokenIDBytes is how much of its hash names a token: enough that two are never alike, too little to find the token by.
const tokenIDBytes = 8

func tokenEntry(t store.UserToken) TokenEntry {
	return TokenEntry{
		ID: hex.EncodeToString(t.Hash[:tokenIDBytes]), User: t.User, Name: t.Name, Created: t.Created, Expires: t.Expires,
	}
}

// Tokens lists the tokens of a user, "" for those of all users. Who is no administrator sees the own ones only.
func (s *Service) Tokens(ctx context.Context, by *Caller, user string) ([]TokenEntry, error) {
	if user == "" && !by.Admin() {
		user = by.User
	}
	if user != by.User || by.named {
		if err := by.requireAdmin(); err != nil {
			return nil, err
		}
	}
	stored, err := s.store.LoadIdentity(ctx)
	if err != nil {
		return nil, err
	}
	var tokens []TokenEntry
	for _, t := range stored.Tokens {
		if user == "" || t.User == user {
			tokens = append(tokens, tokenEntry(t))
		}
	}
	return tokens, nil
}

// IssueToken makes a token and gives its secret, which is shown this once.
func (s *Service) IssueToken(ctx context.Context, by *Caller, n NewToken) (secret string, made TokenEntry, err error) {
	secret, err = s.CreateToken(ctx, by, store.UserToken{User: n.User, Name: n.Name}, n.Life)
	if err != nil {
		return "", made, err
	}
	created := s.store.Now()
	made = TokenEntry{
		ID: hex.EncodeToString(s.hash(userToken, secret)[:tokenIDBytes]), User: n.User, Name: n.Name, Created: created,
	}
	if n.Life > 0 {
		made.Expires = created.Add(n.Life)
	}
	return secret, made, nil
}

// RevokeTokenID makes the token that an id names useless. The token of somebody else is as missing as one that never was,
// other than for administrators.
func (s *Service) RevokeTokenID(ctx context.Context, by *Caller, id string) error {
	return s.change(ctx, func(*identity) error {
		stored, err := s.store.LoadIdentity(ctx)
		if err != nil {
			return err
		}
		for _, t := range stored.Tokens {
			if tokenEntry(t).ID == id && (by.Admin() || t.User == by.User && !by.named) {
				return s.store.DeleteToken(ctx, t.User, t.Hash)
			}
		}
		return stdops.Errorf(stdops.CodeNotFound, "token %.64s does not exist", id)
	})
}

// IssueLoginLink makes a secret for one sign-in, like [Service.CreateLoginLink], and tells how long it counts. A user who
// is named must exist.
func (s *Service) IssueLoginLink(ctx context.Context, by *Caller, user string) (secret string, expires time.Time, err error) {
	if user != "" && by.Admin() && s.identity.Load().users[user] == nil {
		return "", expires, stdops.Errorf(stdops.CodeNotFound, "user %.64s does not exist", user)
	}
	secret, err = s.CreateLoginLink(ctx, by, user)
	return secret, s.store.Now().Add(loginLinkLife), err
}
