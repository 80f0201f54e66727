package sops_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/stdops/stdops/internal/outbound"
	"github.com/stdops/stdops/internal/outbound/dnstest"
	"github.com/stdops/stdops/internal/plugin/builtin"
)

// runInNetwork plays a line about requests in a network of its own: rebind.test has a public address when it is looked at
// first and that of this host from then on; big.test answers with a few kilobytes that inflate to a gigabyte. Only the
// line about that one may go to this host.
func runInNetwork(t *testing.T, line badInput) {
	t.Helper()
	var connections atomic.Int64
	part := zippedMegabyte(t)
	bomb := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		for range 1 << 10 {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	}))
	bomb.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	bomb.Start()
	defer bomb.Close()
	_, port, err := net.SplitHostPort(bomb.Listener.Addr().String())
	must(t, err)

	here := netip.MustParseAddr("127.0.0.1")
	names := dnstest.New(dnstest.Names{"rebind.test": {{netip.MustParseAddr("93.184.216.34")}, {here}}, "big.test": {{here}}})
	_, err = names.Resolver().LookupHost(t.Context(), "rebind.test")
	must(t, err)
	inside := line.Name != "http-response-gzip-bomb"
	var allowed []netip.Prefix
	if !inside {
		allowed = append(allowed, netip.PrefixFrom(here, 32))
	}
	guard := outbound.NewGuard(allowed)
	f := newFixture(t, builtin.HTTPRequest(outbound.New(outbound.Options{Guard: guard, Resolver: names.Resolver()})))
	f.symbols["rebind.test"], f.symbols["big.test"] = "rebind.test:"+port, "big.test:"+port
	f.run(t, line)
	switch {
	case inside && (connections.Load() != 0 || guard.Refused() == 0):
		t.Errorf("%d connections to this host, %d refused", connections.Load(), guard.Refused())
	case !inside && connections.Load() != 1:
		t.Errorf("%d connections", connections.Load())
	}
}
