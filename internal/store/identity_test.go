package store

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func must(t *testing.T, errs ...error) {
	t.Helper()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
}

func TestLoadIdentity(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	must(t,
		s.CreateApp(ctx, App{Code: "shop", Name: "Shop", TrustedAll: true, Created: at(1)}, []byte("s1")),
		s.AddSecret(ctx, AppSecret{App: "shop", Hash: []byte("s2"), Created: at(2)}),
		s.AddSecret(ctx, AppSecret{App: "shop", Hash: []byte("s3"), Created: at(3)}),
		s.CreateApp(ctx, App{Code: "bot", Created: at(4)}, nil),
		s.DisableApp(ctx, "bot"),
		s.TrustApp(ctx, AppTrust{App: "bot", Project: 1}),
		s.TrustApp(ctx, AppTrust{App: "bot", Project: 1}),
		s.CreateUser(ctx, User{Name: "bob", Created: at(5)}),
		s.CreateUser(ctx, User{Name: "alice", Created: at(6)}),
		s.DisableUser(ctx, "bob"),
		s.MakeAdmin(ctx, "alice", at(9)),
		s.Grant(ctx, Grant{"bob", 1, RoleViewer}),
		s.Grant(ctx, Grant{"bob", 1, RoleEditor}),
		s.CreateToken(ctx, UserToken{Hash: []byte("t1"), User: "bob", Name: "laptop", Created: at(7)}),
		s.CreateToken(ctx, UserToken{Hash: []byte("t2"), User: "bob", Name: "ci", Created: at(7), Expires: at(8)}),
	)
	want := &Identity{
		Apps:    []App{{Code: "bot", Disabled: true, Created: at(4)}, {Code: "shop", Name: "Shop", TrustedAll: true, Created: at(1)}},
		Secrets: []AppSecret{{"shop", []byte("s2"), at(2)}, {"shop", []byte("s3"), at(3)}},
		Trusts:  []AppTrust{{"bot", 1}},
		Users:   []User{{Name: "alice", Admin: true, Created: at(6)}, {Name: "bob", Disabled: true, Created: at(5)}},
		Grants:  []Grant{{"bob", 1, RoleEditor}},
		Tokens: []UserToken{
			{Hash: []byte("t1"), User: "bob", Name: "laptop", Created: at(7)},
			{Hash: []byte("t2"), User: "bob", Name: "ci", Created: at(7), Expires: at(8)},
		},
	}
	if diff := cmp.Diff(want, loadIdentity(t, s)); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}

	must(t,
		s.EnableApp(ctx, "bot"),
		s.TrustApp(ctx, AppTrust{App: "bot"}),
		s.DistrustApp(ctx, AppTrust{App: "shop"}),
		s.DistrustApp(ctx, AppTrust{App: "bot", Project: 1}),
		s.EnableUser(ctx, "bob"),
		s.Grant(ctx, Grant{"bob", 1, RoleNone}),
		s.DeleteToken(ctx, "bob", []byte("t1")),
	)
	want.Apps[0].Disabled, want.Apps[0].TrustedAll, want.Apps[1].TrustedAll = false, true, false
	want.Users[1].Disabled = false
	want.Trusts, want.Grants, want.Tokens = nil, nil, want.Tokens[1:]
	if diff := cmp.Diff(want, loadIdentity(t, s)); diff != "" {
		t.Errorf("identity after taking back (-want +got):\n%s", diff)
	}
}

func loadIdentity(t *testing.T, s *Store) *Identity {
	t.Helper()
	id, err := s.LoadIdentity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestDistrustApp_of_all_ends_single_projects_too(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	must(t,
		s.CreateApp(ctx, App{Code: "bot", TrustedAll: true, Created: at(1)}, nil),
		s.TrustApp(ctx, AppTrust{App: "bot", Project: 1}),
		s.DistrustApp(ctx, AppTrust{App: "bot"}),
	)
	if id := loadIdentity(t, s); id.Apps[0].TrustedAll || len(id.Trusts) > 0 {
		t.Errorf("still trusted: %+v", id)
	}
}

func TestIdentity_refusals(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	must(t,
		s.CreateApp(ctx, App{Code: "shop", Created: at(1)}, []byte("s1")),
		s.CreateUser(ctx, User{Name: "bob", Created: at(1)}),
		s.CreateToken(ctx, UserToken{Hash: []byte("t1"), User: "bob", Created: at(1)}),
	)
	before := loadIdentity(t, s)
	for name, c := range map[string]struct {
		err  error
		want stdops.Code
	}{
		"app twice":             {s.CreateApp(ctx, App{Code: "shop", Created: at(1)}, []byte("x")), stdops.CodeRefused},
		"secret of no app":      {s.AddSecret(ctx, AppSecret{App: "x", Hash: []byte("h"), Created: at(1)}), stdops.CodeNotFound},
		"disable no app":        {s.DisableApp(ctx, "x"), stdops.CodeNotFound},
		"enable no app":         {s.EnableApp(ctx, "x"), stdops.CodeNotFound},
		"trust no app":          {s.TrustApp(ctx, AppTrust{App: "x"}), stdops.CodeNotFound},
		"trust no app in one":   {s.TrustApp(ctx, AppTrust{App: "x", Project: 1}), stdops.CodeNotFound},
		"trust in no project":   {s.TrustApp(ctx, AppTrust{App: "shop", Project: 9}), stdops.CodeNotFound},
		"distrust no app":       {s.DistrustApp(ctx, AppTrust{App: "x"}), stdops.CodeNotFound},
		"grant to no user":      {s.Grant(ctx, Grant{"x", 1, RoleViewer}), stdops.CodeNotFound},
		"grant in no project":   {s.Grant(ctx, Grant{"bob", 9, RoleViewer}), stdops.CodeNotFound},
		"user twice":            {s.CreateUser(ctx, User{Name: "bob", Admin: true, Created: at(1)}), stdops.CodeRefused},
		"user without project":  {s.CreateUser(ctx, User{Name: "eve", Created: at(1)}, Grant{"eve", 9, RoleViewer}), stdops.CodeNotFound},
		"app without project":   {s.CreateApp(ctx, App{Code: "eve", Created: at(1)}, []byte("x"), 1, 9), stdops.CodeNotFound},
		"half of two roles":     {s.Grant(ctx, Grant{"bob", 1, RoleViewer}, Grant{"bob", 9, RoleViewer}), stdops.CodeNotFound},
		"disable nobody":        {s.DisableUser(ctx, "x"), stdops.CodeNotFound},
		"enable nobody":         {s.EnableUser(ctx, "x"), stdops.CodeNotFound},
		"grant of no role":      {s.Grant(ctx, Grant{"bob", 1, "king"}), stdops.CodeInternal},
		"token of no user":      {s.CreateToken(ctx, UserToken{Hash: []byte("h"), User: "x", Created: at(1)}), stdops.CodeNotFound},
		"delete another's":      {s.DeleteToken(ctx, "x", []byte("t1")), stdops.CodeNotFound},
		"session of no user":    {s.CreateSession(ctx, Session{Hash: []byte("h"), User: "x", Created: at(1), Expires: at(2)}), stdops.CodeNotFound},
		"session of no browser": {second(s.Session(ctx, []byte("x"))), stdops.CodeNotFound},
	} {
		if c.err == nil || stdops.ErrorCode(c.err) != c.want {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	if diff := cmp.Diff(before, loadIdentity(t, s)); diff != "" {
		t.Errorf("refused calls left a trace (-before +after):\n%s", diff)
	}
}

func second[T any](_ T, err error) error { return err }

func TestSessions(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	old := Session{Hash: []byte("old"), User: "bob", Created: at(1), Expires: at(10)}
	next := Session{Hash: []byte("new"), User: "bob", Created: at(10), Expires: at(20)}
	must(t, s.CreateUser(ctx, User{Name: "bob", Created: at(1)}), s.CreateSession(ctx, old))
	if got, err := s.Session(ctx, old.Hash); err != nil || !cmp.Equal(got, old) {
		t.Errorf("session: %+v, %v", got, err)
	}
	must(t, s.CreateSession(ctx, next)) // removes the one that has expired
	if _, err := s.Session(ctx, old.Hash); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("expired session: %v", err)
	}
	must(t, s.DeleteSession(ctx, next.Hash), s.DeleteSession(ctx, next.Hash))
	if _, err := s.Session(ctx, next.Hash); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("session after sign-out: %v", err)
	}
}

func TestSessions_end_with_their_token(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	opened := Session{Hash: []byte("s1"), User: "bob", Token: []byte("t1"), Created: at(1), Expires: at(10)}
	other := Session{Hash: []byte("s2"), User: "bob", Created: at(1), Expires: at(10)}
	must(t,
		s.CreateUser(ctx, User{Name: "bob", Created: at(1)}),
		s.CreateToken(ctx, UserToken{Hash: []byte("t1"), User: "bob", Created: at(1)}),
		s.CreateSession(ctx, opened), s.CreateSession(ctx, other),
	)
	if got, err := s.Session(ctx, opened.Hash); err != nil || !cmp.Equal(got, opened) {
		t.Errorf("session: %+v, %v", got, err)
	}
	must(t, s.DeleteToken(ctx, "bob", []byte("t1")))
	if _, err := s.Session(ctx, opened.Hash); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("session without its token: %v", err)
	}
	if _, err := s.Session(ctx, other.Hash); err != nil {
		t.Errorf("session of a link: %v", err)
	}
	opened.Hash = []byte("s3")
	if err := s.CreateSession(ctx, opened); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("a session with a token that is gone: %v", err)
	}
}

func TestUseLoginLink_once(t *testing.T) {
	t.Parallel()
	s := setup(t)
	link := LoginLink{Hash: []byte("l"), User: "", Created: at(1), Expires: at(10)}
	must(t, s.CreateLoginLink(t.Context(), link))
	var (
		wins atomic.Int32
		all  sync.WaitGroup
	)
	for range 8 {
		all.Go(func() {
			got, err := s.UseLoginLink(context.WithoutCancel(t.Context()), link.Hash, at(5))
			switch {
			case err == nil && cmp.Equal(got, link):
				wins.Add(1)
			case stdops.ErrorCode(err) != stdops.CodeUnauthenticated:
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d signed in", wins.Load())
	}
}

func TestUseLoginLink_refused(t *testing.T) {
	t.Parallel()
	s := setup(t)
	link := LoginLink{Hash: []byte("l"), User: "bob", Created: at(1), Expires: at(10)}
	must(t, s.CreateLoginLink(t.Context(), link))
	for range 2 { // a look does not use it
		if got, err := s.LoginLink(t.Context(), link.Hash, at(5)); err != nil || !cmp.Equal(got, link) {
			t.Errorf("link: %+v, %v", got, err)
		}
	}
	refusals := map[string]bool{}
	refused := func(err error) {
		if stdops.ErrorCode(err) != stdops.CodeUnauthenticated {
			t.Errorf("got %v", err)
			return
		}
		refusals[err.Error()] = true
	}
	refused(second(s.UseLoginLink(t.Context(), []byte("x"), at(5))))
	refused(second(s.UseLoginLink(t.Context(), link.Hash, at(10))))
	refused(second(s.LoginLink(t.Context(), []byte("x"), at(5))))
	refused(second(s.LoginLink(t.Context(), link.Hash, at(10))))
	if got, err := s.UseLoginLink(t.Context(), link.Hash, at(9)); err != nil || !cmp.Equal(got, link) {
		t.Errorf("use: %+v, %v", got, err)
	}
	refused(second(s.LoginLink(t.Context(), link.Hash, at(9))))
	if len(refusals) != 1 {
		t.Errorf("told apart: %v", refusals)
	}
}
