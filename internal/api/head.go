package api

import "net/http"

// MaxHead is how many bytes the head of a request may have. The server behind which [Handler] stands must let through
// more, or net/http refuses the request in its own words.
const MaxHead = 64 << 10

// bounded refuses a request whose head is too large (docs/spec/api.md 2.4).
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if headSize(r) > MaxHead {
			fail(w, r, Refuse(http.StatusRequestHeaderFieldsTooLarge, "the address and the headers are larger than 64 KiB"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// headSize gives about how many bytes the head of a request had.
func headSize(r *http.Request) int {
	size := len(r.Method) + len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	return size
}

// fail answers with a refusal, and notes it for the access log.
func fail(w http.ResponseWriter, r *http.Request, refusal *Refusal) {
	out := NewWriter(w, RequestIDs(r.Context()))
	out.Fail(refusal)
	LogEntry(r.Context()).Number = out.Number
}
