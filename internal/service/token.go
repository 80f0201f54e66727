package service

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// TokenEntry is a token without its secret.
type TokenEntry struct {
	ID               string // names it without giving it away
	User, Name       string
	Created, Expires time.Time // an Expires of zero: never
	Capped           bool      // it was just made, and expires earlier than was asked for: with the token of its maker
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
	if user != "" {
		if err := by.requireSelf(user); err != nil {
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

// CreateToken gives a program a token to act for a user; its secret is shown this once. Users make tokens for themselves,
// administrators for everybody. A token expires with the one that its maker came with, at the latest: what was lent for a
// time must not be made to last.
func (s *Service) CreateToken(ctx context.Context, by *Caller, n NewToken) (secret string, made TokenEntry, err error) {
	if err := by.requireSelf(n.User); err != nil {
		return "", made, err
	}
	secret = newSecret()
	t := store.UserToken{Hash: s.hash(userToken, secret), User: n.User, Name: n.Name, Created: s.store.Now()}
	if n.Life > 0 {
		t.Expires = t.Created.Add(n.Life)
	}
	asked := t.Expires
	t.Expires = earlier(asked, by.until)
	err = s.change(ctx, func(*identity) error { return s.store.CreateToken(ctx, t) })
	if err != nil {
		return "", made, err
	}
	made = tokenEntry(t)
	made.Capped = !t.Expires.Equal(asked)
	return secret, made, nil
}

// earlier gives the earlier of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// RevokeToken makes the token that an id names useless, and ends the sessions that were opened with it. The token of
// somebody else is as missing as one that never was, other than for administrators.
func (s *Service) RevokeToken(ctx context.Context, by *Caller, id string) error {
	return s.change(ctx, func(*identity) error {
		stored, err := s.store.LoadIdentity(ctx)
		if err != nil {
			return err
		}
		for _, t := range stored.Tokens {
			if tokenEntry(t).ID == id && by.requireSelf(t.User) == nil {
				return s.store.DeleteToken(ctx, t.User, t.Hash)
			}
		}
		return stdops.Errorf(stdops.CodeNotFound, "token %.64s does not exist", id)
	})
}
