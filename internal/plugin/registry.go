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
	specs   []Spec            // by code and first version
	natures map[string]Nature // by code
}

// Nature is what the code of a plugin alone tells about its nodes that wait; a version that declares it does so for all.
type Nature struct {
	Person bool // waits for somebody, see [Spec.Person]
	Child  bool // waits for a task that it has made, see [Spec.Child]
	Inward bool // its polls look at the clock only, see [Spec.Inward]
}

type key struct{ code, version string }

// NewRegistry makes a registry of plugins; two plugins for one code and version are an error.
func NewRegistry(plugins ...Plugin) (*Registry, error) {
	r := &Registry{plugins: make(map[key]Plugin), natures: make(map[string]Nature)}
	for _, p := range plugins {
		spec := p.Spec()
		r.specs = append(r.specs, spec)
		for _, version := range spec.Versions {
			k := key{spec.Code, version}
			if r.plugins[k] != nil {
				return nil, fmt.Errorf("plugin %s (version %s) is registered twice", spec.Code, version)
			}
			r.plugins[k] = p
			n := r.natures[spec.Code]
			r.natures[spec.Code] = Nature{n.Person || spec.Person, n.Child || spec.Child, n.Inward || spec.Inward}
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
func (r *Registry) AsksPerson(code string) bool { return r.natures[code].Person }

// Nature tells what nodes of a plugin of the code wait for.
func (r *Registry) Nature(code string) Nature { return r.natures[code] }

// Codes gives all registered codes, sorted.
func (r *Registry) Codes() []string {
	codes := make(map[string]bool)
	for k := range r.plugins {
		codes[k.code] = true
	}
	return slices.Sorted(maps.Keys(codes))
}
