package api

import (
	"crypto/sha256"
	"net/http"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// KeyHeader is the header with the key of a request.
const KeyHeader = "Idempotency-Key"

// LongestKey is how many characters the key of a request may have.
const LongestKey = 255

// RequestKey reads the key of a request, "" when it has none. A key is 1 to 255 visible characters of ASCII.
func RequestKey(r *http.Request) (string, error) {
	values := r.Header.Values(KeyHeader)
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", stdops.Errorf(stdops.CodeInvalid, "%s was sent more than once", KeyHeader)
	case values[0] == "" || len(values[0]) > LongestKey || strings.ContainsFunc(values[0], func(c rune) bool { return c < '!' || c > '~' }):
		return "", stdops.Errorf(stdops.CodeInvalid, "%s must have 1 to %d visible ASCII characters", KeyHeader, LongestKey)
	}
	return values[0], nil
}

// NewRequest makes a request with a key of what it asks for: each part counts.
func NewRequest(key string, parts ...[]byte) service.Request {
	hash := sha256.New()
	for _, part := range parts {
		sum := sha256.Sum256(part)
		hash.Write(sum[:])
	}
	return service.Request{Key: key, Hash: hash.Sum(nil)}
}
