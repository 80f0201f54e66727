package script

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// newGroup names a control group (v2) for a script: one below that of this process. "" means that there is none to divide.
// Whether it may be made shows when the guard tries.
func newGroup(name string) string {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	mount, own := mountOfGroups(string(mounts)), groupOf(string(groups))
	if mount == "" || own == "" {
		return ""
	}
	return filepath.Join(mount, own, name)
}

// mountOfGroups finds where all of the control groups that a process can see are mounted.
func mountOfGroups(mountinfo string) string {
	for line := range strings.Lines(mountinfo) {
		mount, kind, ok := strings.Cut(line, " - ")
		if fields := strings.Fields(mount); ok && strings.HasPrefix(kind, "cgroup2 ") && len(fields) > 4 && fields[3] == "/" {
			return fields[4]
		}
	}
	return ""
}

// groupOf finds the control group of a process, unless it is one that the process cannot see.
func groupOf(cgroup string) string {
	for line := range strings.Lines(cgroup) {
		if path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok && !strings.HasPrefix(path, "/..") {
			return path
		}
	}
	return ""
}

// makeGroup makes the control group of a script and opens it. Where that cannot be had, or the kernel (before 5.14) could not
// end it, it gives nil and the job has none.
func (j *job) makeGroup() *os.File {
	if j.Group == "" {
		return nil
	}
	if err := os.Mkdir(j.Group, 0o755); err != nil {
		j.Group = ""
		return nil
	}
	group, err := os.Open(j.Group)
	if err == nil {
		_, err = os.Stat(j.killFile())
	}
	if err != nil {
		_ = group.Close()
		_ = syscall.Rmdir(j.Group)
		j.Group = ""
		return nil
	}
	return group
}

func (j *job) killFile() string { return filepath.Join(j.Group, "cgroup.kill") }

// killGroup ends all processes of the control group at once, those too that begin meanwhile.
func (j *job) killGroup() {
	file, err := os.OpenFile(j.killFile(), os.O_WRONLY, 0)
	if err != nil {
		return // there is no group
	}
	_, _ = file.WriteString("1")
	_ = file.Close()
}

// removeGroup ends the control group of a script whose guard has gone, and waits until nothing of it is left.
func (j *job) removeGroup() {
	if j.Group == "" {
		return
	}
	for deadline := time.Now().Add(endTime); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		j.killGroup()
		if err := syscall.Rmdir(j.Group); err == nil || errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
}
