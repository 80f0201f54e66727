package service

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
)

func TestAuthenticateApp(t *testing.T) {
	t.Parallel()
	b, admin := setup(t), LocalAdmin()
	first, err := b.CreateApp(t.Context(), admin, NewApp{Code: "shop"})
	must(t, err)
	must(t, b.TrustApp(t.Context(), admin, "shop", 0))
	as := func(secret string) error {
		_, err := b.Authenticate(t.Context(), Credentials{AppCode: "shop", AppSecret: secret, Username: "ann"})
		return err
	}
	must(t, as(first))
	refused(t, as(first+"x"), stdops.CodeUnauthenticated)
	refused(t, as(""), stdops.CodeUnauthenticated)
	second, err := b.AddAppSecret(t.Context(), admin, "shop")
	must(t, err)
	must(t, as(first)) // two secrets live while one is exchanged for the other
	must(t, as(second))
	third, err := b.AddAppSecret(t.Context(), admin, "shop")
	must(t, err)
	refused(t, as(first), stdops.CodeUnauthenticated)
	must(t, as(third))
	must(t, b.DisableApp(t.Context(), admin, "shop"))
	refused(t, as(third), stdops.CodeUnauthenticated)
	must(t, b.EnableApp(t.Context(), admin, "shop"))
	must(t, as(third))
	_, err = b.CreateApp(t.Context(), admin, NewApp{Code: "shop"})
	refused(t, err, stdops.CodeRefused)
	_, err = b.CreateApp(t.Context(), admin, NewApp{Code: "a\nb"})
	refused(t, err, stdops.CodeInvalid)
}

// TestNoDefaults: a fresh installation knows nobody, and no app is trusted.
func TestNoDefaults(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if known := b.identity.Load(); len(known.apps) != 0 || len(known.users) != 0 || b.HasAdmin() {
		t.Errorf("a fresh store knows %d apps and %d users", len(known.apps), len(known.users))
	}
	secret, err := b.CreateApp(t.Context(), LocalAdmin(), NewApp{Code: "shop"})
	must(t, err)
	_, err = b.Authenticate(t.Context(), Credentials{AppCode: "shop", AppSecret: secret, Username: "ann"})
	refused(t, err, stdops.CodeInvalid)
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	b := setup(t)
	must(t, b.BootstrapApp(t.Context(), "boot", "secret"))
	must(t, b.BootstrapApp(t.Context(), "boot", "another")) // the app is there: nothing changes
	as := func(secret, user string) (*Caller, error) {
		return b.Authenticate(t.Context(), Credentials{AppCode: "boot", AppSecret: secret, Username: user})
	}
	caller, err := as("secret", "ann")
	must(t, err)
	if !caller.Trusted() || caller.User != "ann" || caller.Admin() || b.identity.Load().users["ann"] == nil {
		t.Errorf("caller %+v", caller)
	}
	_, err = as("another", "ann")
	refused(t, err, stdops.CodeUnauthenticated)
	for _, name := range []string{"a\r\nb", " a", "a\u2028", strings.Repeat("a", 129), "\x7f"} {
		_, err := as("secret", name)
		refused(t, err, stdops.CodeInvalid)
	}
	refused(t, b.BootstrapApp(t.Context(), "other", ""), stdops.CodeInvalid)
}

func TestTokens(t *testing.T) {
	t.Parallel()
	b, admin := setup(t), LocalAdmin()
	must(t, b.BootstrapApp(t.Context(), "boot", "secret"))
	must(t, b.CreateUser(t.Context(), admin, NewUser{Name: "ann"}))
	token, _, err := b.CreateToken(t.Context(), admin, NewToken{User: "ann", Name: "ci", Life: time.Hour})
	must(t, err)
	as := func(token string) (*Caller, error) {
		return b.Authenticate(t.Context(), Credentials{AppCode: "boot", AppSecret: "secret", Token: token, Username: "root"})
	}
	caller, err := as(token)
	must(t, err)
	if caller.User != "ann" {
		t.Errorf("user %q", caller.User)
	}
	own, _, err := b.CreateToken(t.Context(), caller, NewToken{User: "ann", Name: "more"})
	must(t, err)
	_, _, err = b.CreateToken(t.Context(), caller, NewToken{User: "bob", Name: "x"})
	refused(t, err, stdops.CodeForbidden)
	_, err = as(token[:len(token)-1])
	refused(t, err, stdops.CodeUnauthenticated) // never the name beside it
	b.clock.advance(time.Hour)
	_, err = as(token)
	refused(t, err, stdops.CodeUnauthenticated)
	_, err = as(own) // it does not outlive the one that it was made with
	refused(t, err, stdops.CodeUnauthenticated)
	own, entry, err := b.CreateToken(t.Context(), admin, NewToken{User: "ann"})
	must(t, err)
	_, err = as(own)
	must(t, err)
	must(t, b.RevokeToken(t.Context(), caller, entry.ID))
	_, err = as(own)
	refused(t, err, stdops.CodeUnauthenticated)
}

// TestNamedUserHasOnlyTheTrust: an app that is trusted in one project must not become an administrator elsewhere by
// naming one.
func TestNamedUserHasOnlyTheTrust(t *testing.T) {
	t.Parallel()
	b, admin := setup(t), LocalAdmin()
	must(t, b.BootstrapApp(t.Context(), "boot", "secret"))
	all, err := b.Authenticate(t.Context(), Credentials{AppCode: "boot", AppSecret: "secret", Username: "x"})
	must(t, err)
	_, err = b.RegisterProject(t.Context(), all, NewProject{Biz: 3})
	must(t, err)
	secret, err := b.CreateApp(t.Context(), admin, NewApp{Code: "narrow"})
	must(t, err)
	must(t, b.TrustApp(t.Context(), admin, "narrow", 1))
	must(t, b.CreateUser(t.Context(), admin, NewUser{Name: "root", Admin: true}))
	caller, err := b.Authenticate(t.Context(), Credentials{AppCode: "narrow", AppSecret: secret, Username: "root"})
	must(t, err)
	if caller.Admin() || caller.Trusted() {
		t.Error("the caller is an administrator")
	}
	for biz, allowed := range map[string]bool{"2": true, "3": false} {
		a, err := b.Access(t.Context(), caller, ProjectRef{ID: biz, Scope: ScopeBiz})
		must(t, err)
		if err := a.Require(ProjectView); (err == nil) != allowed {
			t.Errorf("business %s: %v", biz, err)
		}
	}
	_, err = b.RegisterProject(t.Context(), caller, NewProject{Biz: 4})
	refused(t, err, stdops.CodeForbidden)
	refused(t, b.CreateUser(t.Context(), caller, NewUser{Name: "mallory", Admin: true}), stdops.CodeForbidden)
	_, _, err = b.CreateToken(t.Context(), caller, NewToken{User: "root", Name: "x"})
	refused(t, err, stdops.CodeForbidden)
	must(t, b.DistrustApp(t.Context(), admin, "narrow", 1))
	_, err = b.Authenticate(t.Context(), Credentials{AppCode: "narrow", AppSecret: secret, Username: "root"})
	refused(t, err, stdops.CodeInvalid)
}

func TestSessions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	link, _, err := b.CreateLoginLink(t.Context(), LocalAdmin(), "")
	must(t, err)
	session, caller, err := b.SignIn(t.Context(), link, "ann")
	must(t, err)
	if caller.User != "ann" || !caller.Admin() || !b.HasAdmin() {
		t.Errorf("first user %+v", caller)
	}
	_, _, err = b.SignIn(t.Context(), link, "bob")
	refused(t, err, stdops.CodeUnauthenticated)
	_, err = b.Session(t.Context(), session)
	must(t, err)
	_, err = b.Session(t.Context(), link) // a secret of one kind is none of another
	refused(t, err, stdops.CodeUnauthenticated)
	late, _, err := b.CreateLoginLink(t.Context(), caller, "ann")
	must(t, err)
	b.clock.advance(loginLinkLife)
	_, _, err = b.SignIn(t.Context(), late, "ann")
	refused(t, err, stdops.CodeUnauthenticated)
	b.clock.advance(sessionLife)
	_, err = b.Session(t.Context(), session)
	refused(t, err, stdops.CodeUnauthenticated)

	link, _, err = b.CreateLoginLink(t.Context(), LocalAdmin(), "ann")
	must(t, err)
	session, _, err = b.SignIn(t.Context(), link, "ann")
	must(t, err)
	must(t, b.SignOut(t.Context(), session))
	_, err = b.Session(t.Context(), session)
	refused(t, err, stdops.CodeUnauthenticated)
	_, _, err = b.CreateLoginLink(t.Context(), &Caller{}, "ann")
	refused(t, err, stdops.CodeForbidden)
}

// TestHash: what is stored tells nothing about the secret, and depends on the key and on what the secret is for.
func TestHash(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := &Service{key: []byte("another key of 16")}
	if bytes.Equal(b.hash(userToken, "x"), b.hash(sessionKey, "x")) || bytes.Equal(b.hash(userToken, "x"), other.hash(userToken, "x")) {
		t.Error("hashes agree")
	}
	if !bytes.Equal(b.hash(userToken, "x"), b.hash(userToken, "x")) || len(b.hash(userToken, "x")) != 32 {
		t.Error("hash is none")
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	b, admin := setup(t), LocalAdmin()
	must(t, b.CreateUser(t.Context(), admin, NewUser{Name: "ann"}))
	refused(t, b.Grant(t.Context(), admin, "ann", Roles{1: "owner"}), stdops.CodeInvalid)
	all := []Permission{
		ProjectView, ProjectEdit, FastCreateTask, FlowView, FlowCreate, FlowEdit, FlowCreateTask, CommonFlowView, CommonFlowCreateTask,
		TaskView, TaskOperate, TaskEdit, TaskDelete,
	}
	if len(least) != len(all) {
		t.Errorf("the table has %d permissions of %d", len(least), len(all))
	}
	before := -1
	for _, role := range []Role{"", Viewer, Operator, Editor, Admin} {
		must(t, b.Grant(t.Context(), admin, "ann", Roles{1: role}))
		caller := &Caller{}
		must(t, b.identity.Load().become("ann", caller))
		count := 0
		for _, p := range all {
			if caller.may(1, p) {
				count++
			}
			if caller.may(2, p) {
				t.Errorf("%s of project 1 may %s in project 2", role, p)
			}
		}
		if count <= before {
			t.Errorf("%q may do %d things, the role before it %d", role, count, before)
		}
		before = count
	}
	if before != len(all) || (&Caller{}).may(1, ProjectView) || !admin.may(9, ProjectEdit) || (&Caller{admin: true, named: true}).may(1, ProjectView) {
		t.Error("the ends of the ladder are wrong")
	}
}

// TestSessionEndsWithItsToken: who signed in with a token is out when that is revoked, and has made nothing that lasts
// longer.
func TestSessionEndsWithItsToken(t *testing.T) {
	t.Parallel()
	b, admin := setup(t), LocalAdmin()
	must(t, b.CreateUser(t.Context(), admin, NewUser{Name: "ann"}))
	token, made, err := b.CreateToken(t.Context(), admin, NewToken{User: "ann", Life: time.Hour})
	must(t, err)
	if made.Capped {
		t.Error("the local administrator cannot make what lasts")
	}
	session, _, err := b.SignInWithToken(t.Context(), token)
	must(t, err)
	resumed, err := b.Session(t.Context(), session)
	must(t, err)
	direct, err := b.TokenCaller(t.Context(), token)
	must(t, err)
	for _, by := range []*Caller{resumed, direct} {
		for life, capped := range map[time.Duration]bool{0: true, 2 * time.Hour: true, time.Minute: false} {
			_, next, err := b.CreateToken(t.Context(), by, NewToken{User: "ann", Life: life})
			must(t, err)
			if next.Capped != capped || next.Expires.IsZero() || next.Expires.After(made.Expires) {
				t.Errorf("a life of %v: expires at %v, capped %v; the token at %v", life, next.Expires, next.Capped, made.Expires)
			}
		}
	}
	must(t, b.RevokeToken(t.Context(), direct, made.ID))
	_, err = b.Session(t.Context(), session)
	refused(t, err, stdops.CodeUnauthenticated)
	_, _, err = b.SignInWithToken(t.Context(), token)
	refused(t, err, stdops.CodeUnauthenticated)
}

// TestDisabledUser: neither token nor session of a disabled user counts, until the user is enabled again.
func TestDisabledUser(t *testing.T) {
	t.Parallel()
	b, admin := setup(t), LocalAdmin()
	must(t, b.CreateUser(t.Context(), admin, NewUser{Name: "ann"}))
	token, _, err := b.CreateToken(t.Context(), admin, NewToken{User: "ann"})
	must(t, err)
	session, _, err := b.SignInWithToken(t.Context(), token)
	must(t, err)
	must(t, b.DisableUser(t.Context(), admin, "ann"))
	_, err = b.TokenCaller(t.Context(), token)
	refused(t, err, stdops.CodeUnauthenticated)
	_, err = b.Session(t.Context(), session)
	refused(t, err, stdops.CodeUnauthenticated)
	must(t, b.EnableUser(t.Context(), admin, "ann"))
	_, err = b.Session(t.Context(), session)
	must(t, err)
}

func TestDistrustInOneProjectOfAll(t *testing.T) {
	t.Parallel()
	b, admin := setup(t), LocalAdmin()
	must(t, b.BootstrapApp(t.Context(), "boot", "secret"))
	refused(t, b.DistrustApp(t.Context(), admin, "boot", 1), stdops.CodeRefused)
	refused(t, b.DistrustApp(t.Context(), admin, "other", 1), stdops.CodeNotFound)
	must(t, b.DistrustApp(t.Context(), admin, "boot", 0))
	must(t, b.DistrustApp(t.Context(), admin, "boot", 1))
	if known := b.identity.Load().apps["boot"]; known.trust.anywhere() {
		t.Errorf("trusted in %+v", known.trust)
	}
}
