package conformance

import (
	"context"
	"fmt"
	"slices"

	"github.com/stdops/stdops"
)

// check compares what the server tells about a task, in the parts that the step names.
func (r *run) check(ctx context.Context, arg any, step *stdops.Object) error {
	want, _ := arg.(*stdops.Object)
	t, err := r.taskOf(step)
	if err != nil {
		return err
	}
	if has(want, "states", "only", "all", "nodes", "task") {
		if err := r.checkStates(ctx, t, want); err != nil {
			return err
		}
	}
	if has(want, "outputs", "detail") {
		if err := r.checkDetail(ctx, t, want); err != nil {
			return err
		}
	}
	if !has(want, "single") {
		return nil
	}
	query, err := r.fields(ctx, want, "query")
	if err != nil {
		return err
	}
	data, err := r.data(ctx, "get_task_status", []int64{t.id, r.server.project}, query)
	if err != nil {
		return err
	}
	return r.compare(ctx, want, "single", data, "get_task_status.data")
}

// data reads an endpoint that must succeed.
func (r *run) data(ctx context.Context, endpoint string, ids []int64, query *stdops.Object) (*stdops.Object, error) {
	answer, err := r.server.call(ctx, "GET", endpoint, ids, query)
	if err != nil {
		return nil, err
	}
	return child(answer, "data"), r.judge(answer, nil, endpoint)
}

// compare matches what stands under key of want, filled, with a received value; nothing is wanted without the key.
func (r *run) compare(ctx context.Context, want *stdops.Object, key string, got any, field string) error {
	expected, ok := want.Get(key)
	if !ok {
		return nil
	}
	filled, err := r.fill(ctx, expected)
	if err != nil {
		return err
	}
	return r.match(filled, got, field)
}

func (r *run) checkStates(ctx context.Context, t *task, want *stdops.Object) error {
	seen, entry, err := r.states(ctx, t)
	if err != nil {
		return err
	}
	states := child(want, "states")
	if name := firstWrong(seen, states); name != "" {
		return wrongState("state of "+name, get(states, name, nil), seen, name)
	}
	if only, ok := want.Get("only"); ok {
		executed := slices.DeleteFunc(slices.Clone(seen.Keys()), func(name string) bool { return name == "root" })
		if names, _ := only.([]any); len(names) != len(executed) || !fitsMembers("$has", only, anys(executed)) {
			return &mismatch{"executed nodes", only, anys(executed)}
		}
	}
	if state, ok := want.Get("all"); ok {
		for _, path := range t.paths {
			if !equal(stateOf(seen, path), state) {
				return wrongState("state of "+path, state, seen, path)
			}
		}
	}
	if err := r.compare(ctx, want, "task", entry, "task"); err != nil {
		return err
	}
	nodes := child(want, "nodes")
	for _, name := range nodes.Keys() {
		fields, err := r.fields(ctx, nodes, name)
		if err != nil {
			return err
		}
		if err := r.checkNode(ctx, nodeCheck{task: t, name: name, want: fields}, seen); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) checkDetail(ctx context.Context, t *task, want *stdops.Object) error {
	data, err := r.data(ctx, "get_task_detail", []int64{t.id, r.server.project}, nil)
	if err != nil {
		return err
	}
	if outputs, ok := want.Get("outputs"); ok {
		if err := r.match(outputs, byKey(data), "task outputs"); err != nil {
			return err
		}
	}
	return r.compare(ctx, want, "detail", data, "get_task_detail.data")
}

// byKey gives the outputs of an answer, {key, value} each, as one object.
func byKey(data *stdops.Object) *stdops.Object {
	values := &stdops.Object{}
	for _, item := range list(data, "outputs") {
		if output, ok := item.(*stdops.Object); ok {
			values.Set(asText(get(output, "key", nil)), get(output, "value", nil))
		}
	}
	return values
}

// nodeCheck is what a case wants of one node.
type nodeCheck struct {
	task *task
	name string
	want *stdops.Object
}

func (r *run) checkNode(ctx context.Context, c nodeCheck, seen *stdops.Object) error {
	if _, err := c.task.idOf(c.name); err != nil && c.name != "root" {
		return err
	}
	status := &stdops.Object{}
	for _, rule := range statusKeys {
		if value, ok := c.want.Get(rule.key); ok {
			status.Set(rule.key, value)
		}
	}
	if status.Len() > 0 && !has(seen, c.name) {
		return &mismatch{"state of " + c.name, "<executed>", "<absent>"}
	}
	if err := r.match(status, child(seen, c.name), c.name); err != nil {
		return err
	}
	if has(c.want, "inputs", "outputs", "ex_data", "data") {
		if err := r.checkNodeData(ctx, c); err != nil {
			return err
		}
	}
	if has(c.want, "histories", "detail") {
		return r.checkNodeDetail(ctx, c)
	}
	return nil
}

func (r *run) checkNodeData(ctx context.Context, c nodeCheck) error {
	data, err := r.nodeCall(ctx, "get_task_node_data", c)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		key string
		got any
	}{{"inputs", get(data, "inputs", "<missing>")}, {"outputs", byKey(data)}, {"ex_data", get(data, "ex_data", "<missing>")}, {"data", data}} {
		if want, ok := c.want.Get(part.key); ok {
			if err := r.match(want, part.got, c.name+"."+part.key); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) checkNodeDetail(ctx context.Context, c nodeCheck) error {
	data, err := r.nodeCall(ctx, "get_task_node_detail", c)
	if err != nil {
		return err
	}
	want := get(c.want, "histories", stdops.NewObject("$type", "list|null"))
	if count, ok := want.(int64); ok {
		want = stdops.NewObject("$len", count)
	}
	if err := r.match(want, get(data, "histories", nil), c.name+".histories"); err != nil {
		return err
	}
	return r.match(child(c.want, "detail"), data, c.name+".detail")
}

// nodeCall reads an endpoint about one node; "loop_data" of the case asks for an earlier loop, "code" for its plugin.
func (r *run) nodeCall(ctx context.Context, endpoint string, c nodeCheck) (*stdops.Object, error) {
	at, ok := c.task.nodes[c.name]
	if !ok {
		return nil, fmt.Errorf("%s: %s is no node", endpoint, c.name)
	}
	query := stdops.NewObject("node_id", at.id, "subprocess_stack", asText(at.stack))
	if loop, ok := c.want.Get("loop_data"); ok {
		query.Set("loop", asText(loop))
	}
	if code, ok := c.want.Get("code"); ok {
		query.Set("component_code", code)
	}
	ids := []int64{c.task.id, r.server.project}
	if endpoint == "get_task_node_data" {
		ids[0], ids[1] = ids[1], ids[0]
	}
	data, err := r.data(ctx, endpoint, ids, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return data, nil
}
