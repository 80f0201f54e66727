package sops

import "github.com/stdops/stdops/internal/service"

// ServedEndpoint is an offered endpoint as tests outside of the package see it.
type ServedEndpoint struct {
	Name, Method string
	Parts        []string
	Needs        service.Permission
	Open         string
}

// Served gives the offered endpoints of the table.
func Served() []ServedEndpoint {
	var served []ServedEndpoint
	for _, e := range endpoints() {
		if e.serve == nil {
			continue
		}
		s := ServedEndpoint{Name: e.name, Method: e.method, Needs: e.needs, Open: e.open}
		for _, p := range e.parts {
			s.Parts = append(s.Parts, string(p))
		}
		served = append(served, s)
	}
	return served
}
