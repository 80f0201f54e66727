package service

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"time"
	"unicode"

	"golang.org/x/time/rate"

	"github.com/stdops/stdops"
)

// Credentials are what a request brought to say who is asking.
type Credentials struct {
	AppCode, AppSecret string
	Token              string // of a user: a token or a session
	Username           string // bare; counts only from a trusted app
	Peer               string // address and port that the request came from
}

// Caller is who is asking. The zero value may do nothing.
type Caller struct {
	App  string // code of the application, "" for a person at the UI or at the machine itself
	User string

	admin   bool
	named   bool // the user was named by a trusted app: its trust counts, the user's roles do not
	trusted trust
	roles   map[stdops.ProjectID]Role
	until   time.Time // when the token that the caller came with expires; zero: never, or there was none
}

// trust says where an application is trusted: it may name any user there and skips permission checks.
type trust struct {
	all      bool
	projects map[stdops.ProjectID]bool
}

func (t trust) in(p stdops.ProjectID) bool { return t.all || t.projects[p] }

func (t trust) anywhere() bool { return t.all || len(t.projects) > 0 }

// Admin reports whether the caller administers the server.
func (c *Caller) Admin() bool { return c.admin && !c.named }

// Trusted reports whether the caller is an application that is trusted in all projects.
func (c *Caller) Trusted() bool { return c.trusted.all }

// may reports whether the caller has a permission in a project. A user whom an app merely named has only what the app is
// trusted with: otherwise an app that is trusted in one project could act as anybody in all others.
func (c *Caller) may(p stdops.ProjectID, need Permission) bool {
	switch {
	case c.trusted.in(p):
		return true
	case c.named:
		return false
	case c.admin:
		return true
	default:
		return c.roles[p].has(need)
	}
}

// MaySomewhere reports whether the caller has a permission in any project: what belongs to none is for all of these.
func (c *Caller) MaySomewhere(need Permission) bool {
	if c.trusted.anywhere() || c.Admin() {
		return true
	}
	for _, role := range c.roles {
		if !c.named && role.has(need) {
			return true
		}
	}
	return false
}

// identity is who may use the server, as it is stored. It is read as a whole and replaced as a whole after each change,
// so that a request never sees half a change, and needs no query where this process alone can change it.
type identity struct {
	version int64 // of what is stored, which was read after it

	apps   map[string]*app
	users  map[string]*user
	tokens map[string]token // by hash
}

type app struct {
	disabled bool
	secrets  [][]byte // hashes
	trust    trust
	pace     *rate.Limiter // nil: any number of requests
}

type user struct {
	admin, disabled bool
	roles           map[stdops.ProjectID]Role
	pace            *rate.Limiter // nil: any number of requests
}

type token struct {
	user    string
	expires time.Time // zero: never
}

// What a secret is for. The word goes into its hash, so that a secret of one kind never passes for another.
const (
	secretOfApp = "app"
	userToken   = "token"
	sessionKey  = "session"
	loginLink   = "link"
)

// hash gives what is stored of a secret.
func (s *Service) hash(kind, secret string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(secret))
	return mac.Sum(nil)
}

// Refusals of credentials. The first is the same for a missing, an unknown and a disabled app and for a wrong secret.
func errApp() error {
	return stdops.Errorf(stdops.CodeUnauthenticated, "app authentication failed")
}

func errToken() error {
	return stdops.Errorf(stdops.CodeUnauthenticated, "user authentication failed: bk_token is invalid or expired")
}

func errNoUser(name string) error {
	return stdops.Errorf(stdops.CodeInvalid, "username cannot be empty, make sure api gateway has sent correct params: %s", name)
}

// Authenticate says who is asking (docs/spec/api.md 3.1). A bad token is refused, never replaced by a bare username.
func (s *Service) Authenticate(ctx context.Context, c Credentials) (*Caller, error) {
	known := s.identity.Load()
	caller := &Caller{App: c.AppCode}
	if !s.authenticApp(known, c, caller) {
		return nil, errApp()
	}
	switch {
	case c.Token != "":
		return caller, s.authenticUser(ctx, known, c.Token, caller)
	case c.Username != "" && caller.trusted.anywhere():
		return caller, s.nameUser(ctx, known, c.Username, caller)
	default:
		return nil, errNoUser("")
	}
}

// AuthenticateApp says which application is asking, for calls that need no user.
func (s *Service) AuthenticateApp(code, secret string) (*Caller, error) {
	caller := &Caller{App: code}
	if !s.authenticApp(s.identity.Load(), Credentials{AppCode: code, AppSecret: secret}, &Caller{}) {
		return nil, errApp()
	}
	return caller, nil
}

// authenticApp checks code and secret. An unknown app costs the same comparison as a known one.
func (s *Service) authenticApp(known *identity, c Credentials, caller *Caller) bool {
	given := s.hash(secretOfApp, c.AppSecret)
	found := known.apps[c.AppCode]
	secrets := [][]byte{make([]byte, sha256.Size)}
	if found != nil {
		secrets = found.secrets
	}
	match := 0
	for _, secret := range secrets {
		match |= subtle.ConstantTimeCompare(given, secret)
	}
	if match == 0 || found == nil || found.disabled || c.AppSecret == "" {
		return false
	}
	caller.trusted = found.trust
	return true
}

// authenticUser finds the user of a token or of a session.
func (s *Service) authenticUser(ctx context.Context, known *identity, secret string, caller *Caller) error {
	if t, ok := known.tokens[string(s.hash(userToken, secret))]; ok {
		if !t.expires.IsZero() && !s.store.Now().Before(t.expires) {
			return errToken()
		}
		caller.until = t.expires
		return known.become(t.user, caller)
	}
	return s.resume(ctx, known, secret, caller)
}

// become makes the caller a stored user.
func (known *identity) become(name string, caller *Caller) error {
	found := known.users[name]
	if found == nil || found.disabled {
		return errToken()
	}
	caller.User, caller.admin, caller.roles = name, found.admin, found.roles
	return nil
}

// nameUser makes the caller whomever a trusted app names, existing or not; a row is made for a new name.
func (s *Service) nameUser(ctx context.Context, known *identity, name string, caller *Caller) error {
	if err := checkName("bk_username", name); err != nil {
		return err
	}
	caller.User, caller.named = name, true
	if found := known.users[name]; found != nil {
		if found.disabled {
			return errNoUser(name)
		}
		return nil
	}
	return s.addUser(ctx, name)
}

const longestIdentity = 128

// checkName refuses names of users and apps that could not be shown or logged as they are.
func checkName(field, name string) error {
	switch {
	case name == "" || strings.TrimSpace(name) != name:
		return stdops.Errorf(stdops.CodeInvalid, "%s must not be empty or have blanks around it", field)
	case len(name) > longestIdentity:
		return stdops.Errorf(stdops.CodeInvalid, "%s is longer than %d bytes", field, longestIdentity)
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }):
		return stdops.Errorf(stdops.CodeInvalid, "%s contains control characters", field)
	}
	return nil
}
