package outbound_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stdops/stdops/internal/outbound"
	"github.com/stdops/stdops/internal/outbound/dnstest"
)

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

var loopback = prefixes("127.0.0.0/8", "::1/128")

func TestGuardKnowsInnerAddresses(t *testing.T) {
	t.Parallel()
	g := outbound.NewGuard(nil)
	for _, addr := range []string{
		"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1",
		"203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1",
		"2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1",
		"ff02::1", "100::1", "5f00::1", "3fff::1", "168.63.129.16", "::ffff:168.63.129.16",
	} {
		if err := g.Check(netip.AddrPortFrom(netip.MustParseAddr(addr), 80)); !errors.Is(err, outbound.ErrNotAllowed) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	for _, addr := range []string{"93.184.216.34", "1.1.1.1", "172.32.0.1", "100.128.0.1", "::ffff:93.184.216.34", "2606:4700::1111"} {
		for _, port := range []uint16{22, 80, 443, 65535} {
			if err := g.Check(netip.AddrPortFrom(netip.MustParseAddr(addr), port)); err != nil {
				t.Errorf("%s, port %d: %v", addr, port, err)
			}
		}
	}
}

func TestGuardAllowsWhatItIsTold(t *testing.T) {
	t.Parallel()
	g := outbound.NewGuard(prefixes("10.1.0.0/16", "fd00:1::/32", "192.168.7.7/32", "168.63.129.0/24"))
	for addr, want := range map[string]bool{
		"10.1.2.3": true, "10.2.0.1": false, "::ffff:10.1.2.3": true, "192.168.7.7": true, "192.168.7.8": false,
		"fd00:1::5": true, "fd00:2::5": false, "127.0.0.1": false, "1.1.1.1": true, "168.63.129.16": true,
	} {
		if err := g.Check(netip.AddrPortFrom(netip.MustParseAddr(addr), 80)); (err == nil) != want {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestGuardKeepsTheServerFromItself(t *testing.T) {
	t.Parallel()
	all := prefixes("0.0.0.0/0", "::/0")
	one := outbound.NewGuard(all, netip.MustParseAddrPort("127.0.0.1:8080"))
	every := outbound.NewGuard(all, netip.MustParseAddrPort("[::]:8080"))
	linked := outbound.NewGuard(all, netip.MustParseAddrPort("[fe80::1%eth0]:8080"))
	if err := linked.Check(netip.MustParseAddrPort("[fe80::1%eth0]:8080")); err == nil {
		t.Error("a server that listens on a link-local address is reached")
	}
	for _, c := range []struct {
		to         string
		one, every bool
	}{
		{"127.0.0.1:8080", false, false},
		{"[::ffff:127.0.0.1]:8080", false, false},
		{"0.0.0.0:8080", false, false},
		{"[::]:8080", false, false},
		{"[::1]:8080", true, false},
		{"127.0.0.2:8080", true, false},
		{"127.0.0.1:8081", true, true},
		{"10.255.254.253:8080", true, true},
	} {
		for g, want := range map[*outbound.Guard]bool{one: c.one, every: c.every} {
			if err := g.Check(netip.MustParseAddrPort(c.to)); (err == nil) != want {
				t.Errorf("%s: %v", c.to, err)
			}
		}
	}
}

// inside is a server on loopback that must not be reached.
type inside struct {
	port        string
	connections atomic.Int64
}

func newInside(t *testing.T) *inside {
	t.Helper()
	in := &inside{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"secret": true}`))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			in.connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	_, in.port, _ = net.SplitHostPort(server.Listener.Addr().String())
	return in
}

var one = netip.MustParseAddr("127.0.0.1")

// ways are hosts by which a server on 127.0.0.1 may be reached.
var ways = []string{
	"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "127.1", "2130706433", "0x7f000001", "0177.0.0.1",
	"①②⑦.⓪.⓪.①", "user:password@127.0.0.1", "inner.test", "mixed.test", "rebind.test",
}

// TestSendReachesNothingInside tries every way to a server on loopback. The control with the check off shows that the
// ways lead there, so that the test would see a client that goes one of them.
func TestSendReachesNothingInside(t *testing.T) {
	t.Parallel()
	for _, host := range ways {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			for _, guarded := range []bool{true, false} {
				in := newInside(t)
				dns := dnstest.New(dnstest.Names{
					"inner.test":  {{one}},
					"mixed.test":  {{netip.MustParseAddr("10.0.0.1"), one}},
					"rebind.test": {{netip.MustParseAddr("93.184.216.34")}, {one}},
				})
				if strings.HasPrefix(host, "rebind") {
					_, _ = dns.Resolver().LookupHost(t.Context(), host) // somebody has looked at it before
				}
				g := outbound.NewGuard(nil)
				if !guarded {
					g = outbound.NewGuard(prefixes("127.0.0.0/8", "0.0.0.0/8"))
				}
				client := outbound.New(outbound.Options{Guard: g, Resolver: dns.Resolver()})
				answer, err := client.Send(t.Context(), outbound.Request{URL: "http://" + host + ":" + in.port + "/"})
				switch {
				case guarded && (err == nil || in.connections.Load() != 0):
					t.Errorf("%d connections, answer %+v", in.connections.Load(), answer)
				case guarded && errors.Is(err, outbound.ErrNotAllowed) && g.Refused() == 0:
					t.Error("the refusal is not counted")
				case !guarded && leads[host] && (err != nil || in.connections.Load() == 0):
					t.Errorf("control: the way does not lead to the server: %v", err)
				}
			}
		})
	}
}

// leads names the ways that lead to the server on this system when nobody stands in between. Numbers of other forms are
// names to the resolver of Go, which finds none; that of a C library would find the address.
var leads = map[string]bool{
	"127.0.0.1": true, "localhost": true, "[::ffff:127.0.0.1]": true, "[::ffff:7f00:1]": true, "0.0.0.0": true,
	"user:password@127.0.0.1": true, "inner.test": true, "mixed.test": true, "rebind.test": true,
}

// TestCheckingBeforeDiallingIsNotEnough plays the attack that the guard is there for: a client that looks a name up, judges
// its address and then lets net/http look it up again is led inside.
func TestCheckingBeforeDiallingIsNotEnough(t *testing.T) {
	t.Parallel()
	in := newInside(t)
	names := dnstest.Names{"rebind.test": {{netip.MustParseAddr("93.184.216.34")}, {one}}}
	g := outbound.NewGuard(nil)

	naive := func(resolver *net.Resolver) error {
		addrs, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.test")
		if err != nil {
			return err
		}
		if err := g.Check(netip.AddrPortFrom(addrs[0], 80)); err != nil {
			return err
		}
		dialer := &net.Dialer{Resolver: resolver}
		transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://rebind.test:"+in.port, nil)
		if err != nil {
			return err
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	if err := naive(dnstest.New(names).Resolver()); err != nil || in.connections.Load() != 1 {
		t.Fatalf("the attack does not work, so it proves nothing: %v", err)
	}

	resolver := dnstest.New(names).Resolver()
	addrs, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.test")
	if err != nil || g.Check(netip.AddrPortFrom(addrs[0], 80)) != nil {
		t.Fatal(addrs, err)
	}
	_, err = outbound.New(outbound.Options{Guard: g, Resolver: resolver}).
		Send(t.Context(), outbound.Request{URL: "http://rebind.test:" + in.port})
	if !errors.Is(err, outbound.ErrNotAllowed) || in.connections.Load() != 1 {
		t.Errorf("%v, %d connections", err, in.connections.Load())
	}
}

// TestSendAsksNoProxy cannot run beside others: it changes the environment.
func TestSendAsksNoProxy(t *testing.T) {
	proxy := newInside(t)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:"+proxy.port)
	t.Setenv("ALL_PROXY", "http://127.0.0.1:"+proxy.port)
	dns := dnstest.New(dnstest.Names{"far.test": {{netip.MustParseAddr("10.0.0.1")}}})
	client := outbound.New(outbound.Options{Guard: outbound.NewGuard(loopback), Resolver: dns.Resolver()})
	_, err := client.Send(context.Background(), outbound.Request{URL: "http://far.test/"})
	if !errors.Is(err, outbound.ErrNotAllowed) || proxy.connections.Load() != 0 {
		t.Errorf("%v, %d connections to the proxy", err, proxy.connections.Load())
	}
}
