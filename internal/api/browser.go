package api

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Browser holds the rules for requests that a cookie authorises (docs/spec/api.md 2.4): a page of another site can make
// a browser send the cookie, also to a loopback address.
type Browser struct {
	publicHost string
	origins    *http.CrossOriginProtection
}

// NewBrowser makes the rules for a server that is reached under publicURL.
func NewBrowser(publicURL string) *Browser {
	b := &Browser{origins: http.NewCrossOriginProtection()}
	if u, err := url.Parse(publicURL); err == nil {
		b.publicHost = u.Host
	}
	return b
}

// Check refuses a request that a cookie must not authorise.
func (b *Browser) Check(r *http.Request) error {
	if err := b.CheckOrigin(r); err != nil {
		return err
	}
	if r.Method == http.MethodPost && !jsonContent(r.Header.Get("Content-Type")) {
		return Refuse(http.StatusUnsupportedMediaType, "a request authorised by a cookie must send application/json")
	}
	return nil
}

// CheckOrigin refuses what another site makes a browser send: a request must name a host of this server, and a write must
// come from a page of it.
func (b *Browser) CheckOrigin(r *http.Request) error {
	if !b.known(r.Host) {
		return Refuse(http.StatusMisdirectedRequest, "this server is not reached under the host of this request")
	}
	if b.origins.Check(r) != nil {
		return Refuse(http.StatusForbidden, "cross-origin request refused")
	}
	return nil
}

// known reports whether a Host header names this server: the public host, or a loopback name with any port.
func (b *Browser) known(host string) bool {
	if b.publicHost != "" && strings.EqualFold(host, b.publicHost) {
		return true
	}
	return loopbackHost(host)
}

func jsonContent(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}

// loopbackHost reports whether a Host header is localhost or a loopback address, with or without a port.
func loopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.IsLoopback()
}
