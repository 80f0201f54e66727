package api

import (
	"net/http"
	"net/url"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

const (
	credentialHeader = "X-Bkapi-Authorization"
	tokenCookie      = "bk_token"
	maxHeaderValue   = 16 << 10
)

// The keys of credentials, wherever they travel.
const (
	keyAppCode   = "bk_app_code"
	keyAppSecret = "bk_app_secret"
	keyToken     = "bk_token"
	keyUsername  = "bk_username"
)

// secretKeys are removed from a body before anything else sees it; bk_ticket and access_token are not supported, but
// are secrets all the same.
var secretKeys = []string{keyAppSecret, keyToken, "access_token", "bk_ticket", "jwt"}

// CredentialKeys gives the keys of a body that say who is asking, and nothing about what is asked for.
func CredentialKeys() []string { return append([]string{keyAppCode, keyUsername}, secretKeys...) }

// Credentials are what a request brought, and whether a cookie was needed for it.
type Credentials struct {
	service.Credentials
	// Cookie says that the user is known by a cookie only: such a request may have been made by another site's page.
	Cookie bool
}

// Head is what a request says about who asks before its body.
type Head struct {
	request *http.Request
	header  *stdops.Object
	query   url.Values
	session Cookie
}

// ReadHead reads the credential header, once for all who ask for credentials. The session is the cookie of the server.
func ReadHead(r *http.Request, query url.Values, session Cookie) (*Head, error) {
	header, err := headerCredentials(r)
	if err != nil {
		return nil, err
	}
	return &Head{request: r, header: header, query: query, session: session}, nil
}

// App gives the credentials of an application, empty when they lie in the body: so that a body is read only for callers
// that are known, wherever that can be told before.
func (h *Head) App() (code, secret string) {
	return first(keyAppCode, h.header, h.query), first(keyAppSecret, h.header, h.query)
}

// Credentials collects the credentials of a request, each from the first place that has it: the header
// X-Bkapi-Authorization, the query, the body, and for the user's token a cookie (docs/spec/api.md 3.1). Secrets are
// removed from the body. Identity headers of gateways are not looked at; X-Bkapi-JWT does not count without a key, and
// one that is the only credential leads to the same refusal as none.
func (h *Head) Credentials(body *Body) *Credentials {
	find := func(key string) string {
		if s := first(key, h.header, h.query); s != "" {
			return s
		}
		if s := body.Object.Text(key); s != "" {
			return s
		}
		return body.form.Get(key)
	}
	c := &Credentials{Credentials: service.Credentials{
		AppCode: find(keyAppCode), AppSecret: find(keyAppSecret), Token: find(keyToken), Username: find(keyUsername),
	}}
	c.fromCookie(h.request, tokenCookie)
	if c.Username == "" { // a session is a person at the UI, who names nobody
		c.fromCookie(h.request, h.session.Name)
	}
	strip(body.Object)
	return c
}

func first(key string, header *stdops.Object, query url.Values) string {
	if s := header.Text(key); s != "" {
		return s
	}
	return query.Get(key)
}

// headerCredentials reads the credential header. One that is no JSON object, or that came twice, is refused: which of
// two credentials counts must never depend on who reads them.
func headerCredentials(r *http.Request) (*stdops.Object, error) {
	values := r.Header.Values(credentialHeader)
	if len(values) == 0 {
		return nil, nil
	}
	if len(values) > 1 {
		return nil, Refuse(http.StatusUnauthorized, credentialHeader+" was sent more than once")
	}
	if len(values[0]) > maxHeaderValue {
		return nil, Refuse(http.StatusUnauthorized, credentialHeader+" is too long")
	}
	value, err := stdops.DecodeValue([]byte(values[0]))
	object, ok := value.(*stdops.Object)
	if err != nil || !ok {
		return nil, Refuse(http.StatusUnauthorized, credentialHeader+" is not a JSON object")
	}
	return object, nil
}

// fromCookie takes the token from a cookie when no other place had one.
func (c *Credentials) fromCookie(r *http.Request, name string) {
	if c.Token != "" {
		return
	}
	if cookie, err := r.Cookie(name); err == nil && cookie.Value != "" {
		c.Token, c.Cookie = cookie.Value, true
	}
}

func strip(body *stdops.Object) {
	if body == nil {
		return
	}
	for _, key := range secretKeys {
		body.Delete(key)
	}
}
