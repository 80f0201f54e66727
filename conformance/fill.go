package conformance

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/stdops/stdops"
)

// blank is a place in a text that the run fills; "${…}" is the server's own notation and stays.
var blank = regexp.MustCompile(`\$?\{((?:task|node|built|saved|project|biz|unique|code|secret|user)(?::[^}]*)?)\}`)

// fill replaces {task}, {node:A} … in texts (keys included) and objects such as {"$task": "t"} by values of this run.
func (r *run) fill(ctx context.Context, v any) (any, error) {
	switch v := v.(type) {
	case string:
		return r.fillText(v)
	case []any:
		filled := make([]any, len(v))
		for i, item := range v {
			var err error
			if filled[i], err = r.fill(ctx, item); err != nil {
				return nil, err
			}
		}
		return filled, nil
	case *stdops.Object:
		return r.fillObject(ctx, v)
	}
	return v, nil
}

// fields fills the object under key of a step; without one it gives an empty object.
func (r *run) fields(ctx context.Context, step *stdops.Object, key string) (*stdops.Object, error) {
	filled, err := r.fill(ctx, child(step, key))
	if err != nil {
		return nil, err
	}
	object, _ := filled.(*stdops.Object)
	return object, nil
}

func (r *run) fillText(text string) (string, error) {
	var wrong error
	filled := blank.ReplaceAllStringFunc(text, func(found string) string {
		inner, ours := strings.CutPrefix(found, "{")
		if !ours {
			return found
		}
		kind, arg, _ := strings.Cut(strings.TrimSuffix(inner, "}"), ":")
		value, err := r.blankValue(kind, arg)
		if err != nil {
			wrong = err
		}
		return value
	})
	return filled, wrong
}

func (r *run) blankValue(kind, arg string) (string, error) {
	switch kind {
	case "task":
		if arg == "" {
			arg = "main"
		}
		t, err := r.taskNamed(arg)
		if err != nil {
			return "", err
		}
		return strconv.FormatInt(t.id, 10), nil
	case "node":
		t, err := r.taskNamed("main")
		if err != nil {
			return "", err
		}
		return t.idOf(arg)
	case "saved":
		return asText(r.saved[arg]), nil
	case "built":
		return r.built[arg], nil
	}
	s := r.server
	return map[string]string{
		"project": strconv.FormatInt(s.project, 10), "biz": strconv.FormatInt(s.biz, 10),
		"unique": r.unique, "code": s.code, "secret": s.secret, "user": s.user,
	}[kind], nil
}

func (r *run) fillObject(ctx context.Context, o *stdops.Object) (any, error) {
	if o.Len() > 0 {
		word := o.Keys()[0]
		arg, _ := o.Get(word)
		switch word {
		case "$task":
			t, err := r.taskNamed(asText(arg))
			if err != nil {
				return nil, err
			}
			return t.id, nil
		case "$tasks":
			return r.taskIDs(asText(arg)), nil
		case "$tasks_desc":
			return r.descending(asText(arg)), nil
		case "$saved":
			return r.savedValue(asText(arg))
		case "$number":
			return r.number(asText(arg))
		case "$tree":
			spec, _ := arg.(*stdops.Object)
			return r.webTree(ctx, spec)
		}
	}
	filled := &stdops.Object{}
	for _, key := range o.Keys() {
		item, _ := o.Get(key)
		name, err := r.fillText(key)
		if err != nil {
			return nil, err
		}
		value, err := r.fill(ctx, item)
		if err != nil {
			return nil, err
		}
		filled.Set(name, value)
	}
	return filled, nil
}

// taskIDs gives the ids of the tasks whose alias fits a pattern, in order of creation.
func (r *run) taskIDs(pattern string) []any {
	var ids []any
	for _, alias := range r.aliases {
		if fits, _ := path.Match(pattern, alias); fits {
			ids = append(ids, r.tasks[alias].id)
		}
	}
	return ids
}

// descending gives what entries of these tasks must look like, by descending id.
func (r *run) descending(pattern string) []any {
	ids := r.taskIDs(pattern)
	slices.SortFunc(ids, func(a, b any) int { return amount(b).Cmp(amount(a)) })
	for i, id := range ids {
		ids[i] = stdops.NewObject("id", id)
	}
	return ids
}

func (r *run) savedValue(name string) (any, error) {
	v, ok := r.saved[name]
	if !ok {
		return nil, fmt.Errorf("nothing was saved as %q", name)
	}
	return v, nil
}

func (r *run) number(text string) (any, error) {
	text, err := r.fillText(text)
	if err != nil {
		return nil, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// webTree gives the tree to send for a spec: built from its notation (or taken from "tree"), edited, children placed.
func (r *run) webTree(ctx context.Context, spec *stdops.Object) (any, error) {
	whole, ok := spec.Get("tree")
	if ok {
		whole = clone(whole)
	} else {
		built, err := buildTree(clone(spec).(*stdops.Object))
		if err != nil {
			return nil, err
		}
		whole = built
	}
	tree, ok := whole.(*stdops.Object)
	if !ok {
		return whole, nil
	}
	edits, err := r.fill(ctx, list(spec, "patch"))
	if err != nil {
		return nil, err
	}
	if err := newPatcher(tree).apply(tree, edits.([]any)); err != nil {
		return nil, err
	}
	r.built = map[string]string{}
	for _, node := range nodesOf(tree)[2:] {
		r.built[node.Text("name")] = node.Text("id")
	}
	return tree, r.placeChildren(ctx, tree)
}

// placeChildren stores each child flow as a template and refers to it, or embeds it where there is no template store.
func (r *run) placeChildren(ctx context.Context, tree *stdops.Object) error {
	activities := child(tree, "activities")
	for _, id := range activities.Keys() {
		node := child(activities, id)
		below, given := child(node, "child"), child(node, "given")
		if !has(node, "child") {
			continue
		}
		node.Delete("child")
		node.Delete("given")
		if err := r.placeChildren(ctx, below); err != nil {
			return err
		}
		params := parameters(child(below, "constants"), given)
		if r.server.inline {
			update(child(below, "constants"), params)
			node.Set("pipeline", below)
			continue
		}
		if err := r.storeChild(ctx, node, below); err != nil {
			return err
		}
		node.Set("constants", params)
	}
	return nil
}

// parameters gives the shown constants of a child with the values that its parent passes.
func parameters(constants, given *stdops.Object) *stdops.Object {
	params := &stdops.Object{}
	for _, key := range constants.Keys() {
		constant := clone(child(constants, key)).(*stdops.Object)
		if constant.Text("show_type") != "show" {
			continue
		}
		if value, ok := given.Get(key); ok {
			fields, whole := value.(*stdops.Object)
			if !whole || !has(fields, "value") {
				fields = stdops.NewObject("value", value)
			}
			update(constant, fields)
		}
		params.Set(key, constant)
	}
	return params
}

func (r *run) storeChild(ctx context.Context, node, below *stdops.Object) error {
	name := []rune(node.Text("name"))
	answer, err := r.server.call(ctx, "POST", "create_template", []int64{r.server.project}, stdops.NewObject(
		"name", fmt.Sprintf("child %s %s", string(name[:min(20, len(name))]), r.unique), "pipeline_tree", below))
	if err != nil {
		return err
	}
	if err := r.judge(answer, nil, "create_template for "+node.Text("name")); err != nil {
		return err
	}
	update(node, stdops.NewObject("template_id", get(child(answer, "data"), "template_id", nil),
		"template_source", "project", "hooked_constants", []any{}))
	return nil
}
