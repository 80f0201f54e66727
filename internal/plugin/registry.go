package plugin

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// DefaultVersion is the version of a tree that names none.
const DefaultVersion = "legacy"

// Registry finds plugins by code and version. It is filled once and then only read.
type Registry struct {
	plugins map[key]Plugin
	specs   []Spec          // by code and first version
	persons map[string]bool // by code: whether it waits for somebody
}

type key struct{ code, version string }

// NewRegistry makes a registry of plugins; two plugins for one code and version are an error.
func NewRegistry(plugins ...Plugin) (*Registry, error) {
	r := &Registry{plugins: make(map[key]Plugin), persons: make(map[string]bool)}
	for _, p := range plugins {
		spec := p.Spec()
		r.specs = append(r.specs, spec)
		for _, version := range spec.Versions {
			k := key{spec.Code, version}
			if r.plugins[k] != nil {
				return nil, fmt.Errorf("plugin %s (version %s) is registered twice", spec.Code, version)
			}
			r.plugins[k] = p
			r.persons[spec.Code] = r.persons[spec.Code] || spec.Person
		}
	}
	slices.SortFunc(r.specs, func(a, b Spec) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), slices.Compare(a.Versions, b.Versions))
	})
	return r, nil
}

// Find gives the plugin for code and version, nil when there is none.
func (r *Registry) Find(code, version string) Plugin { return r.plugins[key{code, version}] }

// AsksPerson reports whether a plugin of the code waits for a person.
func (r *Registry) AsksPerson(code string) bool { return r.persons[code] }

// Codes gives all registered codes, sorted.
func (r *Registry) Codes() []string {
	codes := make(map[string]bool)
	for k := range r.plugins {
		codes[k.code] = true
	}
	return slices.Sorted(maps.Keys(codes))
}
