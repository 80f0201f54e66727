package script

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"strings"
)

// As says which user scripts run as.
type As struct {
	Name string
	Home string
	// Same says that it is the user of the server: scripts can then read whatever the server can.
	Same     bool
	uid, gid uint32
}

// sameUser and userPrefix are the two forms of the setting.
const (
	sameUser   = "same-user"
	userPrefix = "user:"
)

// ParseAs reads the setting local-scripts: same-user, or user:NAME, which only root may choose.
func ParseAs(text string) (*As, error) {
	if runtime.GOOS != "linux" {
		return nil, errors.New("local scripts run on Linux only")
	}
	name, named := strings.CutPrefix(text, userPrefix)
	switch {
	case text == sameUser:
		return own(), nil
	case !named || name == "":
		return nil, fmt.Errorf("%q is neither same-user nor user:NAME", text)
	case os.Geteuid() != 0:
		return nil, errors.New("user:NAME needs a server that runs as root; use same-user to run scripts as the user of the server")
	}
	found, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("there is no user %q", name)
	}
	as, err := of(found)
	if err == nil && as.uid == 0 {
		return nil, fmt.Errorf("user %q is root: name a user who may do less", name)
	}
	return as, err
}

func own() *As {
	as := &As{Name: strconv.Itoa(os.Geteuid()), Home: "/", uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
	if found, err := user.LookupId(as.Name); err == nil { // a container may have users without a name
		as.Name, as.Home = found.Username, found.HomeDir
	}
	as.Same = true
	return as
}

func of(u *user.User) (*As, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s has no number", u.Username)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s has no group", u.Username)
	}
	return &As{Name: u.Username, Home: u.HomeDir, uid: uint32(uid), gid: uint32(gid)}, nil
}

// Root reports whether scripts may do everything on the host.
func (a *As) Root() bool { return a.uid == 0 }

// Owns reports whether a file or directory belongs to the user: what its mode says does not keep scripts from it.
func (a *As) Owns(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	return ownerOf(info) == a.uid, nil
}
