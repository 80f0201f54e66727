package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// app writes what the browser app says of its packages, and gives the directory.
func app(t *testing.T, lock, licences string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "web"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{npmLock: lock, npmLicences: licences} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestPackagesOf(t *testing.T) {
	t.Parallel()
	r, err := newReader()
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(mitText)
	if err != nil {
		t.Fatal(err)
	}
	const lock = `{"packages": {"": {"name": "app"}, "node_modules/b": {"version": "2.0.0", "license": "MIT"},
		"node_modules/b/node_modules/@x/a": {"version": "1.0.0", "license": "MIT"},
		"node_modules/@types/b": {"version": "9.0.0", "license": "MIT"},
		"node_modules/builder": {"version": "3.0.0", "dev": true, "license": "(GPL-2.0 OR MIT)"},
		"node_modules/some": {"version": "3.0.0", "optional": true, "license": "0BSD AND MIT"}}}`
	a := `{"name": "@x/a", "version": "1.0.0", "files": [{"name": "LICENSE", "text": ` + string(quoted) + `}]}`
	b := strings.NewReplacer("@x/a", "b", "1.0.0", "2.0.0").Replace(a)
	for name, c := range map[string]struct{ lock, licences, problem string }{
		"good":          {lock, "[" + a + "," + b + "]", ""},
		"one not noted": {lock, "[" + a + "]", "licences.json is not current"},
		"other version": {lock, "[" + a + "," + strings.Replace(b, "2.0.0", "2.0.1", 1) + "]", "licences.json is not current"},
		"no file":       {lock, "[" + a + `, {"name": "b", "version": "2.0.0"}]`, "npm b 2.0.0: no known licence"},
		"not allowed":   {strings.Replace(lock, "GPL-2.0 OR MIT", "GPL-2.0 AND MIT", 1), "[" + a + "," + b + "]", `node_modules/builder 3.0.0: its licence "(GPL-2.0 AND MIT)"`},
		"none named":    {strings.Replace(lock, `"license": "0BSD AND MIT"`, `"x": 1`, 1), "[" + a + "," + b + "]", `node_modules/some 3.0.0: its licence ""`},
		"no JSON":       {lock, "[", "read web/licences.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := packagesOf(app(t, c.lock, c.licences), r)
			if c.problem != "" {
				if err == nil || !strings.Contains(err.Error(), c.problem) {
					t.Errorf("problem %v, want %s", err, c.problem)
				}
				return
			}
			if err != nil || len(got) != 2 || got[0].Path != "npm @x/a" || !got[1].linked || !slices.Equal(got[1].licences, []string{"MIT"}) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	if _, err := packagesOf(t.TempDir(), r); err == nil || !strings.Contains(err.Error(), "run `make web`") {
		t.Errorf("without files: %v", err)
	}
}
