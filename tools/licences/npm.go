package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Where the browser app says what it is built of: npm's own list, and the licence files of what ends in the program, which
// `make web` writes down. Both are committed, so that nothing has to be installed to check them.
const (
	npmLock     = "web/package-lock.json"
	npmLicences = "web/licences.json"
)

// locked is a package in npm's list.
type locked struct {
	Version  string
	License  string
	Dev      bool
	Optional bool
	Either   bool `json:"devOptional"`
}

// noted is a package of which parts are in the program, with its licence files.
type noted struct {
	Name, Version string
	Files         []struct{ Name, Text string }
}

// packagesOf gives the packages that the browser app is built of, sorted by name. What only builds or tests it is checked by
// the licence that it names.
func packagesOf(root string, r *reader) ([]*module, error) {
	lock := struct{ Packages map[string]locked }{}
	var notes []noted
	if err := errors.Join(readJSON(root, npmLock, &lock), readJSON(root, npmLicences, &notes)); err != nil {
		return nil, err
	}
	if err := checkLock(lock.Packages); err != nil {
		return nil, err
	}
	if err := compareNotes(inProgram(lock.Packages), notes); err != nil {
		return nil, err
	}
	var list []*module
	var problems []error
	for _, n := range notes {
		m := &module{Path: "npm " + n.Name, Version: n.Version, linked: true}
		for _, f := range n.Files {
			m.files = append(m.files, f.Name)
			m.add(r, f.Text)
		}
		problems = append(problems, m.check())
		list = append(list, m)
	}
	return list, errors.Join(problems...)
}

func readJSON(root, name string, v any) error {
	text, err := os.ReadFile(filepath.Join(root, name))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing: run `make web`", name)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// checkLock refuses packages whose named licence is not allowed.
func checkLock(packages map[string]locked) error {
	var problems []error
	for _, path := range slices.Sorted(maps.Keys(packages)) {
		if path != "" && !allowedExpression(packages[path].License) {
			problems = append(problems, fmt.Errorf("%s %s: its licence %q is not on the allow-list (tools/licences/licence.go)",
				path, packages[path].Version, packages[path].License))
		}
	}
	return errors.Join(problems...)
}

// allowedExpression judges an SPDX expression: of alternatives one has to be allowed, of what comes together all.
func allowedExpression(text string) bool {
	text = strings.Trim(text, "() ")
	if either := strings.Split(text, " OR "); len(either) > 1 {
		return slices.ContainsFunc(either, allowedExpression)
	}
	return !slices.ContainsFunc(strings.Split(text, " AND "), func(name string) bool {
		return !slices.Contains(allowed, strings.Trim(name, "() "))
	})
}

// inProgram gives the packages, as "name version", that the app is made of: not those that build and test it, and not those
// that hold types only.
func inProgram(packages map[string]locked) (list []string) {
	const folder = "node_modules/"
	for path, p := range packages {
		if path == "" || p.Dev || p.Either || p.Optional || strings.Contains(path, folder+"@types/") {
			continue
		}
		list = append(list, path[strings.LastIndex(path, folder)+len(folder):]+" "+p.Version)
	}
	slices.Sort(list)
	return list
}

// compareNotes says whether the licence files belong to the packages of npm's list.
func compareNotes(want []string, notes []noted) error {
	got := make([]string, len(notes))
	for i, n := range notes {
		got[i] = n.Name + " " + n.Version
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		return fmt.Errorf("%s is not current: it has %d packages, %s has %d; run `make web` and commit it", npmLicences, len(got), npmLock, len(want))
	}
	return nil
}
