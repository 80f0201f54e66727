package conformance

import (
	"context"
	"fmt"
	"path"

	"github.com/stdops/stdops"
)

// create makes a task with fast_create_task and remembers it under the alias of the step.
func (r *run) create(ctx context.Context, arg any, step *stdops.Object) error {
	tree, err := r.webTree(ctx, r.flowOf(arg))
	if err != nil {
		return err
	}
	short := []rune(r.spec.Text("name"))
	name := asText(get(step, "name", fmt.Sprintf("%s %s", string(short[:min(60, len(short))]), r.unique)))
	more, err := r.fields(ctx, step, "body")
	if err != nil {
		return err
	}
	body := merged(stdops.NewObject("name", name, "pipeline_tree", tree), more)
	answer, err := r.server.call(ctx, "POST", "fast_create_task", []int64{r.server.project}, body)
	if err != nil {
		return err
	}
	if err := r.judge(answer, step, "fast_create_task"); err != nil || get(answer, "result", nil) != true {
		return err
	}
	return r.remember(asText(get(step, "as", "main")), name, child(answer, "data"))
}

// flowOf gives the spec of the flow that a create step names, carries or leaves to the case.
func (r *run) flowOf(arg any) *stdops.Object {
	switch arg := arg.(type) {
	case string:
		if arg != "" {
			return child(child(r.spec, "flows"), arg)
		}
	case *stdops.Object:
		if has(arg, "flow", "tree") {
			return arg
		}
	}
	return r.spec
}

func (r *run) remember(alias, name string, data *stdops.Object) error {
	form := stdops.NewObject("task_id", stdops.NewObject("$type", "int"),
		"pipeline_tree", stdops.NewObject("$type", "dict"), "task_url", stdops.NewObject("$type", "str"))
	if err := r.match(form, data, "fast_create_task.data"); err != nil {
		return err
	}
	id, ok := get(data, "task_id", nil).(int64)
	if !ok {
		return &mismatch{"fast_create_task.data.task_id", "<an id of 64 bits>", get(data, "task_id", nil)}
	}
	if r.tasks[alias] == nil {
		r.aliases = append(r.aliases, alias)
	}
	r.tasks[alias] = newTask(id, name, child(data, "pipeline_tree"))
	return nil
}

func (r *run) createMany(ctx context.Context, arg any, step *stdops.Object) error {
	count, _ := arg.(int64)
	for i := range count {
		one := stdops.NewObject("as", fmt.Sprintf("%s%d", step.Text("as"), i+1))
		if err := r.create(ctx, get(step, "flow_name", &stdops.Object{}), one); err != nil {
			return err
		}
	}
	return nil
}

// start starts the task of the step, or every task whose alias fits the pattern.
func (r *run) start(ctx context.Context, arg any, step *stdops.Object) error {
	var chosen []*task
	pattern, _ := arg.(string)
	for _, alias := range r.aliases {
		if fits, _ := path.Match(pattern, alias); fits && pattern != "" {
			chosen = append(chosen, r.tasks[alias])
		}
	}
	if len(chosen) == 0 {
		t, err := r.taskOf(step)
		if err != nil {
			return err
		}
		chosen = []*task{t}
	}
	for _, t := range chosen {
		answer, err := r.server.call(ctx, "POST", "start_task", []int64{t.id, r.server.project}, nil)
		if err != nil {
			return err
		}
		if err := r.judge(answer, step, "start_task"); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) operate(ctx context.Context, arg any, step *stdops.Object) error {
	return r.command(ctx, step, stdops.NewObject("action", arg), "operate_task", " "+asText(arg))
}

// command calls an endpoint about the task of a step and judges its answer.
func (r *run) command(ctx context.Context, step, fields *stdops.Object, endpoint, detail string) error {
	t, err := r.taskOf(step)
	if err != nil {
		return err
	}
	ids := []int64{t.id, r.server.project}
	if endpoint == "operate_node" {
		ids[0], ids[1] = ids[1], ids[0]
	}
	answer, err := r.server.call(ctx, "POST", endpoint, ids, fields)
	if err != nil {
		return err
	}
	return r.judge(answer, step, endpoint+detail)
}

func (r *run) operateNode(ctx context.Context, arg any, step *stdops.Object) error {
	t, err := r.taskOf(step)
	if err != nil {
		return err
	}
	where := asText(arg)
	id, err := t.idOf(where)
	if err != nil {
		return err
	}
	body := stdops.NewObject("node_id", id, "action", get(step, "do", nil))
	for _, key := range []string{"inputs", "data"} {
		if value, ok := step.Get(key); ok {
			filled, err := r.fill(ctx, value)
			if err != nil {
				return err
			}
			body.Set(key, filled)
		}
	}
	if err := t.takeFlows(body, where, get(step, "to", nil)); err != nil {
		return err
	}
	if gateway := step.Text("converge"); gateway != "" {
		if id, err = t.idOf(gateway); err != nil {
			return err
		}
		body.Set("converge_gateway_id", id)
	}
	if flow, ok := step.Get("flow_id"); ok {
		body.Set("flow_id", flow)
	}
	return r.command(ctx, step, body, "operate_node", " "+step.Text("do")+" "+where)
}

// takeFlows puts the flows that a command is to take into its body: those to the nodes that "to" names.
func (t *task) takeFlows(body *stdops.Object, from string, to any) error {
	switch to := to.(type) {
	case string:
		flow, err := t.flowTo(from, to)
		body.Set("flow_id", flow)
		return err
	case []any:
		flows := make([]any, len(to))
		for i, name := range to {
			flow, err := t.flowTo(from, asText(name))
			if err != nil {
				return err
			}
			flows[i] = flow
		}
		body.Set("flow_ids", flows)
	}
	return nil
}

// flowTo gives the id of the flow from a node to a node of the same level.
func (t *task) flowTo(from, to string) (string, error) {
	source, ok := t.nodes[from]
	if !ok {
		return "", fmt.Errorf("no node %s", from)
	}
	prefix := from[:len(from)-len(source.node.Text("name"))]
	goal, err := t.idOf(prefix + to)
	if err != nil {
		return "", err
	}
	for _, id := range list(source.node, "outgoing") {
		if child(child(source.tree, "flows"), asText(id)).Text("target") == goal {
			return asText(id), nil
		}
	}
	return "", fmt.Errorf("no flow leads from %s to %s", from, to)
}

// callback sends data to a waiting node; "version" is a saved one, or literal.
func (r *run) callback(ctx context.Context, arg any, step *stdops.Object) error {
	t, err := r.taskOf(step)
	if err != nil {
		return err
	}
	id, err := t.idOf(asText(arg))
	if err != nil {
		return err
	}
	body := stdops.NewObject("node_id", id, "callback_data", get(step, "data", &stdops.Object{}))
	if version, ok := step.Get("version"); ok {
		if saved, ok := r.saved[asText(version)]; ok {
			version = saved
		}
		body.Set("version", version)
	}
	return r.command(ctx, step, body, "node_callback", " "+asText(arg))
}

func (r *run) constants(ctx context.Context, arg any, step *stdops.Object) error {
	return r.command(ctx, step, stdops.NewObject("constants", arg), "modify_constants_for_task", "")
}
