package app_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// oracle knows what the server has acknowledged. Every acknowledgement is written to a file and synced, so that it
// outlives the test as well.
type oracle struct {
	t       *testing.T
	file    *os.File // nil: only this process knows
	cut     bool     // servers lose their leases: one may repeat what it has begun itself
	stalls  bool     // a server may sleep between the commit of a call and the call
	calm    int64    // nanoseconds since 1970: from then on nothing happened to any server; 0: nobody knows
	control bool     // a mistake was put in: what is wrong is counted and is no failure of the test

	mu    sync.Mutex
	tasks map[int64]*fate
	acks  int
	kinds map[string]int // of acknowledgements: how many of each
	out   int            // so many tasks are being created
	maybe int            // so many were perhaps created
	found []string       // what is wrong
	lost  int            // commands of which the record holds fewer than were acknowledged

	traces map[stdops.TaskID][]trace // of effects, read once the server is down
}

// fate is what is known of one task.
type fate struct {
	shape *shape
	said  map[string]said   // by command
	shown map[string]string // "node version" → the last state shown
	gone  map[string]string // "node version" → the command after which the node has this version no more
	done  map[string]int64  // "node version" → when it was first shown FINISHED, in nanoseconds since 1970
	ended string            // the state in which the task was shown to have ended
	loops map[string]int    // by name of node, at the end
	names map[string]string // by node
}

// said counts how often a command was acknowledged, and how often nobody knows what became of it.
type said struct {
	yes, unknown int
	out          int // so many are on their way
}

func newOracle(t *testing.T) *oracle {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "oracle"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return &oracle{t: t, file: file, tasks: make(map[int64]*fate), kinds: make(map[string]int)}
}

// wrong takes down that the server broke a promise.
func (o *oracle) wrong(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wrongHere(format, args...)
}

// wrongHere is wrong for those who hold the lock.
func (o *oracle) wrongHere(format string, args ...any) {
	o.found = append(o.found, fmt.Sprintf(format, args...))
	if !o.control {
		o.t.Errorf(format, args...)
	}
}

// sound reports that nothing was found to be wrong so far.
func (o *oracle) sound() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.found) == 0 && !o.t.Failed()
}

// note takes down one acknowledgement.
func (o *oracle) note(id int64, what string) {
	if o.file != nil {
		_, err := fmt.Fprintf(o.file, "%d %s\n", id, what)
		if err := errors.Join(err, o.file.Sync()); err != nil {
			o.t.Error(err)
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	kind, _, _ := strings.Cut(what, " ")
	o.acks++
	o.kinds[kind]++
}

func (o *oracle) created(id int64, sh *shape, started bool) {
	o.note(id, "create")
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tasks[id] != nil {
		o.wrongHere("two tasks got the id %d", id)
	}
	f := &fate{shape: sh, said: make(map[string]said), shown: make(map[string]string), gone: make(map[string]string), done: make(map[string]int64), names: make(map[string]string)}
	if started {
		f.said["start"] = said{yes: 1}
	}
	o.tasks[id] = f
}

// creates takes down that so many more, or fewer, tasks are being created.
func (o *oracle) creates(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.out += n
}

// createdPerhaps takes down that nobody knows whether a task was created.
func (o *oracle) createdPerhaps() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.maybe++
}

// asks marks a command as being on its way and gives what was known of it before.
func (o *oracle) asks(id int64, command string) said {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.tasks[id].said[command]
	now := before
	now.out++
	o.tasks[id].said[command] = now
	return before
}

// answered takes down what became of a command.
func (o *oracle) answered(id int64, command string, result, known bool) {
	if known && result {
		o.note(id, command)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.tasks[id].said[command]
	now.out--
	switch {
	case !known:
		now.unknown++
	case result:
		now.yes++
	}
	o.tasks[id].said[command] = now
}

// known copies what is known of tasks at this moment: other clients go on meanwhile.
func (o *oracle) known(ids []int64) map[int64]fate {
	o.mu.Lock()
	defer o.mu.Unlock()
	copies := make(map[int64]fate, len(ids))
	for _, id := range ids {
		f := *o.tasks[id]
		f.said, f.shown, f.gone = maps.Clone(f.said), maps.Clone(f.shown), maps.Clone(f.gone)
		copies[id] = f
	}
	return copies
}

// compare holds what is shown against what was known before it was asked for, and takes it down.
func (o *oracle) compare(id int64, before fate, root nodeStatus) {
	if before.said["start"].yes > 0 && root.State == "CREATED" {
		o.wrong("task %d was started, and is CREATED now", id)
	}
	if before.ended != "" && root.State != before.ended {
		o.wrong("task %d was %s, and is %s now", id, before.ended, root.State)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.tasks[id]
	if root.State == "FINISHED" || root.State == "REVOKED" {
		now.ended, now.loops = root.State, make(map[string]int)
	}
	root.walk(func(n nodeStatus) {
		key := n.ID + " " + n.Version
		now.names[n.ID] = n.Name
		if before.shown[key] == "FINISHED" && n.State != "FINISHED" {
			o.wrongHere("node %s (%s) of task %d was FINISHED in version %s, and is %s now", n.ID, n.Name, id, n.Version, n.State)
		}
		if command := before.gone[key]; command != "" {
			o.wrongHere("node %s (%s) of task %d is %s in version %s, though %s was acknowledged for it", n.ID, n.Name, id, n.State, n.Version, command)
		}
		if now.shown[key] != "FINISHED" {
			now.shown[key] = n.State
			if n.State == "FINISHED" {
				now.done[key] = time.Now().UnixNano()
			}
		}
		if root.State == "FINISHED" || root.State == "REVOKED" { // an answer that came late may be of a moment before
			now.loops[n.Name] = n.Loop
		}
	})
}

// unfinished lists the tasks that were not seen to have ended.
func (o *oracle) unfinished() (open []int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, f := range o.tasks {
		if f.ended == "" {
			open = append(open, id)
		}
	}
	return open
}

// pick gives up to n tasks at random.
func (o *oracle) pick(n int) (ids []int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id := range o.tasks { // the order of a map is random
		if len(ids) == n {
			break
		}
		ids = append(ids, id)
	}
	return ids
}

// checkRecord holds the record of a stopped server against what was acknowledged and shown: of each command as many as were
// acknowledged, and no more than were asked for.
func (o *oracle) checkRecord(dir string) (transitions int) {
	o.t.Helper()
	return o.checkStored(store.Options{Dir: dir}, dir)
}

// checkStored is checkRecord for a record that is anywhere; dir holds the traces of effects.
func (o *oracle) checkStored(where store.Options, dir string) (transitions int) {
	o.t.Helper()
	where.DecodeSkeleton = flow.DecodeSkeleton
	st, err := store.Open(o.t.Context(), where)
	if err != nil {
		o.wrong("the store does not open: %v", err)
		return 0
	}
	defer st.Close()
	o.traces = readEffects(o.t, dir)
	most := len(o.tasks) + o.out + o.maybe
	stored, err := st.Statuses(o.t.Context(), 1, store.StatusQuery{Newest: most + 1})
	if err != nil {
		o.t.Fatal(err)
	}
	if n := len(stored.Tasks); n < len(o.tasks) || n > most {
		o.wrong("%d tasks were created (and perhaps %d more), there are %d", len(o.tasks), o.out+o.maybe, n)
	}
	for id, f := range o.tasks {
		ref := stdops.TaskRef{Project: 1, Task: stdops.TaskID(id)}
		log, err := st.Transitions(o.t.Context(), ref, 0, 1_000_000)
		if err != nil {
			o.wrong("the log of task %d cannot be read: %v", id, err)
		}
		found := make(map[string]int)
		for _, tr := range log {
			if command := commandOf(ref.Task, tr.Transition); command != "" {
				found[command]++
			}
		}
		o.checkCommands(id, f, found)
		transitions += len(log)
		o.checkLoops(id, f)
		o.checkNodes(st, ref, found)
	}
	return transitions
}

// checkCommands holds the commands that are found in the log of a task against those that were sent.
func (o *oracle) checkCommands(id int64, f *fate, found map[string]int) {
	sent := make(map[string]said)
	for command, s := range f.said {
		sum := sent[loggedAs(command)]
		sent[loggedAs(command)] = said{yes: sum.yes + s.yes, unknown: sum.unknown + s.unknown, out: sum.out + s.out}
	}
	for command := range found {
		if _, asked := sent[command]; !asked {
			o.wrong("task %d: nobody asked for %s, which is in the record", id, command)
		}
	}
	for command, s := range sent {
		perhaps := s.unknown + s.out
		n := found[command]
		if n < s.yes {
			o.lost++
		}
		if n < s.yes || n > s.yes+perhaps {
			o.wrong("task %d: %s was acknowledged %d times (and %d times nobody knows), in the record it is %d times", id, command, s.yes, perhaps, n)
		}
	}
}

// loggedAs gives the name that the log has for a command: a callback is only known by its node there.
func loggedAs(command string) string {
	if words := strings.Fields(command); words[0] == "callback" {
		return words[0] + " " + words[2]
	}
	return command
}

// checkNodes holds what is stored of the nodes of a task against what was shown of them, and against what has happened.
func (o *oracle) checkNodes(st *store.Store, ref stdops.TaskRef, commands map[string]int) {
	snap, err := st.Load(o.t.Context(), ref)
	if err != nil {
		o.wrong("task %d cannot be read: %v", ref.Task, err)
		return
	}
	kept := make(map[string]stdops.State) // "node version" → its state, or the one in which the attempt ended
	for i := range snap.Nodes {
		kept[attemptKey(ref.Task, snap.Nodes[i].Node, snap.Nodes[i].Version)] = snap.Nodes[i].State
	}
	for n := range o.earlier(ref.Task, kept) {
		attempts, err := st.Attempts(o.t.Context(), ref, n)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, a := range attempts {
			kept[attemptKey(ref.Task, n, a.State.Version)] = a.State.State
		}
	}
	o.checkShown(int64(ref.Task), kept, commands)
	o.checkTraces(snap, kept, commands)
}

// earlier gives the nodes of a task of which an attempt that is not the present one was shown or has done something.
func (o *oracle) earlier(task stdops.TaskID, present map[string]stdops.State) map[stdops.NodeIndex]bool {
	nodes := make(map[stdops.NodeIndex]bool)
	for key := range o.tasks[int64(task)].shown {
		if _, is := present[key]; !is {
			id, _, _ := strings.Cut(key, " ")
			_, n, _ := stdops.ParseNodeID(id)
			nodes[n] = true
		}
	}
	for _, tr := range o.traces[task] {
		if _, is := present[attemptKey(task, tr.node, tr.version)]; !is {
			nodes[tr.node] = true
		}
	}
	return nodes
}

func attemptKey(task stdops.TaskID, node stdops.NodeIndex, version stdops.Version) string {
	return stdops.NodeID(task, node) + " " + string(version)
}

// checkShown makes sure that each attempt of a node that was ever shown is there, unless a forced failure gave it another
// version, and that none has gone back: not from its end, and not from a failure either. Of a subprocess what is inside is
// shown.
func (o *oracle) checkShown(id int64, kept map[string]stdops.State, commands map[string]int) {
	f := o.tasks[id]
	for key, shown := range f.shown {
		node, _, _ := strings.Cut(key, " ")
		state, there := kept[key]
		switch {
		case !there && commands["forced_fail "+node] == 0:
			o.wrong("task %d (%s): node %s (%s) was shown as %s, but the record knows no such attempt", id, f.shape.name, key, f.names[node], shown)
		case !there, f.names[node] == "inner", f.names[node] == "outer":
		case shown == "FINISHED" && state != stdops.StateFinished, shown == "FAILED" && state != stdops.StateFailed:
			o.wrong("task %d (%s): node %s (%s) was shown as %s, and is %s in the record", id, f.shape.name, key, f.names[node], shown, state)
		}
	}
}

// commandOf names the command that made a transition, "" when none did.
func commandOf(task stdops.TaskID, tr stdops.Transition) string {
	type change struct{ from, to stdops.State }
	root := map[change]string{
		{stdops.StateCreated, stdops.StateRunning}: "start", {stdops.StateRunning, stdops.StateSuspended}: "pause",
		{stdops.StateSuspended, stdops.StateRunning}: "resume",
		{stdops.StateRunning, stdops.StateRevoked}:   "revoke", {stdops.StateSuspended, stdops.StateRevoked}: "revoke",
	}
	node := map[change]string{
		{stdops.StateFailed, stdops.StateReady}: "retry", {stdops.StateFailed, stdops.StateFinished}: "skip",
		{stdops.StateRunning, stdops.StateFailed}: "forced_fail", {stdops.StateRunning, stdops.StateRunning}: "callback",
	}
	switch {
	case tr.Actor != person:
		return ""
	case tr.From == stdops.StateFailed && !tr.Moved(): // the new inputs of a retry, which stands beside them
		return ""
	case tr.Node == stdops.RootNode:
		return root[change{tr.From, tr.To}]
	default:
		return node[change{tr.From, tr.To}] + " " + stdops.NodeID(task, tr.Node)
	}
}

// checkLoops holds a finished task against its flow: each node was entered as often as it says.
func (o *oracle) checkLoops(id int64, f *fate) {
	if f.ended != "FINISHED" {
		return
	}
	for _, name := range names(f.shape.flow.tree()) {
		want, given := f.shape.loops[name]
		if !given {
			want = 1
		}
		if f.loops[name] != want {
			o.wrong("task %d (%s): node %s was entered %d times, not %d", id, f.shape.name, name, f.loops[name], want)
		}
	}
}
