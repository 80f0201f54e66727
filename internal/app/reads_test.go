package app_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stdops/stdops/client"
)

var reads = flag.Int64("reads", 3000, "how many answers TestReads looks at")

// rank says how far a node has come in one attempt, or a task as a whole. What is shown of a node that runs may change
// with what is inside of it, so all of that is one rank.
var rank = map[string]int{
	"CREATED": 0, "READY": 0, "SUSPENDED": 0, "RUNNING": 1, "NODE_SUSPENDED": 1, "FAILED": 2, "FINISHED": 3, "REVOKED": 3,
}

// progress is how far a node was seen to be. It only rises.
type progress struct{ loop, retry, rank int }

func (p progress) before(o progress) bool {
	return p.loop < o.loop || p.loop == o.loop && (p.retry < o.retry || p.retry == o.retry && p.rank < o.rank)
}

// sight is what one answer tells of a task, by node; "" is the task as a whole.
type sight map[string]progress

func sightOf(root nodeStatus) sight {
	s := sight{"": {rank: rank[root.State]}}
	if open := !slices.Contains([]string{"CREATED", "FINISHED", "REVOKED"}, root.State); open {
		s[""] = progress{rank: 1} // paused and gone on as often as one likes
	}
	root.walk(func(n nodeStatus) {
		p := progress{n.Loop, n.Retry, rank[n.State]}
		if len(n.Children) > 0 && n.State != "FINISHED" {
			p.rank = 1 // a subprocess: paused, or shown like what is inside
		}
		s[n.ID] = p
	})
	return s
}

// watchers share what anybody was told of each task so far.
type watchers struct {
	t     *testing.T
	mu    sync.Mutex
	told  map[int64]sight
	wrong []string
	seen  atomic.Int64
}

func (w *watchers) complain(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// before copies what was told of tasks before a request is sent.
func (w *watchers) before(ids []int64) map[int64]sight {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := make(map[int64]sight, len(ids))
	for _, id := range ids {
		s := make(sight, len(w.told[id]))
		for n, p := range w.told[id] {
			s[n] = p
		}
		told[id] = s
	}
	return told
}

// look holds an answer against what was told before it was asked for, and shares it.
func (w *watchers) look(how string, id int64, before sight, root nodeStatus, children bool) {
	w.seen.Add(1)
	now := sightOf(root)
	for n, was := range before {
		is, there := now[n]
		switch {
		case !there && (children || n == ""):
			w.complain("%s: node %s of task %d is gone", how, n, id)
		case there && is.before(was):
			w.complain("%s: node %q of task %d was at %+v and is at %+v", how, n, id, was, is)
		}
	}
	if children {
		w.agree(how, id, root)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told[id] == nil {
		w.told[id] = make(sight)
	}
	for n, p := range now {
		if old, there := w.told[id][n]; !there || old.before(p) {
			w.told[id][n] = p
		}
	}
}

// agree holds what is shown of a task, or of a subprocess, against what is shown inside (docs/spec/api.md 1.10).
func (w *watchers) agree(how string, id int64, n nodeStatus) {
	failed, paused := false, false
	for _, child := range n.Children {
		failed = failed || child.State == "FAILED"
		paused = paused || child.State == "SUSPENDED" || child.State == "NODE_SUSPENDED"
		w.agree(how, id, child)
	}
	want := "RUNNING"
	switch {
	case n.State == "FINISHED" && failed, n.State == "CREATED" && len(n.Children) > 0:
		w.complain("%s: %q of task %d is %s, inside are %d nodes, failed: %t", how, n.Name, id, n.State, len(n.Children), failed)
		return
	case len(n.Children) == 0 || rank[n.State] != 1 && n.State != "FAILED":
		return // as recorded
	case failed:
		want = "FAILED"
	case paused:
		want = "NODE_SUSPENDED"
	}
	if n.State != want {
		w.complain("%s: %q of task %d is %s, from what is inside it should be %s", how, n.Name, id, n.State, want)
	}
}

// reader asks for tasks in one of the ways that there are.
type reader struct {
	*caller
	natives []*client.Client
}

// ways are the ways to ask, with whether they tell of the nodes.
var ways = []struct {
	name     string
	children bool
	ask      func(r *reader, ids []int64) (map[int64]nodeStatus, error)
}{
	{"batch", false, func(r *reader, ids []int64) (map[int64]nodeStatus, error) { return r.batch(ids, false) }},
	{"batch with children", true, func(r *reader, ids []int64) (map[int64]nodeStatus, error) { return r.batch(ids, true) }},
	{"single", true, (*reader).singles},
	{"native", false, func(r *reader, ids []int64) (map[int64]nodeStatus, error) { return r.statuses(ids, false) }},
	{"native with nodes", true, func(r *reader, ids []int64) (map[int64]nodeStatus, error) { return r.statuses(ids, true) }},
}

func (r *reader) batch(ids []int64, children bool) (map[int64]nodeStatus, error) {
	got, ok := r.call("/apigw/get_tasks_status/2/", map[string]any{"task_id_list": ids, "include_children_status": children})
	var entries []struct {
		ID     int64      `json:"id"`
		Status nodeStatus `json:"status"`
	}
	if err := json.Unmarshal(got.Data, &entries); !ok || err != nil || len(entries) != len(ids) {
		return nil, fmt.Errorf("%d of %d tasks: %+v", len(entries), len(ids), got)
	}
	found := make(map[int64]nodeStatus)
	for _, e := range entries {
		found[e.ID] = e.Status
	}
	return found, nil
}

func (r *reader) singles(ids []int64) (map[int64]nodeStatus, error) {
	found := make(map[int64]nodeStatus)
	got, ok := r.get(fmt.Sprintf("/apigw/get_task_status/%d/2/", ids[0]))
	var root nodeStatus
	if err := json.Unmarshal(got.Data, &root); !ok || err != nil || !got.Result {
		return nil, fmt.Errorf("%+v", got)
	}
	found[ids[0]] = root
	return found, nil
}

func (r *reader) statuses(ids []int64, nodes bool) (map[int64]nodeStatus, error) {
	got, err := r.natives[rand.IntN(len(r.natives))].Statuses(r.t.Context(), 1, client.StatusRequest{IDs: ids, Nodes: nodes})
	if err != nil || len(got.Tasks) != len(ids) {
		return nil, fmt.Errorf("native: %+v, %w", got, err)
	}
	found := make(map[int64]nodeStatus)
	for i := range got.Tasks {
		found[got.Tasks[i].ID] = nodeStatus{State: got.Tasks[i].State, Children: childrenOf(got.Tasks[i].Nodes)}
	}
	return found, nil
}

// childrenOf makes the form of the compatible API of what the native API tells.
func childrenOf(list []client.Node) map[string]nodeStatus {
	children := make(map[string]nodeStatus)
	for i := range list {
		n := &list[i]
		children[n.ID] = nodeStatus{
			ID: n.ID, Name: n.Name, State: n.State, Version: n.Version, Loop: int(n.Loop), Retry: int(n.Retry), Skip: n.Skipped,
			Children: childrenOf(n.Nodes),
		}
	}
	return children
}

// TestReads lets writers drive tasks of all shapes, each its own, while twenty readers ask in all ways. Every writer sees
// what it was told was done in the next answer, whichever way it asks; nothing ever goes back for anybody; and what is
// shown of a task agrees with what is shown inside.
func TestReads(t *testing.T) {
	t.Parallel()
	testReads(t, newCaller(t))
}

// testReads reads and writes by way of one server or many.
func testReads(t *testing.T, servers ...*caller) {
	t.Helper()
	w := &watchers{t: t, told: make(map[int64]sight)}
	var readers, writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			for j := 0; j < len(shapes)/4 || w.seen.Load() < *reads; j++ {
				w.play(newReader(servers...), &shapes[(i*len(shapes)/4+j)%len(shapes)])
			}
		})
	}
	stop := make(chan struct{})
	for range 20 {
		readers.Go(func() {
			for r := newReader(servers...); ; {
				select {
				case <-stop:
					return
				default:
					w.readSome(r)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	for _, text := range w.wrong {
		t.Error(text)
	}
	t.Logf("%d answers about %d tasks", w.seen.Load(), len(w.told))
}

// newReader makes one that asks any of some servers, each time another.
func newReader(servers ...*caller) *reader {
	r := &reader{}
	for _, c := range servers {
		native, err := client.New(client.Options{Socket: c.socket})
		if err != nil {
			panic(err)
		}
		c.t.Cleanup(native.Close)
		r.natives = append(r.natives, native)
	}
	r.caller = &caller{t: servers[0].t, route: func() *caller { return servers[rand.IntN(len(servers))] }}
	return r
}

// readSome asks for up to twenty tasks.
func (w *watchers) readSome(r *reader) {
	var ids []int64
	w.mu.Lock()
	for id := range w.told { // the order of a map is random
		if ids = append(ids, id); len(ids) == 20 {
			break
		}
	}
	w.mu.Unlock()
	if len(ids) == 0 {
		time.Sleep(time.Millisecond)
		return
	}
	w.read(r, ids)
}

// read asks in a way drawn at random.
func (w *watchers) read(r *reader, ids []int64) map[int64]nodeStatus {
	way := ways[rand.IntN(len(ways))]
	before := w.before(ids)
	found, err := way.ask(r, ids)
	if err != nil {
		w.complain("%s: %v", way.name, err)
	}
	for id, root := range found {
		w.look(way.name, id, before[id], root, way.children)
	}
	return found
}

// writer drives one task.
type writer struct {
	*watchers
	*reader
	id   int64
	told map[string]bool // what was said to which version
}

// play brings a task of a shape to its end, or revokes it.
func (w *watchers) play(r *reader, sh *shape) {
	got, ok := r.call("/apigw/fast_create_task/2/", map[string]any{"name": sh.name, "pipeline_tree": sh.flow.tree()})
	var data struct {
		TaskID int64 `json:"task_id"`
	}
	if err := json.Unmarshal(got.Data, &data); !ok || err != nil || !got.Result {
		w.complain("create: %+v", got)
		return
	}
	p := &writer{w, r, data.TaskID, make(map[string]bool)}
	p.expect("created", func(root nodeStatus) bool { return root.State == "CREATED" })
	p.tell(fmt.Sprintf("/apigw/start_task/%d/2/", p.id), map[string]any{})
	p.expect("started", func(root nodeStatus) bool { return root.State != "CREATED" })
	last := rand.IntN(30)
	for turn := 0; ; turn++ {
		before := p.before([]int64{p.id})
		found, err := p.batch([]int64{p.id}, true)
		if err != nil {
			w.complain("%v", err)
			return
		}
		root := found[p.id]
		w.look("writer", p.id, before[p.id], root, true)
		switch {
		case root.State == "FINISHED":
			return
		case turn == last && p.operate("revoke"):
			p.expect("revoked", func(root nodeStatus) bool { return root.State == "REVOKED" })
			return
		case turn%3 == 0 && p.operate("pause"):
			p.expect("paused", func(root nodeStatus) bool { return root.State == "SUSPENDED" })
			if got, ok := p.call(fmt.Sprintf("/apigw/operate_task/%d/2/", p.id), map[string]any{"action": "resume"}); !ok || !got.Result {
				p.complain("task %d was paused, and is not resumed: %d %s", p.id, got.Code, got.Message)
				return
			}
			p.expect("resumed", func(root nodeStatus) bool { return root.State != "SUSPENDED" })
		}
		root.walk(p.serve)
	}
}

// operate sends a command of the task; false when it was refused, because the task may have ended meanwhile.
func (p *writer) operate(action string) bool {
	return p.tell(fmt.Sprintf("/apigw/operate_task/%d/2/", p.id), map[string]any{"action": action})
}

func (p *writer) tell(path string, body any) bool {
	got, ok := p.call(path, body)
	if !ok {
		p.complain("%s: no answer", path)
	}
	return ok && got.Result
}

// serve does what a node waits for, and looks whether it is seen at once.
func (p *writer) serve(n nodeStatus) {
	action, inputs := "", map[string]any(nil)
	switch {
	case len(n.Children) > 0:
	case n.Name == "called" && n.State == "RUNNING":
		for i := range manyCallbacks {
			p.tell(fmt.Sprintf("/apigw/node_callback/%d/2/", p.id),
				map[string]any{"node_id": n.ID, "callback_data": map[string]any{"said": fmt.Sprint(i + 1)}, "version": n.Version})
		}
	case n.Name == "forced" && n.State == "RUNNING":
		action = "forced_fail"
	case n.State != "FAILED", n.Name == "tried" && n.Retry == 0:
	case n.Name == "skipped", n.Name == "forced", n.Name == "tried":
		action = "skip"
	default:
		action, inputs = "retry", map[string]any{"bit": "1"}
	}
	if action == "" || !p.tell(fmt.Sprintf("/apigw/operate_node/2/%d/", p.id), map[string]any{"node_id": n.ID, "action": action, "inputs": inputs}) {
		return
	}
	p.expect(action+" of "+n.Name, func(root nodeStatus) bool {
		if len(root.Children) == 0 {
			return true // this way tells nothing of nodes
		}
		good := false
		root.walk(func(now nodeStatus) {
			good = good || now.ID == n.ID && now.Version != n.Version && (action != "retry" || now.Retry == n.Retry+1) && (action != "skip" || now.Skip)
		})
		return good
	})
}

// expect looks at the task in some way and wants to see what was acknowledged.
func (p *writer) expect(what string, good func(nodeStatus) bool) {
	if root, there := p.read(p.reader, []int64{p.id})[p.id]; !there || !good(root) {
		p.complain("task %d was %s, and is shown as %+v", p.id, what, root)
	}
}

// TestReadsControl gives old answers again, and answers whose parts do not agree: each has to be found.
func TestReadsControl(t *testing.T) {
	t.Parallel()
	child := func(state string, loop, retry int) map[string]nodeStatus {
		return map[string]nodeStatus{"n1": {ID: "n1", State: state, Loop: loop, Retry: retry}}
	}
	for name, answers := range map[string][]nodeStatus{
		"a started task is CREATED again":    {{State: "RUNNING"}, {State: "CREATED"}},
		"a revoked task runs again":          {{State: "REVOKED"}, {State: "RUNNING"}},
		"a finished node runs again":         {{State: "RUNNING", Children: child("FINISHED", 1, 0)}, {State: "RUNNING", Children: child("RUNNING", 1, 0)}},
		"a retry is taken back":              {{State: "RUNNING", Children: child("RUNNING", 1, 1)}, {State: "FAILED", Children: child("FAILED", 1, 0)}},
		"a loop is taken back":               {{State: "RUNNING", Children: child("RUNNING", 2, 0)}, {State: "RUNNING", Children: child("FINISHED", 1, 0)}},
		"a node is gone":                     {{State: "RUNNING", Children: child("RUNNING", 1, 0)}, {State: "RUNNING"}},
		"a failure does not show":            {{State: "RUNNING", Children: child("FAILED", 1, 0)}},
		"a failure shows that is not there":  {{State: "FAILED", Children: child("RUNNING", 1, 0)}},
		"a pause does not show":              {{State: "RUNNING", Children: child("SUSPENDED", 1, 0)}},
		"a task has not begun, its node has": {{State: "CREATED", Children: child("RUNNING", 1, 0)}},
	} {
		w := &watchers{t: t, told: make(map[int64]sight)}
		for _, root := range answers {
			w.look("control", 1, w.before([]int64{1})[1], root, true)
		}
		if len(w.wrong) != 1 {
			t.Errorf("%s: found %q", name, w.wrong)
		}
	}
}
