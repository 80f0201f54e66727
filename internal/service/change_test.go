package service

import (
	"context"
	"errors"
	"testing"

	"github.com/stdops/stdops"
)

// TestChangeOutlivesItsCaller: what was written counts at once, even when the caller went away or a later write failed.
func TestChangeOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	for _, c := range []struct {
		name string
		then func(leave func()) error
		want error
	}{
		{"the caller went away", func(leave func()) error { leave(); return nil }, nil},
		{"a later write failed", func(func()) error { return failed }, failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			secret, err := b.CreateApp(t.Context(), LocalAdmin(), NewApp{Code: "shop"})
			must(t, err)
			ctx, leave := context.WithCancel(t.Context())
			err = b.change(ctx, func(*identity) error {
				must(t, b.store.DisableApp(t.Context(), "shop"))
				return c.then(leave)
			})
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			refused(t, b.Admit(t.Context(), Credentials{AppCode: "shop", AppSecret: secret}), stdops.CodeUnauthenticated)
			leave()
		})
	}
}

// TestCreateTemplateNeedsPermission: the proof of access alone does not let anybody store a flow.
func TestCreateTemplateNeedsPermission(t *testing.T) {
	t.Parallel()
	b := setup(t)
	must(t, b.CreateUser(t.Context(), LocalAdmin(), NewUser{Name: "ann"}))
	must(t, b.Grant(t.Context(), LocalAdmin(), "ann", Roles{1: Operator}))
	token, _, err := b.CreateToken(t.Context(), LocalAdmin(), NewToken{User: "ann", Name: "t"})
	must(t, err)
	ann, err := b.TokenCaller(t.Context(), token)
	must(t, err)
	a, err := b.Access(t.Context(), ann, ProjectRef{ID: "1", Scope: ScopeProject})
	must(t, err)
	_, err = b.CreateTemplate(t.Context(), a, NewTemplate{Name: "x"}, &stdops.Object{})
	refused(t, err, stdops.CodeDenied)
}
