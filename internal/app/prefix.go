package app

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// ownNames are what addresses of the server begin with. A path of the public URL that began with one could not be told from
// an address of the server.
var ownNames = []string{
	"api", "apigw", "assets", "board", "healthz", "login", "logout", "metrics", "openapi.json", "readyz", "start", "static",
	"taskflow", "v2",
}

// plainPath is a path that reads the same everywhere: in an address, in a page, in a cookie.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

// CheckPublicURL says what is wrong with the address under which people are to reach a server.
func CheckPublicURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("it is not of the form https://host or https://host/path")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("it must not hold a user, a query or a fragment")
	}
	path := strings.TrimRight(u.Path, "/")
	if !plainPath.MatchString(path) || u.RawPath != "" {
		return fmt.Errorf("its path %s must be of letters, digits, dots, dashes and underscores", u.EscapedPath())
	}
	if name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); slices.Contains(ownNames, name) {
		return fmt.Errorf("its path must not begin with /%s: addresses of the server do", name)
	}
	return nil
}

// prefixOf gives the path of the public URL, "" when it has none.
func prefixOf(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

// below serves all addresses with the prefix and without it: a proxy in front of the server may take it away or not. Where
// an answer leads on, it does so to an address with the prefix, as the browser knows the server.
func below(prefix string, next http.Handler) http.Handler {
	if prefix == "" {
		return next
	}
	stripped := http.StripPrefix(prefix, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w = &led{ResponseWriter: w, prefix: prefix}
		switch {
		case r.URL.Path == prefix:
			w.Header().Set("Location", "/")
			w.WriteHeader(http.StatusPermanentRedirect)
		case strings.HasPrefix(r.URL.Path, prefix+"/"):
			stripped.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// led adds the prefix to where an answer leads.
type led struct {
	http.ResponseWriter
	prefix string
}

// WriteHeader puts the address right before it is sent.
func (l *led) WriteHeader(status int) {
	if to := l.Header().Get("Location"); strings.HasPrefix(to, "/") && !strings.HasPrefix(to, l.prefix+"/") {
		l.Header().Set("Location", l.prefix+to)
	}
	l.ResponseWriter.WriteHeader(status)
}

// Unwrap gives the writer behind, for http.ResponseController.
func (l *led) Unwrap() http.ResponseWriter { return l.ResponseWriter }
