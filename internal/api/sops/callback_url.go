package sops

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/stdops/stdops"
)

// callbackURL is the form that callers of bk-sops know from its refusal.
var callbackURL = regexp.MustCompile(`^https?://\w.+$`)

// checkCallbackURL refuses addresses of a wrong form, and literal addresses inside of the network. Since nothing is
// delivered yet, an address that would do is refused as well: it must not look as if it were heard.
func checkCallbackURL(body *stdops.Object) error {
	value, ok := body.Get("callback_url")
	if !ok || value == nil || value == "" {
		return nil
	}
	text, ok := value.(string)
	parsed, err := url.Parse(text)
	if inner := ok && err == nil && innerHost(parsed.Hostname()); inner {
		return invalid("callback_url must not be an address inside of the server's network")
	}
	if !ok || err != nil || !callbackURL.MatchString(text) {
		return invalid(`callback_url format error, must match ^https?://\w.+$`)
	}
	return stdops.Errorf(stdops.CodeRefused, "callback_url is not offered by stdops yet")
}

// innerHost reports whether a host is a literal address that the outside cannot mean, in any of the forms that resolvers
// accept: also one number, fewer than four parts, octal or hex parts, and IPv4 inside of IPv6.
func innerHost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, ok := literalAddress(host)
	if !ok {
		return false
	}
	addr = embedded(addr.Unmap())
	return !addr.IsGlobalUnicast() || addr.IsPrivate() || inReserved(addr)
}

// reserved are the further networks that are not the public internet.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("2001:db8::/32"),
}

func inReserved(addr netip.Addr) bool {
	for _, p := range reserved {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// The prefixes under which an IPv6 address stands for an IPv4 one, with the place of its bytes.
var carriers = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12},
	{netip.MustParsePrefix("2002::/16"), 2},
	{netip.MustParsePrefix("::/96"), 12},
}

// embedded gives the IPv4 address that an IPv6 address stands for, the address itself when it stands for none.
func embedded(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	raw := addr.As16()
	for _, c := range carriers {
		if c.prefix.Contains(addr) {
			return netip.AddrFrom4([4]byte(raw[c.at : c.at+4]))
		}
	}
	return addr
}

func literalAddress(host string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.WithZone(""), true
	}
	if ip := net.ParseIP(host); ip != nil {
		addr, ok := netip.AddrFromSlice(ip)
		return addr, ok
	}
	return oldForm(host)
}

// oldForm reads the forms of an IPv4 address that the C library takes: a.b.c.d, a.b.c, a.b or one number, each part
// decimal, octal (0…) or hex (0x…), the last part filling what is left.
func oldForm(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var sum uint64
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 0, 64)
		if err != nil || strings.Contains(part, "_") || strings.HasPrefix(part, "0b") || strings.HasPrefix(part, "0o") {
			return netip.Addr{}, false
		}
		room := uint64(8)
		if i == len(parts)-1 {
			room = uint64(8 * (5 - len(parts)))
		}
		if n >= 1<<room {
			return netip.Addr{}, false
		}
		sum = sum<<room | n
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true
}
