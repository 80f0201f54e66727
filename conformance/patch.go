package conformance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stdops/stdops"
)

// patcher edits a built tree. In its paths and values "@A" stands for the id of the node A, "@A>B" for the id of the
// flow from A to B.
type patcher struct {
	ids   map[string]string // node name → id
	flows map[string]string // source id > target id → flow id
}

func newPatcher(tree *stdops.Object) patcher {
	p := patcher{ids: map[string]string{}, flows: map[string]string{}}
	for _, node := range nodesOf(tree) {
		p.ids[node.Text("name")] = node.Text("id")
	}
	flows := child(tree, "flows")
	for _, id := range flows.Keys() {
		flow := child(flows, id)
		p.flows[flow.Text("source")+">"+flow.Text("target")] = id
	}
	return p
}

// apply runs the edits ["set", path, value] and ["del", path] one after the other.
func (p patcher) apply(tree *stdops.Object, edits []any) error {
	for _, edit := range edits {
		parts, _ := edit.([]any)
		if len(parts) < 2 {
			return fmt.Errorf("patch %s: want [verb, path, value]", brief(edit))
		}
		path := strings.Split(asText(parts[1]), "/")
		for i := range path {
			path[i] = p.resolve(path[i])
		}
		change := func(_ any) (any, bool) { return nil, false }
		if parts[0] == "set" && len(parts) == 3 {
			value := p.fill(clone(parts[2]))
			change = func(_ any) (any, bool) { return value, true }
		}
		if _, err := changeAt(tree, path, change); err != nil {
			return fmt.Errorf("patch %s: %w", brief(edit), err)
		}
	}
	return nil
}

func (p patcher) resolve(word string) string {
	name, marked := strings.CutPrefix(word, "@")
	if !marked {
		return word
	}
	if from, to, flow := strings.Cut(name, ">"); flow {
		return p.flows[p.ids[from]+">"+p.ids[to]]
	}
	return p.ids[name]
}

func (p patcher) fill(v any) any {
	switch v := v.(type) {
	case string:
		return p.resolve(v)
	case []any:
		for i := range v {
			v[i] = p.fill(v[i])
		}
		return v
	case *stdops.Object:
		filled := &stdops.Object{}
		for _, key := range v.Keys() {
			item, _ := v.Get(key)
			filled.Set(p.resolve(key), p.fill(item))
		}
		return filled
	}
	return v
}

// changeAt replaces the value at path by what change makes of it (keep false removes it) and gives the changed place.
func changeAt(place any, path []string, change func(any) (value any, keep bool)) (any, error) {
	if len(path) > 1 {
		inner := change
		var err error
		change = func(below any) (any, bool) {
			below, err = changeAt(below, path[1:], inner)
			return below, true
		}
		changed, outer := changeAt(place, path[:1], change)
		if outer != nil {
			err = outer
		}
		return changed, err
	}
	switch place := place.(type) {
	case *stdops.Object:
		old, _ := place.Get(path[0])
		if value, keep := change(old); keep {
			place.Set(path[0], value)
		} else {
			place.Delete(path[0])
		}
		return place, nil
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i >= len(place) {
			return place, fmt.Errorf("no item %s in a list of %d", path[0], len(place))
		}
		if value, keep := change(place[i]); keep {
			place[i] = value
			return place, nil
		}
		return slices.Delete(slices.Clone(place), i, i+1), nil
	}
	return place, fmt.Errorf("nothing at %s", path[0])
}
