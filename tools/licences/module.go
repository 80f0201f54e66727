package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// program is the package whose dependencies are handed on to users.
const program = "./cmd/stdops"

// targets are the systems that the program is built for: what it links differs between them.
var targets = []string{"linux/amd64", "linux/arm64", "darwin/arm64"}

// module is one dependency with what its licence files say.
type module struct {
	Path, Version string
	Dir           string
	linked        bool     // into the program, not only into tests
	files         []string // licence and notice files, relative to Dir
	texts         []string // their contents, in the same order
	licences      []string // SPDX names
	copyright     []string // lines
}

// listed is what `go list` tells of a package.
type listed struct {
	ImportPath string
	Dir        string
	Standard   bool
	Module     *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// modulesOf gives the modules that the product needs, sorted by path: first Go itself, whose library is linked too.
func modulesOf(root string) ([]*module, error) {
	golang, err := standardLibrary(root)
	if err != nil {
		return nil, err
	}
	found := map[string]*module{}
	for _, target := range targets {
		if err := collect(found, root, target, true, program); err != nil {
			return nil, err
		}
		if err := collect(found, root, target, false, "-test", "./..."); err != nil {
			return nil, err
		}
	}
	modules := slices.SortedFunc(maps.Values(found), func(a, b *module) int { return strings.Compare(a.Path, b.Path) })
	return append([]*module{golang}, modules...), nil
}

// standardLibrary gives Go as a module of the version that go.mod asks for.
func standardLibrary(root string) (*module, error) {
	goroot, err := output(root, "", "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	version, err := output(root, "", "go", "list", "-m", "-f", "{{.GoVersion}}")
	if err != nil {
		return nil, err
	}
	return &module{
		Path: "Go standard library", Version: "go" + strings.TrimSpace(string(version)),
		Dir: strings.TrimSpace(string(goroot)), linked: true, files: []string{"LICENSE"},
	}, nil
}

// collect adds the modules of the packages that `go list -deps` names.
func collect(found map[string]*module, root, target string, linked bool, args ...string) error {
	out, err := output(root, target, "go", append([]string{"list", "-deps", "-json=ImportPath,Dir,Standard,Module"}, args...)...)
	if err != nil {
		return err
	}
	for in := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("go list: %w", err)
		}
		if p.Standard || p.Module == nil || p.Module.Main {
			continue
		}
		m := found[p.Module.Path]
		if m == nil {
			m = &module{Path: p.Module.Path, Version: p.Module.Version, Dir: p.Module.Dir}
			found[m.Path] = m
		}
		m.linked = m.linked || linked
		if err := m.addFiles(p.Dir); err != nil {
			return err
		}
	}
}

var licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// addFiles notes the licence files of a package: those in its directory and in those above it, as parts of a module may
// come under terms of their own.
func (m *module) addFiles(dir string) error {
	for ; strings.HasPrefix(dir, m.Dir); dir = filepath.Dir(dir) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			file, err := filepath.Rel(m.Dir, filepath.Join(dir, entry.Name()))
			if err != nil {
				return err
			}
			if entry.Type().IsRegular() && licenceFile.MatchString(entry.Name()) && !strings.HasSuffix(file, ".go") &&
				!slices.Contains(m.files, file) {
				m.files = append(m.files, file)
			}
		}
	}
	slices.Sort(m.files)
	return nil
}

func output(dir, target, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "PWD="+dir)
	if system, processor, ok := strings.Cut(target, "/"); ok {
		cmd.Env = append(cmd.Env, "GOOS="+system, "GOARCH="+processor)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return out, nil
}
