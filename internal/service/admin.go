package service

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/stdops/stdops"
)

// LocalAdmin is the caller behind the unix socket of the data directory: whoever can open that is admin.
func LocalAdmin() *Caller { return &Caller{User: "local", admin: true} }

// newSecret makes a secret that nobody can guess.
func newSecret() string {
	raw := make([]byte, 32)
	rand.Read(raw)
	return hex.EncodeToString(raw)
}

func (c *Caller) requireAdmin() error {
	if c.Admin() {
		return nil
	}
	return stdops.Errorf(stdops.CodeForbidden, "only an administrator may do this")
}

// requireSelf refuses who acts for another user and is no administrator. Whom an application has merely named does not
// count as that user.
func (c *Caller) requireSelf(user string) error {
	if c.User == user && !c.named {
		return nil
	}
	return c.requireAdmin()
}

// administer changes who may use the server, on behalf of an administrator.
func (s *Service) administer(ctx context.Context, by *Caller, write func(known *identity) error) error {
	if err := by.requireAdmin(); err != nil {
		return err
	}
	return s.change(ctx, write)
}
