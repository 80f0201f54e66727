package service

import (
	"slices"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// PluginField is an input or output of a plugin.
type PluginField = plugin.Field

// PluginEntry is a plugin as callers see it.
type PluginEntry struct {
	Code, Name, Group, Doc string

	Versions []string
	Inputs   []PluginField
	Outputs  []PluginField // with those that every plugin has
}

// InputSchema gives the JSON Schema of its inputs.
func (p *PluginEntry) InputSchema() *stdops.Object { return plugin.Schema(p.Inputs) }

// OutputSchema gives the JSON Schema of its outputs.
func (p *PluginEntry) OutputSchema() *stdops.Object { return plugin.Schema(p.Outputs) }

func pluginEntry(spec plugin.Spec) PluginEntry {
	return PluginEntry{
		Code: spec.Code, Name: spec.Name, Group: spec.Group, Doc: spec.Doc, Versions: spec.Versions,
		Inputs: spec.Inputs, Outputs: slices.Concat(spec.Outputs, plugin.Always()),
	}
}

// Plugins lists the plugins of the server, by code.
func (s *Service) Plugins() []PluginEntry {
	specs := s.plugins.Specs()
	list := make([]PluginEntry, len(specs))
	for i, spec := range specs {
		list[i] = pluginEntry(spec)
	}
	return list
}

// Plugin finds a plugin by code and version. Without a version it is the one that a tree means which names none, or where
// there is no such one the first.
func (s *Service) Plugin(code, version string) (*PluginEntry, error) {
	named := version != ""
	if !named {
		version = plugin.DefaultVersion
	}
	if found := s.plugins.Find(code, version); found != nil {
		entry := pluginEntry(found.Spec())
		return &entry, nil
	}
	for _, spec := range s.plugins.Specs() {
		if spec.Code == code && !named {
			entry := pluginEntry(spec)
			return &entry, nil
		}
	}
	return nil, stdops.Errorf(stdops.CodeNotFound, "plugin %.128s (version %.128s) is not registered", code, version)
}
