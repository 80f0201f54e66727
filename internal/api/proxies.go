package api

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of the proxies in front of the server, whose word about the address of a caller counts.
type Proxies []netip.Prefix

const forwardedFor = "X-Forwarded-For"

// Peer gives the address that a request comes from, with a port, which is 0 when a proxy has told the address. Each proxy
// adds to X-Forwarded-For whom it was asked by, so the last one there that is no proxy of ours is the caller; what stands
// before it anybody may have written.
func (p Proxies) Peer(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if len(p) == 0 || err != nil || !p.hold(peer.Addr()) {
		return r.RemoteAddr
	}
	told := strings.Split(strings.Join(r.Header.Values(forwardedFor), ","), ",")
	for _, text := range slices.Backward(told) {
		addr, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			break
		}
		if peer = netip.AddrPortFrom(addr, 0); !p.hold(addr) {
			break
		}
	}
	return peer.String()
}

func (p Proxies) hold(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(addr) })
}
