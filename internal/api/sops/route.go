package sops

import (
	"net/http"
	"slices"
	"strings"

	"github.com/stdops/stdops/internal/api"
)

// The prefixes of the component families, which carry ids as parameters; the gateway families carry them in the path,
// below /apigw or without any prefix.
var (
	componentPrefixes = []string{"/api/c/compapi/v2/sops/", "/v2/sops/"}
	gatewayPrefix     = "/apigw/"
)

// route is where a request leads.
type route struct {
	endpoint  *endpoint
	component bool            // ids are parameters
	ids       map[part]string // digits, as written
}

// routes finds endpoints by name.
type routes map[string]*endpoint

func newRoutes() routes {
	table := routes{}
	for _, e := range endpoints() {
		table[e.name] = &e
	}
	return table
}

// find resolves an address; the last slash is optional everywhere. ok is false for an unknown one, and for ids that are
// no digits: those do not match any address in bk-sops either.
func (t routes) find(path string) (r route, ok bool) {
	rest, component := cutFamily(path)
	segments := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	e, segments := t.named(segments)
	if e == nil {
		return route{}, false
	}
	r = route{endpoint: e, component: component, ids: map[part]string{}}
	if e.any {
		return r, true
	}
	if component {
		return r, len(segments) == 0
	}
	if len(segments) != len(e.parts) {
		return route{}, false
	}
	for i, digits := range segments {
		if !allDigits(digits) {
			return route{}, false
		}
		r.ids[e.parts[i]] = digits
	}
	return r, true
}

// named takes the name of an endpoint off the front; a few names have two segments.
func (t routes) named(segments []string) (*endpoint, []string) {
	if e := t[segments[0]]; e != nil {
		return e, segments[1:]
	}
	if len(segments) > 1 {
		if e := t[segments[0]+"/"+segments[1]]; e != nil {
			return e, segments[2:]
		}
	}
	return nil, nil
}

// Owns reports whether an address belongs to one of the families: whether it has their prefix, or is one of the bare names.
func Owns(path string) bool {
	if _, component := cutFamily(path); component || strings.HasPrefix(path, gatewayPrefix) {
		return true
	}
	_, ok := bareNames.find(path)
	return ok
}

// bareNames finds the endpoints that are named without a prefix.
var bareNames = newRoutes()

func cutFamily(path string) (rest string, component bool) {
	for _, prefix := range componentPrefixes {
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			return rest, true
		}
	}
	if rest, ok := strings.CutPrefix(path, gatewayPrefix); ok {
		return rest, false
	}
	return strings.TrimPrefix(path, "/"), false
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// checkMethod refuses a method that the endpoint does not have. Clients of the component families also send the
// parameters of a GET endpoint as the JSON body of a POST.
func (r route) checkMethod(method string) error {
	allowed := []string{r.endpoint.method}
	switch {
	case r.endpoint.method == "":
		allowed = []string{http.MethodGet, http.MethodPost}
	case r.component && r.endpoint.method == http.MethodGet:
		allowed = append(allowed, http.MethodPost)
	}
	if slices.Contains(allowed, method) {
		return nil
	}
	refusal := api.Refuse(http.StatusMethodNotAllowed, "this address takes "+strings.Join(allowed, " and ")+" only")
	refusal.Allow = strings.Join(allowed, ", ")
	return refusal
}
