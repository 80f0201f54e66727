package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// zoneOf gives the zone of a name, and without a name that of the host.
func zoneOf(name string) (*time.Location, error) {
	if name == "" {
		return hostZone(time.Local, hostZoneFile()), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %q: %w", name, err)
	}
	return zone, nil
}

// hostZoneFile is the file that the zone of the host was read from when it was not named.
func hostZoneFile() string {
	if named := strings.TrimPrefix(os.Getenv("TZ"), ":"); named != "" {
		return named
	}
	return "/etc/localtime"
}

// hostZone gives the zone of the host by its name where the place of its file tells it: flows and answers are told the
// name, and "Local" means nothing to whoever reads them.
func hostZone(local *time.Location, file string) *time.Location {
	if local.String() != "Local" {
		return local
	}
	place, err := filepath.EvalSymlinks(file)
	if err != nil {
		return local
	}
	_, name, _ := strings.Cut(place, "/zoneinfo/")
	if name == "UTC" || name == "Etc/UTC" {
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" {
		return local
	}
	return zone
}
