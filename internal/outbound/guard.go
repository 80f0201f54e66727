package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"code.dny.dev/ssrf"
)

// ErrNotAllowed is wrapped by the error about an address that may not be reached.
var ErrNotAllowed = errors.New("address not allowed")

// Guard judges the addresses that the server connects to. Everything that is not the public internet is refused unless it
// is allowed: loopback, private and shared networks, link-local, unique local, multicast, what is reserved, and the ways in
// which an IPv6 address can stand for an IPv4 one. What the server itself listens on is refused in any case.
type Guard struct {
	judge   *ssrf.Guardian
	own     []netip.AddrPort
	refused atomic.Int64
}

// NewGuard makes a guard. allow are networks that may be reached though they are not public, own the addresses that the
// server listens on.
func NewGuard(allow []netip.Prefix, own ...netip.AddrPort) *Guard {
	var v4, v6 []netip.Prefix
	for _, p := range allow {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return &Guard{
		judge: newJudge(ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...)),
		own:   own,
	}
}

// wireServer looks public, but every virtual machine of Azure finds there the host that it runs on, which hands out its
// certificates and settings.
var wireServer = netip.MustParsePrefix("168.63.129.16/32")

func newJudge(options ...ssrf.Option) *ssrf.Guardian {
	return ssrf.New(append(options, ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(wireServer))...)
}

// Refused gives how many connections were refused so far.
func (g *Guard) Refused() int64 { return g.refused.Load() }

// control stands between the resolution of a name and the connection: it is asked for every address that is dialled.
func (g *Guard) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	err := g.check(network, address)
	if err != nil {
		g.refused.Add(1)
	}
	return err
}

func (g *Guard) check(network, address string) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: %s", ErrNotAllowed, network)
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrNotAllowed, address)
	}
	return g.Check(to)
}

// Check judges one address. Its error wraps [ErrNotAllowed].
func (g *Guard) Check(to netip.AddrPort) error {
	addr := plain(to.Addr())
	if g.judge.SafeAddr(addr) != nil {
		return fmt.Errorf("%w: %s is inside of a network", ErrNotAllowed, addr)
	}
	for _, own := range g.own {
		if own.Port() != to.Port() {
			continue
		}
		if listening := plain(own.Addr()); listening == addr || listening.IsUnspecified() && local(addr) || addr.IsUnspecified() {
			return fmt.Errorf("%w: %s is the server itself", ErrNotAllowed, netip.AddrPortFrom(addr, to.Port()))
		}
	}
	return nil
}

// plain gives an address as networks hold it: an IPv4 address that is written as IPv6 leads to the same host, and the zone
// of a link-local address belongs to no network.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

var public = newJudge()

// Public reports whether an address is on the public internet, as a guard without exceptions judges it.
func Public(addr netip.Addr) bool { return public.SafeAddr(plain(addr)) == nil }

// local reports whether an address belongs to this host. When that cannot be found out it might.
func local(addr netip.Addr) bool {
	if addr.IsLoopback() {
		return true
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, a := range all {
		if own, err := netip.ParsePrefix(a.String()); err == nil && own.Addr().Unmap() == addr {
			return true
		}
	}
	return false
}
