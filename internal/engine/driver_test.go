package engine_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/store"
)

// rig is an engine on a real store; it can be stopped and started again as often as a test likes.
type rig struct {
	t      *testing.T
	dir    string
	graph  *flow.Graph
	plugin *scripted
	live   int // tasks that may be in memory; 0: any number

	store  *store.Store
	engine *engine.Engine

	broken   atomic.Bool   // commits fail
	full     atomic.Bool   // commits find no room
	refused  atomic.Int32  // commits that found no room
	unheard  atomic.Int32  // so many commits are stored, and nobody learns of it
	commits  chan struct{} // holds a token when something was committed
	onCommit atomic.Pointer[func([]stdops.Change)]
	lost     chan stdops.TaskID // of each change that could not be stored
	gone     atomic.Bool        // the tree of every task is
	begun    chan begun         // first calls, as many as there is room for
	log      *slog.Logger
}

// begun is what the engine tells of a first call.
type begun struct {
	class  plugin.Class
	waited time.Duration
}

func newRig(t *testing.T, graph *flow.Graph, p *scripted) *rig {
	t.Helper()
	return newSmallRig(t, 0, graph, p)
}

func newSmallRig(t *testing.T, live int, graph *flow.Graph, p *scripted) *rig {
	t.Helper()
	r := &rig{
		t: t, dir: t.TempDir(), graph: graph, plugin: p, live: live, commits: make(chan struct{}, 1),
		lost: make(chan stdops.TaskID, 1000), begun: make(chan begun, 10), log: slog.New(slog.DiscardHandler),
	}
	r.open()
	t.Cleanup(func() { r.close(t.Context()) })
	return r
}

func (r *rig) open() {
	r.t.Helper()
	st, err := store.Open(r.t.Context(), store.Options{Dir: r.dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
	registry, err := plugin.NewRegistry(r.plugin)
	if err != nil {
		r.t.Fatal(err)
	}
	r.store = st
	limits := stdops.DefaultLimits()
	limits.LiveTasks = cmp.Or(int64(r.live), limits.LiveTasks)
	r.engine = engine.New(engine.Options{
		Commits: r, Tasks: st, Surroundings: r, Plugins: registry, Logs: st, Wakes: queue.NewLocal(st.Now), Now: st.Now, Epoch: st.Epoch(),
		Limits: &limits, Log: r.log,
		Began: func(class plugin.Class, waited time.Duration) {
			select {
			case r.begun <- begun{class, waited}:
			default:
			}
		},
	})
	if p := r.plugin; p.pool > 0 {
		r.engine.SetPool(p.class, p.pool)
	}
	if err := r.engine.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// close stops the engine; calls that are out get until ctx is done.
func (r *rig) close(ctx context.Context) {
	r.t.Helper()
	if r.store == nil {
		return
	}
	if err := r.engine.Stop(ctx); err != nil {
		r.t.Error(err)
	}
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
	r.store = nil
}

// Commit hands the changes to the store.
func (r *rig) Commit(ctx context.Context, changes []stdops.Change) ([]stdops.Verdict, error) {
	if r.broken.Load() {
		for i := range changes {
			r.lost <- changes[i].Task
		}
		return nil, errors.New("the disk is gone")
	}
	if r.full.Load() {
		r.refused.Add(1)
		return nil, stdops.Errorf(stdops.CodeDiskFull, "the disk is full")
	}
	if do := r.onCommit.Swap(nil); do != nil {
		(*do)(changes)
	}
	verdicts, err := r.store.Commit(ctx, changes)
	select {
	case r.commits <- struct{}{}:
	default:
	}
	if r.unheard.Load() > 0 && r.unheard.Add(-1) >= 0 {
		return nil, errors.New("the connection was cut during the commit")
	}
	return verdicts, err
}

// Graph gives the one graph there is.
func (r *rig) Graph(_ context.Context, hash string) (*flow.Graph, error) {
	if r.gone.Load() {
		return nil, stdops.Errorf(stdops.CodeNotFound, "tree %s does not exist", hash)
	}
	return r.graph, nil
}

// Info gives the surroundings of every task.
func (r *rig) Info(context.Context, *stdops.Task) (engine.Info, error) {
	return engine.Info{ProjectName: "default", Biz: 2, Zone: time.UTC}, nil
}

func (r *rig) create() stdops.TaskRef { return r.createIn(1) }

func (r *rig) createIn(project stdops.ProjectID) stdops.TaskRef {
	r.t.Helper()
	task, err := r.store.CreateTask(r.t.Context(), store.NewTask{
		Task: stdops.Task{
			Project: project, Name: "a task", TreeHash: "t", FlowType: stdops.FlowCommon, Created: time.Now(),
			Root: stdops.RootState{State: stdops.StateCreated},
		},
		Body: []byte("{}"), Inputs: []byte("{}"),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return stdops.TaskRef{Project: project, Task: task.ID}
}

func (r *rig) do(ref stdops.TaskRef, cmd engine.Command) {
	r.t.Helper()
	if err := r.engine.Do(r.t.Context(), ref, cmd); err != nil {
		r.t.Fatalf("%s: %v", cmd.Kind, err)
	}
}

// await returns when the stored task is as wanted.
func (r *rig) await(ref stdops.TaskRef, wanted func(*stdops.Snapshot) bool) *stdops.Snapshot {
	r.t.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for {
		snap := r.load(ref)
		if wanted(snap) {
			return snap
		}
		select {
		case <-r.commits:
		case <-limit.C:
			r.t.Fatalf("the task stays as it is: %+v", snap)
		}
	}
}

func (r *rig) load(ref stdops.TaskRef) *stdops.Snapshot {
	r.t.Helper()
	snap, err := r.store.Load(r.t.Context(), ref)
	if err != nil {
		r.t.Fatal(err)
	}
	return snap
}

func finished(s *stdops.Snapshot) bool { return s.Task.Root.State == stdops.StateFinished }

func inState(state stdops.State) func(*stdops.Snapshot) bool {
	return func(s *stdops.Snapshot) bool {
		for i := range s.Nodes {
			if s.Nodes[i].State == state {
				return true
			}
		}
		return false
	}
}

// scripted is a plugin that waits for leave before it ends.
type scripted struct {
	rule  plugin.CrashRule
	class plugin.Class
	pool  int                    // calls of its class that may be out; 0 leaves it as it is
	quick func(task string) bool // calls of which tasks end at once
	began chan string            // the key of each execute
	leave chan struct{}          // nil: it ends at once
	says  string                 // what each execute writes into its log
	stops bool                   // its calls end with a revoke
	slow  chan struct{}          // not nil: a call that is to end takes a token first
	out   atomic.Int32           // calls that are out
	after time.Duration          // other than 0: an execute asks for two polls, the second after so long

	mu   sync.Mutex
	keys map[string]int
}

func newScripted(rule plugin.CrashRule) *scripted {
	return &scripted{rule: rule, began: make(chan string, 10_000), leave: make(chan struct{}), keys: make(map[string]int)}
}

func (p *scripted) Spec() plugin.Spec {
	return plugin.Spec{
		Code: "work", Versions: []string{"legacy"}, Execute: p.rule, Schedule: p.rule, Class: p.class, ManyCallbacks: true,
		StopOnRevoke: p.stops, Variables: p.stops,
	}
}

func (p *scripted) Execute(ctx context.Context, c *plugin.Call) (plugin.Outcome, error) {
	if n := p.out.Add(1); n > 1 && p.slow != nil {
		panic("two calls are out")
	}
	defer p.out.Add(-1)
	p.mu.Lock()
	p.keys[c.Key]++
	p.mu.Unlock()
	if p.says != "" {
		fmt.Fprint(c.Log, p.says)
	}
	p.began <- c.Key
	if p.after > 0 {
		return plugin.PollAfter(0), nil
	}
	if task, _, _ := strings.Cut(c.Key, "."); p.leave == nil || p.quick != nil && p.quick(task) {
		return plugin.Done, nil
	}
	select {
	case <-p.leave:
		return plugin.Done, nil
	case <-ctx.Done():
		if p.slow != nil {
			<-p.slow
		}
		return plugin.Done, context.Cause(ctx)
	}
}

func (p *scripted) Schedule(_ context.Context, c *plugin.Call) (plugin.Outcome, error) {
	p.began <- c.Key
	if c.Count == 1 {
		return plugin.PollAfter(p.after), nil
	}
	return plugin.Done, nil
}

func (p *scripted) wantOnce(t *testing.T, calls int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.keys) != calls {
		t.Errorf("%d calls, want %d: %v", len(p.keys), calls, p.keys)
	}
	for key, n := range p.keys {
		if n != 1 {
			t.Errorf("call %s began %d times", key, n)
		}
	}
}

func TestEngineStartsOnce(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Repeat)
	p.leave = nil
	r := newRig(t, engine.Line(2), p)
	ref := r.create()
	var ok atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			err := r.engine.Do(t.Context(), ref, engine.Command{Kind: engine.Start, Actor: "ann"})
			switch {
			case err == nil:
				ok.Add(1)
			case stdops.ErrorCode(err) != stdops.CodeRefused:
				t.Errorf("refusal: %v", err)
			}
		})
	}
	all.Wait()
	if ok.Load() != 1 {
		t.Errorf("%d starts were accepted", ok.Load())
	}
	r.await(ref, finished)
	p.wantOnce(t, 2)
}

// TestEngineDecidesAgainOnAStaleRevision: somebody else raises the revision between decision and commit, for every
// commit of the task.
func TestEngineDecidesAgainOnAStaleRevision(t *testing.T) {
	t.Parallel()
	for _, rule := range []plugin.CrashRule{plugin.Repeat, plugin.Unknown} {
		t.Run(strconv.Itoa(int(rule)), func(t *testing.T) {
			t.Parallel()
			p := newScripted(rule)
			r := newRig(t, engine.Line(3), p)
			ref := r.create()
			var raised atomic.Bool
			raise := func([]stdops.Change) {
				if err := r.raise(ref); err != nil {
					t.Error(err)
				}
				raised.Store(true)
			}
			r.do(ref, engine.Command{Kind: engine.Start})
			<-p.began
			r.onCommit.Store(&raise)
			close(p.leave)
			snap := r.await(ref, func(s *stdops.Snapshot) bool { return finished(s) || inState(stdops.StateFailed)(s) })
			if !finished(snap) {
				t.Errorf("the task did not finish: %+v", snap.Nodes)
			}
			if !raised.Load() {
				t.Error("the revision was not raised from outside")
			}
			p.wantOnce(t, 3)
		})
	}
}

// raise commits a change of somebody else that changes nothing but the revision.
func (r *rig) raise(ref stdops.TaskRef) error {
	task, err := r.store.Task(context.Background(), ref)
	if err != nil {
		return err
	}
	_, err = r.store.Commit(context.Background(), []stdops.Change{{
		Task: ref.Task, Project: ref.Project, Revision: task.Root.Revision, Epoch: task.Root.Epoch, Root: task.Root,
	}})
	return err
}

func TestEngineStopWaitsForCallsAndTheNextStartGoesOn(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Unknown)
	r := newRig(t, engine.Line(3), p)
	ref := r.create()
	r.do(ref, engine.Command{Kind: engine.Start})
	<-p.began
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.close(t.Context())
	}()
	for !errors.Is(stopping(r, ref), engine.ErrStopping) { // until Stop has begun
		continue
	}
	close(p.leave)
	<-stopped
	p.wantOnce(t, 1)
	r.open()
	r.await(ref, finished)
	p.wantOnce(t, 3)
}

func stopping(r *rig, ref stdops.TaskRef) error {
	return r.engine.Do(context.Background(), ref, engine.Command{Kind: engine.Start})
}

// TestEngineCallsCutOffAreInDoubt: Stop cannot wait, so the crash rule of the plugin holds at the next start.
func TestEngineCallsCutOffAreInDoubt(t *testing.T) {
	t.Parallel()
	for rule, again := range map[plugin.CrashRule]bool{plugin.Repeat: true, plugin.Unknown: false} {
		t.Run(strconv.FormatBool(again), func(t *testing.T) {
			t.Parallel()
			p := newScripted(rule)
			r := newRig(t, engine.Line(1), p)
			ref := r.create()
			r.do(ref, engine.Command{Kind: engine.Start})
			key := <-p.began
			over, cancel := context.WithCancel(t.Context())
			cancel()
			r.close(over)
			r.open()
			if !again {
				r.await(ref, inState(stdops.StateFailed))
				p.wantOnce(t, 1)
				return
			}
			if repeated := <-p.began; repeated != key {
				t.Errorf("the repeated call has the key %s, the first had %s", repeated, key)
			}
			close(p.leave)
			r.await(ref, finished)
		})
	}
}

// TestEngineStopsWhileTheStoreFails: a result that cannot be stored must not keep the process from ending.
func TestEngineStopsWhileTheStoreFails(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Repeat)
	r := newRig(t, engine.Line(2), p)
	ref := r.create()
	r.do(ref, engine.Command{Kind: engine.Start})
	<-p.began
	r.broken.Store(true)
	close(p.leave)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.close(t.Context())
	}()
	select {
	case <-stopped:
	case <-time.After(20 * time.Second):
		t.Fatal("Stop does not return")
	}
	r.broken.Store(false)
	r.open()
	r.await(ref, finished)
}

func TestEngineResultsSurviveAStoreThatFailsForAWhile(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Unknown)
	r := newRig(t, engine.Line(2), p)
	ref := r.create()
	r.do(ref, engine.Command{Kind: engine.Start})
	<-p.began
	r.broken.Store(true)
	p.leave <- struct{}{}
	if err := r.engine.Do(t.Context(), ref, engine.Command{Kind: engine.Pause}); stdops.ErrorCode(err) != stdops.CodeUnavailable {
		t.Errorf("pause without a store: %v", err)
	}
	r.broken.Store(false)
	<-p.began
	close(p.leave)
	r.await(ref, finished)
	p.wantOnce(t, 2)
}

// TestEngineWaitsWhileTheDiskIsFull: commands are refused as what they are, and the result of a call that ended meanwhile is
// stored when there is room, without a second call.
func TestEngineWaitsWhileTheDiskIsFull(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Unknown)
	r := newRig(t, engine.Line(2), p)
	ref := r.create()
	r.do(ref, engine.Command{Kind: engine.Start})
	<-p.began
	r.full.Store(true)
	p.leave <- struct{}{}
	for r.refused.Load() < 2 { // of the result, which is tried again
		time.Sleep(time.Millisecond)
	}
	if err := r.engine.Do(t.Context(), ref, engine.Command{Kind: engine.Pause}); stdops.ErrorCode(err) != stdops.CodeDiskFull {
		t.Errorf("pause without room: %v", err)
	}
	r.full.Store(false)
	<-p.began
	close(p.leave)
	r.await(ref, finished)
	p.wantOnce(t, 2)
}

// TestEngineStopAmidManyTasks stops while calls end, begin and are committed all over, and starts again: every task
// comes to its end, and no call that was not cut off begins twice.
func TestEngineStopAmidManyTasks(t *testing.T) {
	t.Parallel()
	for _, pool := range []int{0, 5} { // with room for all calls, and for two at a time
		t.Run(strconv.Itoa(pool), func(t *testing.T) { t.Parallel(); stopAmidManyTasks(t, pool) })
	}
}

func stopAmidManyTasks(t *testing.T, pool int) {
	t.Helper()
	p := newScripted(plugin.Unknown)
	p.leave, p.pool = nil, pool
	r := newRig(t, engine.Wide(6), p)
	var refs []stdops.TaskRef
	for range 40 {
		refs = append(refs, r.create())
	}
	var all sync.WaitGroup
	for _, ref := range refs {
		all.Go(func() { r.do(ref, engine.Command{Kind: engine.Start}) })
	}
	all.Wait()
	for range 3 {
		<-p.began
		r.close(t.Context())
		r.open()
	}
	for _, ref := range refs {
		r.await(ref, finished)
	}
	p.wantOnce(t, len(refs)*12)
}

// TestEngineTaskCommandsAtOnce: pause, resume and revoke from twenty callers. Of each refused or accepted command the log
// of transitions must be the only history: one follows on the other, and nothing follows on the revoke.
func TestEngineTaskCommandsAtOnce(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Repeat)
	r := newRig(t, engine.Line(2), p)
	ref := r.create()
	r.do(ref, engine.Command{Kind: engine.Start})
	var all sync.WaitGroup
	var accepted, revoked atomic.Int32
	for i := range 20 {
		all.Go(func() {
			for round := range 5 {
				kind := []engine.Kind{engine.Pause, engine.Resume, engine.Pause, engine.Resume, engine.Revoke}[(i+round)%5]
				err := r.engine.Do(t.Context(), ref, engine.Command{Kind: kind, Actor: strconv.Itoa(i)})
				switch {
				case err != nil && stdops.ErrorCode(err) != stdops.CodeEngine:
					t.Errorf("%s: %v", kind, err)
				case err == nil && kind == engine.Revoke:
					revoked.Add(1)
				case err == nil:
					accepted.Add(1)
				}
			}
		})
	}
	all.Wait()
	if revoked.Load() > 1 {
		t.Errorf("%d revokes were accepted", revoked.Load())
	}
	log, err := r.store.Transitions(t.Context(), ref, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	last, commands := stdops.StateCreated, int32(0)
	for _, tr := range log {
		if tr.Node != stdops.RootNode {
			continue
		}
		if tr.From != last {
			t.Errorf("a transition from %s follows on one to %s", tr.From, last)
		}
		if last = tr.To; tr.Actor != "" {
			commands++
		}
	}
	if want := accepted.Load() + revoked.Load(); commands != want {
		t.Errorf("%d commands were accepted, the log has %d", want, commands)
	}
	if last != stdops.StateRevoked && last != stdops.StateFinished {
		t.Errorf("the task ended %s", last)
	}
}
