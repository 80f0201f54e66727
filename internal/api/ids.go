package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
)

// IDs names a request in answers, headers and logs.
type IDs struct {
	Request string // ours
	Trace   string // the caller's traceparent as it came, else Request
}

const maxTraceparent = 256

// newIDs makes the ids of a request. A traceparent is taken over whole, as callers compare it, but only when it has the
// letters that one can have: it is written into headers and logs.
func newIDs(r *http.Request) *IDs {
	raw := make([]byte, 16)
	rand.Read(raw)
	ids := &IDs{Request: hex.EncodeToString(raw)}
	ids.Trace = ids.Request
	if parent := r.Header.Get("Traceparent"); plainTraceparent(parent) {
		ids.Trace = parent
	}
	return ids
}

func plainTraceparent(s string) bool {
	if s == "" || len(s) > maxTraceparent {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

type idsKey struct{}

// RequestIDs gives the ids of the request that ctx belongs to; outside of [Handler] they are empty.
func RequestIDs(ctx context.Context) *IDs {
	ids, ok := ctx.Value(idsKey{}).(*IDs)
	if !ok {
		return &IDs{}
	}
	return ids
}
