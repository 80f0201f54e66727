package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/fail"
	"github.com/stdops/stdops/internal/plugin"
)

// pool runs calls of plugins outside the drivers. Each has a slot, which was taken before the step that begins it.
type pool struct {
	plugins Plugins
	slots   *slots
	journal *journal // nil where logs are not kept
	now     func() time.Time
	began   func(plugin.Class, time.Duration) // may be nil
	log     *slog.Logger

	maxOutput int // bytes of the JSON text of one output

	ctx   context.Context
	cut   context.CancelCauseFunc
	ended sync.WaitGroup

	mu    sync.Mutex
	calls map[stdops.TaskRef]map[callKey]callOnItsWay
}

// callKey tells calls apart. One that a driver lost may still be ending when the next driver of its task repeats it.
type callKey struct {
	callID
	driver *driver
}

type callOnItsWay struct {
	cancel context.CancelCauseFunc
	gone   chan struct{} // closed when it has left the pool
}

func newPool(ctx context.Context, o *Options, journal *journal, slots *slots) *pool {
	ctx, cut := context.WithCancelCause(ctx)
	return &pool{
		plugins: o.Plugins, slots: slots, journal: journal, now: o.Now, began: o.Began, log: o.Log, maxOutput: int(o.Limits.Output), ctx: ctx, cut: cut,
		calls: make(map[stdops.TaskRef]map[callKey]callOnItsWay),
	}
}

// start begins a call; its result goes to the mailbox of its driver. A call of the same node that nobody waits for any more
// may still be ending, a script for instance: the two are never out at once.
func (p *pool) start(d *driver, c call) {
	ctx, cancel := context.WithCancelCause(p.ctx)
	key := callKey{c.id(), d}
	earlier := p.add(key, cancel)
	p.ended.Add(1)
	go func() {
		defer p.ended.Done()
		defer cancel(nil)
		for _, gone := range earlier {
			<-gone
		}
		fail.Point("call.begun")
		result := p.call(ctx, d.ref, c)
		fail.Point("call.done")
		p.slots.release(d.ref, c.class)
		if p.ctx.Err() == nil { // else cut off by the end of the process: what became of it the next start has to find out
			d.engine.postResult(d, result)
		}
		fail.Point("call.posted")
		p.remove(key)
	}()
}

// add gives what tells that calls of the same node have left.
func (p *pool) add(key callKey, cancel context.CancelCauseFunc) (earlier []<-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ref := key.driver.ref
	if p.calls[ref] == nil {
		p.calls[ref] = make(map[callKey]callOnItsWay)
	}
	for other, c := range p.calls[ref] {
		if other.node == key.node {
			earlier = append(earlier, c.gone)
		}
	}
	p.calls[ref][key] = callOnItsWay{cancel, make(chan struct{})}
	return earlier
}

func (p *pool) remove(key callKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ref := key.driver.ref
	close(p.calls[ref][key].gone)
	delete(p.calls[ref], key)
	if len(p.calls[ref]) == 0 {
		delete(p.calls, ref)
	}
}

// out gives the calls of a task that are out, with those whose result is on its way: of one driver, nil of all.
func (p *pool) out(ref stdops.TaskRef, of *driver) map[callID]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := make(map[callID]bool, len(p.calls[ref]))
	for key := range p.calls[ref] {
		if of == nil || key.driver == of {
			ids[key.callID] = true
		}
	}
	return ids
}

// errGivenUp ends calls that nobody waits for any more.
var errGivenUp = errors.New("the attempt was ended from outside")

// cancel ends those calls of a task that are meant, with the reason.
func (p *pool) cancel(ref stdops.TaskRef, meant func(callID) bool, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, c := range p.calls[ref] {
		if meant(key.callID) {
			c.cancel(why)
		}
	}
}

// drain waits for calls that are out; when ctx is done it cuts them off, and gives how many.
func (p *pool) drain(ctx context.Context) (cutOff int) {
	ended := make(chan struct{})
	go func() {
		p.ended.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		cutOff = p.count()
		p.cut(plugin.ErrStopping)
		<-ended
	}
	p.cut(plugin.ErrStopping)
	return cutOff
}

// count gives how many calls are out.
func (p *pool) count() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, calls := range p.calls {
		n += len(calls)
	}
	return n
}

// call runs one execute or schedule and makes its result an event.
func (p *pool) call(ctx context.Context, ref stdops.TaskRef, c call) callEnded {
	pc := &plugin.Call{
		Key:    fmt.Sprintf("%d.%d.%s.%d", ref.Task, c.node, c.version, c.number),
		Inputs: c.inputs.Clone(), Outputs: c.outputs, System: c.system, Loop: c.loop, InnerLoop: c.inner, Count: int64(c.number),
		Project: ref.Project, Attempt: stdops.AttemptRef{Task: ref.Task, Node: c.node, Version: c.version},
		Variables: c.variables, Callback: c.callback, HasCallback: c.called, Now: p.now(), Clock: p.now, Zone: c.zone,
	}
	outcome, err := plugin.Outcome{}, context.Cause(ctx) // what was ended while it waited for an earlier call does not begin
	if err == nil {
		p.tellBegan(&c)
		outcome, err = p.logged(ctx, ref, pc, c)
	}
	if bad := checkOutputs(pc.Outputs, p.maxOutput); err == nil {
		err = bad
	}
	if err != nil && !errors.Is(err, plugin.ErrFailed) {
		text := err.Error()
		pc.Outputs.Set("ex_data", text[:min(len(text), p.maxOutput)])
	}
	return callEnded{
		node: c.node, version: c.version, call: c.number, inputs: c.inputs, outputs: pc.Outputs, outcome: outcome, failed: err != nil,
		called: c.called,
	}
}

// tellBegan tells how long a node has waited for its first call: for its slot, for the commit, and for the end of an earlier call.
func (p *pool) tellBegan(c *call) {
	if p.began != nil && c.number == 0 {
		p.began(c.class, max(0, p.now().Sub(c.entered)))
	}
}

// logged calls the plugin. When it returns, the log of the call is stored: whoever sees its result finds the log whole.
func (p *pool) logged(ctx context.Context, ref stdops.TaskRef, pc *plugin.Call, c call) (plugin.Outcome, error) {
	if p.journal == nil {
		return p.run(ctx, pc, c)
	}
	key := stdops.LogKey{TaskRef: ref, Node: c.node, Loop: int32(c.loop), Retry: c.retry}
	log := p.journal.open(key, c.version)
	defer log.close()
	if pc.Log = log; len(c.hide) > 0 {
		hiding := &hidingWriter{to: log, secrets: c.hide}
		defer hiding.flush()
		pc.Log = hiding
	}
	return p.run(ctx, pc, c)
}

// run calls the plugin; a panic of it fails the attempt and nothing else.
func (p *pool) run(ctx context.Context, pc *plugin.Call, c call) (out plugin.Outcome, err error) {
	defer func() {
		if r := recover(); r != nil {
			p.log.Error("plugin panicked", "plugin", c.code, "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("plugin %s panicked: %v", c.code, r)
		}
	}()
	pl := p.plugins.Find(c.code, c.plugin)
	if pl == nil {
		return out, fmt.Errorf("component %s (version %s) does not exist.", c.code, c.plugin)
	}
	if c.number == 0 {
		return pl.Execute(ctx, pc)
	}
	scheduler, ok := pl.(plugin.Scheduler)
	if !ok {
		return out, fmt.Errorf("plugin %s asked to be scheduled but cannot be", c.code)
	}
	return scheduler.Schedule(ctx, pc)
}

// checkOutputs refuses outputs that cannot be kept; all of them are cut away, so that the rest can be.
func checkOutputs(outputs *stdops.Object, most int) (first error) {
	for _, key := range slices.Clone(outputs.Keys()) {
		value, _ := outputs.Get(key)
		err := checkOutput(value, most)
		if err == nil {
			continue
		}
		outputs.Delete(key)
		if first == nil {
			first = fmt.Errorf("output %s cannot be kept: %w", key, err)
		}
	}
	return first
}

func checkOutput(value any, most int) error {
	text, err := stdops.EncodeValue(value)
	switch {
	case err != nil:
		return err
	case len(text) > most:
		return fmt.Errorf("it has %d bytes, the limit is %d", len(text), most)
	case nesting(text) >= stdops.MaxDepth: // with the outputs around it, it could not be read back
		return fmt.Errorf("it is nested deeper than %d", stdops.MaxDepth-1)
	}
	return nil
}

// nesting gives how deep a JSON text nests.
func nesting(text []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return deepest
}
