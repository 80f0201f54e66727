package exchange

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"

	"github.com/stdops/stdops"
)

// yamlBuilder builds the tree of a document.
type yamlBuilder struct {
	reader    *yamlReader
	document  *yamlDocument
	places    map[string]int // of the nodes in the document, by id
	nodes     []*stdops.Object
	flows     *stdops.Object
	between   map[[2]string]string // ids of flows by the nodes that they lead from and to
	constants *stdops.Object
}

func (b *yamlBuilder) tree() (*stdops.Object, error) {
	b.flows, b.between, b.constants = &stdops.Object{}, map[[2]string]string{}, &stdops.Object{}
	tree := stdops.NewObject("activities", &stdops.Object{}, "gateways", &stdops.Object{})
	for i, n := range b.document.nodes.Content {
		if err := b.place(tree, i, n); err != nil {
			return nil, err
		}
	}
	for i, n := range b.document.nodes.Content {
		if err := b.connect(i, n); err != nil {
			return nil, err
		}
	}
	for i, n := range b.document.nodes.Content {
		if err := b.fill(i, n); err != nil {
			return nil, err
		}
	}
	if err := b.rest(tree); err != nil {
		return nil, err
	}
	tree.Set("flows", b.flows)
	tree.Set("constants", b.constants)
	return tree, nil
}

// sectionOf gives the key under which nodes of a type stand in a tree.
func sectionOf(kind string) string {
	switch kind {
	case stdops.KindStartEvent.String():
		return "start_event"
	case stdops.KindEndEvent.String():
		return "end_event"
	case stdops.KindActivity.String(), stdops.KindSubprocess.String():
		return "activities"
	case stdops.KindExclusive.String(), stdops.KindParallel.String(), stdops.KindConditionalParallel.String(), stdops.KindConverge.String():
		return "gateways"
	default:
		return ""
	}
}

// place puts a node into the tree, with nothing but its name.
func (b *yamlBuilder) place(tree *stdops.Object, i int, n *yaml.Node) error {
	if err := ofKind(n, "a node", yaml.MappingNode); err != nil {
		return err
	}
	id, err := need(n, "id", yaml.ScalarNode)
	if err != nil {
		return err
	}
	kind, err := need(n, "type", yaml.ScalarNode)
	if err != nil {
		return err
	}
	section := sectionOf(kind.Value)
	_, taken := b.places[id.Value]
	_, had := tree.Get(section)
	event := section == "start_event" || section == "end_event"
	switch {
	case id.Value == "":
		return wrongAt(id, "id must not be empty")
	case taken:
		return wrongAt(id, "the id %q is that of another node too", stdops.Short(id.Value))
	case section == "":
		return wrongAt(kind, "%q is no type of node", stdops.Short(kind.Value))
	case event && had:
		return wrongAt(n, "there is another node of type %s", kind.Value)
	}
	b.places[id.Value] = i
	o := stdops.NewObject("id", id.Value, "type", kind.Value, "name", textAt(n, "name"), "incoming", []any{}, "outgoing", "")
	if section == "gateways" && kind.Value != stdops.KindConverge.String() {
		o.Set("outgoing", []any{})
	}
	if section == "start_event" {
		o.Set("incoming", "")
	}
	b.nodes = append(b.nodes, o)
	if event {
		tree.Set(section, o)
		return nil
	}
	all, _ := object(tree, section)
	all.Set(id.Value, o)
	return nil
}

// connect makes the flows that lead out of a node.
func (b *yamlBuilder) connect(i int, n *yaml.Node) error {
	o := b.nodes[i]
	targets, err := b.next(i, n)
	if err != nil {
		return err
	}
	_, many := mustGet(o, "outgoing").([]any)
	for j, to := range targets {
		if j > 0 && !many {
			return wrongAt(n, "a node of type %s has one successor", o.Text("type"))
		}
		if err := b.flow(n, o, to, many); err != nil {
			return err
		}
	}
	return nil
}

func mustGet(o *stdops.Object, key string) any {
	v, _ := o.Get(key)
	return v
}

// next gives the places of the nodes that follow a node.
func (b *yamlBuilder) next(i int, n *yaml.Node) ([]int, error) {
	given, err := may(n, "next", yaml.SequenceNode)
	if err != nil {
		return nil, err
	}
	end := b.nodes[i].Text("type") == stdops.KindEndEvent.String()
	switch {
	case given != nil && end && len(given.Content) > 0:
		return nil, wrongAt(given, "nothing follows the end event")
	case end:
		return nil, nil
	case given == nil && i+1 == len(b.nodes):
		return nil, wrongAt(n, "nothing follows this node")
	case given == nil:
		return []int{i + 1}, nil
	case len(given.Content) == 0:
		return nil, wrongAt(given, "next must name a node")
	}
	var places []int
	for _, item := range given.Content {
		to, known := b.places[item.Value]
		if item.Kind != yaml.ScalarNode || !known {
			return nil, wrongAt(item, "there is no node %q", stdops.Short(item.Value))
		}
		places = append(places, to)
	}
	return places, nil
}

func (b *yamlBuilder) flow(n *yaml.Node, from *stdops.Object, to int, many bool) error {
	target := b.nodes[to]
	ends := [2]string{from.Text("id"), target.Text("id")}
	if b.between[ends] != "" {
		return wrongAt(n, "next names %q twice", stdops.Short(ends[1]))
	}
	if target.Text("type") == stdops.KindStartEvent.String() {
		return wrongAt(n, "nothing leads to the start event")
	}
	id := "l" + strconv.Itoa(b.flows.Len()+1)
	b.between[ends] = id
	b.flows.Set(id, stdops.NewObject("id", id, "source", ends[0], "target", ends[1], "is_default", false))
	if many {
		from.Set("outgoing", append(mustGet(from, "outgoing").([]any), id))
	} else {
		from.Set("outgoing", id)
	}
	target.Set("incoming", append(mustGet(target, "incoming").([]any), id))
	return nil
}

// fill gives a node what it is made of.
func (b *yamlBuilder) fill(i int, n *yaml.Node) error {
	o := b.nodes[i]
	switch sectionOf(o.Text("type")) {
	case "activities":
		return b.activity(o, n)
	case "gateways":
		return b.gateway(o, n)
	default:
		return nil
	}
}

func (b *yamlBuilder) gateway(o *stdops.Object, n *yaml.Node) error {
	if converge := textAt(n, "converge_gateway_id"); converge != "" {
		o.Set("converge_gateway_id", converge)
	}
	kind := o.Text("type")
	if kind != stdops.KindExclusive.String() && kind != stdops.KindConditionalParallel.String() {
		return nil
	}
	given, err := need(n, "conditions", yaml.MappingNode)
	if err != nil {
		return err
	}
	conditions := &stdops.Object{}
	for target, c := range pairs(given) {
		id, err := b.leads(o, target)
		if err != nil {
			return err
		}
		evaluate, err := need(c, "evaluate", yaml.ScalarNode)
		if err != nil {
			return err
		}
		conditions.Set(id, stdops.NewObject("evaluate", evaluate.Value, "name", textAt(c, "name")))
	}
	o.Set("conditions", conditions)
	fallback, err := may(n, "default_condition", yaml.MappingNode)
	if err != nil || fallback == nil {
		return err
	}
	if len(fallback.Content) != 2 {
		return wrongAt(fallback, "default_condition must name one node")
	}
	id, err := b.leads(o, fallback.Content[0])
	o.Set("default_condition", stdops.NewObject("flow_id", id, "name", textAt(fallback.Content[1], "name")))
	return err
}

// leads gives the flow from a gateway to the node that a condition names.
func (b *yamlBuilder) leads(o *stdops.Object, target *yaml.Node) (string, error) {
	id := b.between[[2]string{o.Text("id"), target.Value}]
	if id == "" {
		return "", wrongAt(target, "%q does not follow this gateway", stdops.Short(target.Value))
	}
	return id, nil
}

// flags are the settings of activities that have names of their own in YAML.
var flags = []struct {
	yaml, tree string
	usual      bool
}{
	{"optional", "optional", true},
	{"can_retry", "retryable", true},
	{"can_skip", "skippable", true},
	{"ignore_error", "error_ignorable", false},
}

// ownFields are fields of an activity that are made of something else, or belong to it in a tree only.
var ownFields = []string{
	"id", "type", "name", "next", "component", "output", "data", "template_id", "template_source", "version", "constants",
	"incoming", "outgoing", "pipeline", "optional", "can_retry", "can_skip", "ignore_error", "retryable", "skippable",
	"error_ignorable", "template_node_id",
}

func (b *yamlBuilder) activity(o *stdops.Object, n *yaml.Node) error {
	if _, err := need(n, "name", yaml.ScalarNode); err != nil {
		return err
	}
	o.Set("stage_name", "")
	o.Set("labels", []any{})
	o.Set("loop", nil)
	if o.Text("type") == stdops.KindActivity.String() {
		o.Set("auto_retry", stdops.NewObject("enable", false, "times", int64(0), "interval", int64(0)))
	} else {
		o.Set("always_use_latest", false)
	}
	for key, v := range pairs(n) {
		if !slices.Contains(ownFields, key.Value) {
			o.Set(key.Value, value(v))
		}
	}
	for _, f := range flags {
		on := f.usual
		if given := field(n, f.yaml); given != nil {
			on = stdops.Truth(value(given))
		}
		o.Set(f.tree, on)
	}
	if o.Text("type") == stdops.KindSubprocess.String() {
		return b.subprocess(o, n)
	}
	return b.component(o, n)
}
