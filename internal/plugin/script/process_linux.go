package script

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// process is a line of the table of processes.
type process struct {
	pid, parent, group int
	threads            int
	zombie             bool
}

// ownerOf gives the user that a file belongs to.
func ownerOf(info os.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

// tasksOf counts the processes and threads of a user.
func tasksOf(uid uint32) (int, error) {
	all, err := processes()
	count := 0
	for _, p := range all {
		var info syscall.Stat_t
		if err := syscall.Stat("/proc/"+strconv.Itoa(p.pid), &info); err == nil && info.Uid == uid {
			count += p.threads
		}
	}
	return count, err
}

// processes reads the table of processes.
func processes() ([]process, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	all := make([]process, 0, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it has gone meanwhile
		}
		if p, ok := parseStat(pid, string(text)); ok {
			all = append(all, p)
		}
	}
	return all, nil
}

// parseStat reads a line of /proc/PID/stat: number, name in brackets (in which anything may stand), state, parent, group and more.
func parseStat(pid int, line string) (p process, ok bool) {
	_, rest, ok := strings.Cut(line[max(strings.LastIndexByte(line, ')'), 0):], ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 18 {
		return p, false
	}
	numbers := make([]int, 3)
	for i, at := range []int{1, 2, 17} { // of the fields behind the name
		n, err := strconv.Atoi(fields[at])
		if err != nil {
			return p, false
		}
		numbers[i] = n
	}
	return process{pid: pid, zombie: fields[0] == "Z", parent: numbers[0], group: numbers[1], threads: numbers[2]}, true
}

// stopRounds is how often at most processes are stopped before they are killed.
const stopRounds = 200

// endBelow kills what descends from a process, at whatever depth. All of it is stopped before, until a look finds nothing
// new: what is stopped forks no more and keeps its place below the limit of processes, which a storm of forks would fill
// faster than one can kill.
func endBelow(pid int) {
	stopped := make(map[int]bool)
	for range stopRounds {
		all, err := processes()
		if err != nil {
			return // the next time
		}
		below := descendants(all, pid)
		fresh := slices.DeleteFunc(slices.Clone(below), func(p process) bool { return stopped[p.pid] })
		if len(fresh) == 0 {
			send(syscall.SIGKILL, below)
			return
		}
		send(syscall.SIGSTOP, fresh)
		for _, p := range fresh {
			stopped[p.pid] = true
		}
	}
}

// send signals processes and the groups that they are in. Those groups were all made by the script, since nothing of it is in
// the session of this process. No stranger is hit: the number of a process that ended a moment ago is the last to be given
// again.
func send(what syscall.Signal, to []process) {
	told := map[int]bool{0: true, 1: true, syscall.Getpgrp(): true}
	for _, p := range to {
		if !told[p.group] {
			_ = syscall.Kill(-p.group, what)
			told[p.group] = true
		}
		_ = syscall.Kill(p.pid, what)
	}
}

// descendants gives the processes that descend from one.
func descendants(all []process, of int) []process {
	children := make(map[int][]process)
	for _, p := range all {
		children[p.parent] = append(children[p.parent], p)
	}
	below := slices.Clone(children[of])
	for i := 0; i < len(below); i++ {
		below = append(below, children[below[i].pid]...)
	}
	return below
}
