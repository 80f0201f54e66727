package conformance

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stdops/stdops"
)

// entry reads the status of a task with get_tasks_status, children included, and checks what must always hold.
func (r *run) entry(ctx context.Context, t *task) (*stdops.Object, error) {
	answer, err := r.server.call(ctx, "POST", "get_tasks_status", []int64{r.server.project},
		stdops.NewObject("task_id_list", []any{t.id}, "include_children_status", true))
	if err != nil {
		return nil, err
	}
	if err := r.judge(answer, nil, "get_tasks_status"); err != nil {
		return nil, err
	}
	data := list(answer, "data")
	if len(data) == 1 {
		if entry, ok := data[0].(*stdops.Object); ok && equal(get(entry, "id", nil), t.id) {
			return entry, checkEntry(entry, t)
		}
	}
	return nil, &mismatch{"get_tasks_status.data[].id", []any{t.id}, get(answer, "data", nil)}
}

// states gives the status of every node that has one, by path, and that of the task as "root", besides the entry.
func (r *run) states(ctx context.Context, t *task) (seen, entry *stdops.Object, err error) {
	entry, err = r.entry(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	paths := make(map[string]string, len(t.nodes))
	for path, p := range t.nodes {
		paths[p.id] = path
	}
	seen = &stdops.Object{}
	var walk func(status *stdops.Object)
	walk = func(status *stdops.Object) {
		children := child(status, "children")
		for _, id := range children.Keys() {
			seen.Set(paths[id], child(children, id))
			walk(child(children, id))
		}
	}
	walk(child(entry, "status"))
	seen.Set("root", child(entry, "status"))
	return seen, entry, nil
}

// stateOf gives the state of a node, "absent" when it was not executed.
func stateOf(seen *stdops.Object, name string) string {
	if !has(seen, name) {
		return "absent"
	}
	return child(seen, name).Text("state")
}

// wrongState is the mismatch of a node's state, with the states of all nodes beside it.
func wrongState(field string, want any, seen *stdops.Object, name string) error {
	all := &stdops.Object{}
	for _, key := range seen.Keys() {
		all.Set(key, stateOf(seen, key))
	}
	return &mismatch{field, want, stdops.NewObject("now", stateOf(seen, name), "all", all)}
}

// patient gives a waiting time of a case, stretched for slow machines.
func (r *run) patient(seconds any) time.Duration {
	amount, ok := seconds.(float64)
	if whole, isWhole := seconds.(int64); isWhole {
		amount, ok = float64(whole), true
	}
	if !ok {
		amount = 20
	}
	return time.Duration(amount * r.server.patience * float64(time.Second))
}

func (r *run) sleep(ctx context.Context, arg any) error { return pause(ctx, r.patient(arg)) }

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wait polls until all states are reached. Once the task has ended nothing is expected to change for long, so it gives
// up early then.
func (r *run) wait(ctx context.Context, arg any, step *stdops.Object) error {
	wanted, _ := arg.(*stdops.Object)
	t, err := r.taskOf(step)
	if err != nil {
		return err
	}
	deadline, ended := time.Now().Add(r.patient(get(step, "timeout", nil))), false
	for interval := 80 * time.Millisecond; ; interval = min(interval*13/10, 400*time.Millisecond) {
		seen, _, err := r.states(ctx, t)
		if err != nil {
			return err
		}
		wrong := firstWrong(seen, wanted)
		if wrong == "" {
			return nil
		}
		if state := stateOf(seen, "root"); !ended && (state == "FINISHED" || state == "REVOKED") {
			ended = true
			if soon := time.Now().Add(2*time.Second + r.patient(int64(1))); soon.Before(deadline) {
				deadline = soon
			}
		}
		if time.Now().After(deadline) {
			return wrongState("state of "+wrong+" (timed out)", get(wanted, wrong, nil), seen, wrong)
		}
		if err := pause(ctx, interval); err != nil {
			return err
		}
	}
}

// firstWrong gives the first node that is in none of its wanted states, "" when all are.
func firstWrong(seen, wanted *stdops.Object) string {
	for _, name := range wanted.Keys() {
		if want, _ := wanted.Get(name); !isOneOf(stateOf(seen, name), want) {
			return name
		}
	}
	return ""
}

// watch polls the root state until it is "until"; it may only move forward in "order".
func (r *run) watch(ctx context.Context, arg any, step *stdops.Object) error {
	spec, _ := arg.(*stdops.Object)
	t, err := r.taskOf(step)
	if err != nil {
		return err
	}
	order, until, seen := list(spec, "order"), get(spec, "until", nil), []any{}
	last := 0
	for deadline := time.Now().Add(r.patient(get(step, "timeout", nil))); time.Now().Before(deadline); {
		entry, err := r.entry(ctx, t)
		if err != nil {
			return err
		}
		state := child(entry, "status").Text("state")
		seen = append(seen, state)
		for last < len(order) && order[last] != state {
			last++
		}
		if last == len(order) {
			return &mismatch{"root state over time", order, seen}
		}
		if state == until {
			return nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return &mismatch{"root state over time", until, seen}
}

// save keeps fields ("A.version", "root.elapsed_time", "task.name") for later.
func (r *run) save(ctx context.Context, arg any, step *stdops.Object) error {
	what, _ := arg.(*stdops.Object)
	t, err := r.taskOf(step)
	if err != nil {
		return err
	}
	seen, entry, err := r.states(ctx, t)
	if err != nil {
		return err
	}
	for _, name := range what.Keys() {
		source := what.Text(name)
		dot := strings.LastIndexByte(source, '.')
		if dot < 0 {
			return fmt.Errorf("save %s: want node.field", source)
		}
		from := child(seen, source[:dot])
		if source[:dot] == "task" {
			from = entry
		}
		value, ok := from.Get(source[dot+1:])
		if !ok {
			return &mismatch{source, "<a value>", "<missing>"}
		}
		r.saved[name] = value
	}
	return nil
}

// race runs commands at the same time; "ok" says how many, or [low, high], must succeed.
func (r *run) race(ctx context.Context, arg any, step *stdops.Object) error {
	commands, _ := arg.([]any)
	problems := make([]error, len(commands))
	var group sync.WaitGroup
	for i, command := range commands {
		group.Go(func() { problems[i] = r.do(ctx, command.(*stdops.Object)) })
	}
	group.Wait()
	good, others := int64(0), []any{}
	for _, err := range problems {
		switch _, differs := asMismatch(err); {
		case err == nil:
			good++
		case differs:
			others = append(others, err.Error())
		default:
			return err
		}
	}
	want, _ := step.Get("ok")
	bounds, isRange := want.([]any)
	if !isRange {
		bounds = []any{want, want}
	}
	if !isBetween(bounds, good) {
		return &mismatch{"commands that succeeded", want, stdops.NewObject("succeeded", good, "others", others)}
	}
	return nil
}

// raw sends a request as it stands in the case, "METHOD path", and compares status, headers and body.
func (r *run) raw(ctx context.Context, arg any, step *stdops.Object) error {
	line, err := r.fillText(asText(arg))
	if err != nil {
		return err
	}
	q, err := r.rawRequest(ctx, line, step)
	if err != nil {
		return err
	}
	got, err := r.server.send(ctx, q)
	if err != nil {
		return err
	}
	if err := r.judgeRaw(ctx, got, child(step, "expect"), line); err != nil {
		return err
	}
	places := child(step, "save")
	for _, name := range places.Keys() {
		if r.saved[name], err = valueAt(got.value(), places.Text(name)); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) rawRequest(ctx context.Context, line string, step *stdops.Object) (request, error) {
	method, path, _ := strings.Cut(line, " ")
	q := request{method: method, path: path}
	body, err := r.fill(ctx, get(step, "body", nil))
	if err != nil {
		return q, err
	}
	q.body = body
	for key, into := range map[string]**stdops.Object{"query": &q.query, "headers": &q.headers, "auth": &q.auth} {
		if *into, err = r.fields(ctx, step, key); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (r *run) judgeRaw(ctx context.Context, got response, want *stdops.Object, line string) error {
	body := got.value()
	for _, part := range []struct {
		key, field string
		have       any
	}{{"status", "HTTP status", int64(got.status)}, {"headers", "HTTP headers", got.headers}, {"json", "answer", body}} {
		expected, ok := want.Get(part.key)
		if !ok {
			continue
		}
		filled, err := r.fill(ctx, expected)
		if err != nil {
			return err
		}
		if err := r.match(filled, part.have, part.field); err != nil {
			return err
		}
	}
	answer, _ := body.(*stdops.Object)
	if codes, ok := want.Get("error"); ok {
		what, _, _ := strings.Cut(line, "?")
		if err := checkEnvelope(body, what); err != nil {
			return err
		}
		if get(answer, "result", nil) == true || !isOneOf(get(answer, "code", nil), codes) {
			return &mismatch{"answer", "<result false, code " + brief(codes) + ">", body}
		}
	}
	if !has(want, "message") {
		return nil
	}
	pattern, err := r.fillText(want.Text("message"))
	if err != nil {
		return err
	}
	return r.match(stdops.NewObject("$re", pattern), get(answer, "message", nil), "answer.message")
}

// valueAt follows a path such as data.0.id.
func valueAt(v any, path string) (any, error) {
	for _, part := range strings.Split(path, ".") {
		switch place := v.(type) {
		case *stdops.Object:
			v = get(place, part, "<missing>")
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(place) {
				return nil, &mismatch{path, "<a value>", place}
			}
			v = place[i]
		default:
			v = "<missing>"
		}
		if v == "<missing>" {
			return nil, &mismatch{path, "<a value>", v}
		}
	}
	return v, nil
}
