package api

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestPeer(t *testing.T) {
	t.Parallel()
	proxies := Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name    string
		proxies Proxies
		remote  string
		told    []string
		want    string
	}{
		{"no proxies", nil, "10.1.1.1:5", []string{"192.0.2.1"}, "10.1.1.1:5"},
		{"not from a proxy", proxies, "192.0.2.9:5", []string{"192.0.2.1"}, "192.0.2.9:5"},
		{"from a proxy", proxies, "10.1.1.1:5", []string{"192.0.2.1"}, "192.0.2.1:0"},
		{"from a proxy that tells nothing", proxies, "10.1.1.1:5", nil, "10.1.1.1:5"},
		{"made up by the caller", proxies, "10.1.1.1:5", []string{"203.0.113.7, 192.0.2.1"}, "192.0.2.1:0"},
		{"in two headers", proxies, "10.1.1.1:5", []string{"203.0.113.7", "192.0.2.1"}, "192.0.2.1:0"},
		{"two proxies", proxies, "10.1.1.1:5", []string{"203.0.113.7, 192.0.2.1,10.2.2.2"}, "192.0.2.1:0"},
		{"nobody but proxies", proxies, "10.1.1.1:5", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3:0"},
		{"no address", proxies, "10.1.1.1:5", []string{"192.0.2.1, unknown"}, "10.1.1.1:5"},
		{"IPv6", proxies, "[fd00::1]:5", []string{"2001:db8::1"}, "[2001:db8::1]:0"},
		{"IPv4 in IPv6", proxies, "[::ffff:10.1.1.1]:5", []string{"192.0.2.1"}, "192.0.2.1:0"},
		{"a socket", proxies, "@", []string{"192.0.2.1"}, "@"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{forwardedFor: c.told}}
		if got := c.proxies.Peer(r); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
