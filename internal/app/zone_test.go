package app

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTheZoneOfTheHostHasItsName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"Asia/Tokyo", "Etc/UTC", "no/zone"} {
		file := filepath.Join(dir, "zoneinfo", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(file, filepath.Join(dir, filepath.Base(name))); err != nil {
			t.Fatal(err)
		}
	}
	unnamed := time.FixedZone("Local", 3600)
	for file, want := range map[string]string{
		"Tokyo": "Asia/Tokyo", "UTC": "UTC", "zone": "Local", "zoneinfo": "Local", "missing": "Local",
	} {
		if got := hostZone(unnamed, filepath.Join(dir, file)).String(); got != want {
			t.Errorf("%s: zone %s, want %s", file, got, want)
		}
	}
	if got := hostZone(time.FixedZone("Europe/Rome", 3600), filepath.Join(dir, "Tokyo")).String(); got != "Europe/Rome" {
		t.Errorf("a zone that has a name is called %s", got)
	}
}
