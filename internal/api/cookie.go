package api

import (
	"net/http"
	"net/url"
	"strings"
)

// sessionName is the name of the cookie of a session, which has a prefix where the server is reached over https.
const sessionName = "stdops_session"

// Cookie is how browsers carry the session of one server.
type Cookie struct {
	Name   string
	path   string
	secure bool
}

// NewCookie makes the cookie of a server that is reached under publicURL. It goes to the addresses below that only. On a
// server that is reached over https its name has a prefix: under __Host- browsers take the cookie from nobody but this very
// host, over https, so that no neighbour under the same domain can plant one. That name is for cookies of the whole host;
// a server below a path shares its host anyway, and takes the next best one.
func NewCookie(publicURL string) Cookie {
	c := Cookie{Name: sessionName, path: "/"}
	u, err := url.Parse(publicURL)
	if err != nil {
		return c
	}
	if path := strings.TrimRight(u.Path, "/"); path != "" {
		c.path = path
	}
	if c.secure = u.Scheme == "https"; c.secure {
		c.Name = "__Secure-" + sessionName
		if c.path == "/" {
			c.Name = "__Host-" + sessionName
		}
	}
	return c
}

// Of gives the session that a request names, "" when it names none.
func (c Cookie) Of(r *http.Request) string {
	cookie, err := r.Cookie(c.Name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// With hands a browser its session. The cookie ends with the browser, the session itself on the server.
func (c Cookie) With(session string) *http.Cookie { return c.made(session, 0) }

// Dropped takes the cookie from a browser.
func (c Cookie) Dropped() *http.Cookie { return c.made("", -1) }

func (c Cookie) made(value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: c.Name, Value: value, Path: c.path, MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.secure,
	}
}
