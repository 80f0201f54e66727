package flow

import (
	"fmt"
	"slices"

	"github.com/stdops/stdops"
)

// Compile turns an unfolded, validated tree into the graph that the engine runs.
func Compile(t *Tree) (*Graph, error) {
	body, err := t.Body()
	if err != nil {
		return nil, err
	}
	return CompileAs(t, Hash(body))
}

// CompileAs is [Compile] for a caller who has the body, and so its hash: writing it is most of the work of a large tree.
func CompileAs(t *Tree, hash string) (*Graph, error) {
	t.number()
	c := compiler{graph: &Graph{Hash: hash}, constants: map[*Tree]map[string]*Constant{}}
	levels := t.levels()
	size, edges := 1, 0
	for _, l := range levels {
		size += 2 + len(l.tree.activities) + len(l.tree.gateways)
		edges += len(l.tree.flows)
	}
	c.graph.Nodes, c.graph.Flows = make([]Node, size), make([]Flow, edges)
	c.graph.Nodes[stdops.RootNode] = Node{Kind: stdops.KindPipeline, Converge: NoNode}
	for _, l := range levels {
		if err := c.level(l); err != nil {
			return nil, err
		}
	}
	for _, l := range levels {
		c.connect(l)
		c.secrets(l)
	}
	return c.graph, nil
}

type compiler struct {
	graph     *Graph
	constants map[*Tree]map[string]*Constant // of levels that hold subprocesses, by key
}

// constant gives the constant of a level that value names and nothing but names, nil when there is none.
func (c *compiler) constant(t *Tree, value any) *Constant {
	key, ok := value.(string)
	if !ok {
		return nil
	}
	if c.constants[t] == nil {
		byKey := make(map[string]*Constant, len(t.constants))
		for _, k := range t.constants {
			byKey[k.Key] = k
		}
		c.constants[t] = byKey
	}
	return c.constants[t][key]
}

// level fills the nodes and flows of one level and the pipeline of the node that holds it.
func (c *compiler) level(l level) error {
	t, holder := l.tree, stdops.RootNode
	if l.holder != nil {
		holder = l.holder.index
	}
	p := &Pipeline{Start: t.start.index, End: t.end.index}
	c.graph.Nodes[holder].Pipeline = p
	for _, f := range t.flows {
		source, target := t.nodes[f.source], t.nodes[f.target]
		if source == nil || target == nil {
			return fmt.Errorf("compile: %sflows.%s leads nowhere", l.at, f.id)
		}
		c.graph.Flows[f.index] = Flow{Source: source.index, Target: target.index}
	}
	for _, n := range t.all() {
		p.Children = append(p.Children, n.index)
		if err := c.node(l, n, holder); err != nil {
			return err
		}
	}
	c.variables(l, p)
	return nil
}

func (c *compiler) node(l level, n *node, parent stdops.NodeIndex) error {
	g := Node{Kind: n.kind, Name: n.name, Parent: parent, In: len(n.in), Converge: NoNode}
	edges := make(map[string]Edge, len(n.out))
	for _, id := range n.out {
		f := l.tree.lines[id]
		if f == nil {
			return fmt.Errorf("compile: %s%s has no flow %s", l.at, n.path(), id)
		}
		e := Edge{Flow: f.index, Target: c.graph.Flows[f.index].Target}
		edges[id] = e
		g.Out = append(g.Out, e)
	}
	if m := l.tree.nodes[n.converge]; m != nil && n.kind.Gateway() && n.kind != stdops.KindConverge {
		g.Converge = m.index
	}
	for _, k := range n.conditions {
		e, ok := edges[k.flow]
		if !ok {
			return fmt.Errorf("compile: %s%s has a condition for the foreign flow %s", l.at, n.path(), k.flow)
		}
		g.Branches = append(g.Branches, Branch{Edge: e, Evaluate: k.evaluate})
	}
	if e, ok := edges[n.fallback]; ok {
		g.Default = &e
	}
	switch n.kind {
	case stdops.KindActivity:
		if n.component == nil {
			return fmt.Errorf("compile: %s%s has no component", l.at, n.path())
		}
		if n.child != nil {
			return fmt.Errorf("compile: %s%s is not unfolded", l.at, n.path())
		}
		if n.own != nil {
			c.graph.Inside += n.own.size()
		}
		g.Activity, g.Source = activityOf(n), n.source
	case stdops.KindSubprocess:
		if n.pipeline == nil {
			return fmt.Errorf("compile: %s%s is not unfolded", l.at, n.path())
		}
		g.Source = n.source
	default:
	}
	c.graph.Nodes[n.index] = g
	return nil
}

func activityOf(n *node) *Activity {
	o := n.raw
	a := &Activity{
		Code: n.component.code, Version: n.component.version, Inputs: n.component.inputs,
		Skippable:    flag(o, "skippable", flag(o, "isSkipped", true)),
		Retryable:    flag(o, "retryable", flag(o, "can_retry", true)),
		IgnoreErrors: flag(o, "error_ignorable", false),
		AutoRetry:    autoRetryOf(o),
		Timeout:      timeoutOf(o),
		Executor:     o.Text("executor_proxy"),
	}
	if a.IgnoreErrors {
		a.Skippable = true
	}
	if n.own != nil {
		a.Inputs = slices.Clone(a.Inputs)
		for i := range a.Inputs {
			if a.Inputs[i].Key == ownInput {
				a.Inputs[i].Value = n.ownValue()
			}
		}
	}
	return a
}

// variables compiles the constants of a level.
func (c *compiler) variables(l level, p *Pipeline) {
	p.Variables = make(map[string]Variable, len(l.tree.constants))
	p.Outputs = mapped(l.tree.outputs, bare)
	for _, k := range l.tree.constants {
		meta, _ := k.raw.Get("meta")
		v := Variable{
			Value: k.Value, CustomType: k.CustomType, SourceType: k.SourceType, Shown: k.Shown, Meta: meta,
			Output: k.SourceType == sourceOutputs,
		}
		v.PreRender = !v.Output && flag(k.raw, "pre_render_mako", false)
		if l.holder == nil {
			v.Value = nil
		}
		p.Variables[bare(k.Key)] = v
		p.Order = append(p.Order, bare(k.Key))
	}
}

// customSecret is the kind of constants whose values are not to be shown.
const customSecret = "password"

func (c *compiler) secrets(l level) {
	holder := stdops.RootNode
	if l.holder != nil {
		holder = l.holder.index
	}
	for _, k := range l.tree.constants {
		if k.CustomType == customSecret {
			c.graph.Secrets = append(c.graph.Secrets, VariableRef{holder, bare(k.Key)})
		}
	}
	for _, n := range l.tree.activities {
		if n.own == nil {
			continue
		}
		for _, inner := range n.own.levelsWithin() {
			for _, k := range inner.constants {
				if k.CustomType == customSecret {
					c.graph.InnerSecrets = append(c.graph.InnerSecrets, k.Value)
				}
			}
		}
	}
}

// connect compiles what passes between nodes, variables and levels: outputs of nodes that feed variables, and the
// values that enter a subprocess.
func (c *compiler) connect(l level) {
	for _, k := range l.tree.constants {
		if n, output := k.producer(l.tree); n != nil {
			m := Mapping{Key: bare(output), Variable: bare(k.Key)}
			switch g := &c.graph.Nodes[n.index]; {
			case g.Activity != nil:
				g.Activity.Outputs = append(g.Activity.Outputs, m)
			case g.Pipeline != nil:
				g.Pipeline.Mapping = append(g.Pipeline.Mapping, m)
			}
		}
	}
	if l.holder == nil {
		return
	}
	p := c.graph.Nodes[l.holder.index].Pipeline
	for _, k := range l.tree.constants {
		if k.Shown {
			p.Params = append(p.Params, c.param(l, k))
		}
	}
}

// param gives the value of a shown constant as it enters its subprocess. One that is hooked to a constant around it
// takes that constant's value as it is: it was computed there.
func (c *compiler) param(l level, k *Constant) Param {
	meta, _ := k.raw.Get("meta")
	p := Param{Key: bare(k.Key), Value: k.Value, Render: flag(k.raw, "need_render", true), CustomType: k.CustomType, Meta: meta}
	if outer := c.constant(l.outer, k.Value); outer != nil && outer.tiedTo(l.holder.id, k.Key) {
		p.CustomType, p.Meta = "", nil
	}
	return p
}

// tiedTo reports whether source_info of the constant names the field of the node.
func (c *Constant) tiedTo(nodeID, field string) bool {
	for _, s := range c.source {
		if s.node == nodeID {
			return slices.Contains(s.keys, field)
		}
	}
	return false
}
