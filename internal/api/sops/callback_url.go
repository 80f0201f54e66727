package sops

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/outbound"
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
	return ok && !outbound.Public(addr)
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
