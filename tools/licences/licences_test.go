package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/licenseclassifier/v2/assets"
)

const mitText = `The MIT License

Copyright (c) 2020 Someone

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`

func TestRead(t *testing.T) {
	t.Parallel()
	r, err := newReader()
	if err != nil {
		t.Fatal(err)
	}
	gpl, err := assetText("GPL-3.0")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, text, want, problem string
	}{
		{"allowed", mitText, "MIT", ""},
		{"unknown to the classifier", "MIT No Attribution License\n" + mitText, "MIT-0", ""},
		{"not allowed", gpl, "GPL-3.0", "GPL-3.0 is not on the allow-list"},
		{"one of two not allowed", mitText + "\n\n" + gpl, "GPL-3.0", "GPL-3.0 is not on the allow-list"},
		{"no licence", "Do what you like.", "", "no known licence in [LICENSE]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			m := &module{Path: "example.com/m", Version: "v1.0.0", Dir: dir, files: []string{"LICENSE"}}
			err := r.read(m)
			if test.want != "" && !slices.Contains(m.licences, test.want) {
				t.Errorf("licences = %v, want %s among them", m.licences, test.want)
			}
			if (err == nil) != (test.problem == "") || err != nil && !strings.Contains(err.Error(), test.problem) {
				t.Errorf("problem = %v, want %q", err, test.problem)
			}
		})
	}
}

func TestCopyrightOf(t *testing.T) {
	t.Parallel()
	got := copyrightOf(mitText + "\n   Copyright [yyyy] [name of copyright owner]\n// Copyright 2015 Another\nOriginal work Copyright (c) 2012 First\nCopyright holders may\n")
	if want := []string{"Copyright (c) 2020 Someone", "Copyright 2015 Another", "Original work Copyright (c) 2012 First"}; !slices.Equal(got, want) {
		t.Errorf("copyrightOf = %q, want %q", got, want)
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), noticesFile)
	if err := settle(file, []byte("new"), true); err != nil {
		t.Fatal(err)
	}
	if err := settle(file, []byte("new"), false); err != nil {
		t.Errorf("current file: %v", err)
	}
	if err := settle(file, []byte("newer"), false); err == nil {
		t.Error("a stale file was accepted")
	}
}

func TestNotices(t *testing.T) {
	t.Parallel()
	text := string(notices([]*module{
		{Path: "a", Version: "v1", linked: true, files: []string{"LICENSE"}, texts: []string{"same \n"}, licences: []string{"MIT"}},
		{Path: "b", Version: "v1", linked: true, files: []string{"COPYING"}, texts: []string{"same\r\n"}, licences: []string{"MIT"}},
		{Path: "only-tests", files: []string{"LICENSE"}, texts: []string{"other"}, licences: []string{"MIT"}},
	}))
	if !strings.Contains(text, "## a (LICENSE), b (COPYING)\n\n````\nsame\n````\n") {
		t.Errorf("equal texts do not stand together:\n%s", text)
	}
	if strings.Contains(text, "only-tests") {
		t.Error("a module that is not linked has a notice")
	}
}

func assetText(name string) (string, error) {
	text, err := assets.ReadLicenseFile("License/" + name + "/license.txt")
	return string(text), err
}
