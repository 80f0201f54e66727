package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	classifier "github.com/google/licenseclassifier/v2"
	"github.com/google/licenseclassifier/v2/assets"
)

// allowed are the licences (SPDX names) under which a dependency may come: each lets us hand the program on under our own
// terms, as long as the notices go with it. MPL-2.0 asks for the source of the dependency's own files, changed
// ones included: what we use unchanged is where the notices say.
var allowed = []string{
	"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "blessing", "BlueOak-1.0.0", "CC0-1.0", "ISC", "MIT", "MIT-0",
	"MPL-2.0", "Unlicense", "Zlib",
}

// byHand are licences that the classifier's collection does not have: what their text says, and their name.
var byHand = []struct{ says, name string }{
	{"MIT No Attribution", "MIT-0"},
	{"Blue Oak Model License", "BlueOak-1.0.0"},
}

// reader reads licence files.
type reader struct {
	classifier *classifier.Classifier
}

func newReader() (*reader, error) {
	c, err := assets.DefaultClassifier()
	if err != nil {
		return nil, fmt.Errorf("load licence texts: %w", err)
	}
	return &reader{classifier: c}, nil
}

// read fills in what the licence files of m say, and refuses what is not allowed.
func (r *reader) read(m *module) error {
	for _, file := range m.files {
		text, err := os.ReadFile(filepath.Join(m.Dir, file))
		if err != nil {
			return err
		}
		m.add(r, string(text))
	}
	return m.check()
}

// add notes what a licence file says.
func (m *module) add(r *reader, text string) {
	m.texts = append(m.texts, text)
	m.licences = union(m.licences, r.licencesOf(text))
	m.copyright = union(m.copyright, copyrightOf(text))
}

func (m *module) check() error {
	if len(m.licences) == 0 {
		return fmt.Errorf("%s %s: no known licence in %v", m.Path, m.Version, m.files)
	}
	for _, name := range m.licences {
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("%s %s: its licence %s is not on the allow-list (tools/licences/licence.go)", m.Path, m.Version, name)
		}
	}
	return nil
}

// licencesOf gives the names of all licences in a text.
func (r *reader) licencesOf(text string) []string {
	for _, known := range byHand {
		if strings.Contains(text, known.says) {
			return []string{known.name}
		}
	}
	var names []string
	for _, match := range r.classifier.Match([]byte(text)).Matches {
		if match.MatchType == "License" {
			names = union(names, []string{match.Name})
		}
	}
	return names
}

var copyrightLine = regexp.MustCompile(`(?im)^[\s/#*]*((?:\w+ work )?copyright\s+(?:\(c\)|©|[0-9]|the ).*?)\s*$`)

// copyrightOf gives the copyright lines of a text, without those of the sample in the Apache licence's appendix.
func copyrightOf(text string) []string {
	var lines []string
	for _, found := range copyrightLine.FindAllStringSubmatch(text, -1) {
		if !strings.ContainsAny(found[1], "[{<") {
			lines = union(lines, found[1:2])
		}
	}
	return lines
}

// union gives a with what b has more, in order.
func union(a, b []string) []string {
	for _, item := range b {
		if !slices.Contains(a, item) {
			a = append(a, item)
		}
	}
	return a
}
