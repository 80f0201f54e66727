package flow

import (
	"reflect"
	"slices"
	"time"

	"github.com/stdops/stdops"
)

// NoNode stands where a node may be absent.
const NoNode stdops.NodeIndex = -1

// Graph is a compiled tree: what the engine runs. It is immutable and shared by all tasks of the same tree.
type Graph struct {
	Hash  string // content hash of the tree's body
	Nodes []Node // by index, the root first
	Flows []Flow // by index
	// Secrets are the variables whose values are not to be shown.
	Secrets []VariableRef
	// InnerSecrets are the values of such variables of the flows that activities make tasks of.
	InnerSecrets []any

	// Inside counts the nodes of the flows that activities make tasks of: they stand in inputs of these activities.
	Inside int
}

// VariableRef names a variable of a pipeline, without ${ and }.
type VariableRef struct {
	Pipeline stdops.NodeIndex
	Key      string
}

// SecretsOf gives what must not be shown of a task of the graph; inputs are the values of its constants.
func (g *Graph) SecretsOf(inputs *stdops.Object) stdops.Secrets {
	if !g.HasSecrets() {
		return nil
	}
	values := make([]any, len(g.Secrets))
	for i, ref := range g.Secrets {
		if ref.Pipeline == stdops.RootNode {
			values[i], _ = inputs.Get(ref.Key)
		} else {
			values[i] = g.Nodes[ref.Pipeline].Pipeline.Variables[ref.Key].Value
		}
	}
	had, _ := inputs.Get(formerSecrets)
	list, _ := had.([]any)
	return stdops.SecretsOf(slices.Concat(values, g.InnerSecrets, list)...)
}

// HasSecrets reports whether there may be something that must not be shown of a task of the graph.
func (g *Graph) HasSecrets() bool { return len(g.Secrets)+len(g.InnerSecrets) > 0 }

// formerSecrets is where the values of a task keep the secrets that it had earlier: what was stored with them is not to be
// shown either. No constant has this key.
const formerSecrets = "*"

// KeepSecrets adds to values the secrets of had that are none of values any more.
func (g *Graph) KeepSecrets(values, had *stdops.Object) {
	kept, _ := had.Get(formerSecrets)
	list, _ := kept.([]any)
	known := len(list)
	for _, ref := range g.Secrets {
		old, has := had.Get(ref.Key)
		value, _ := values.Get(ref.Key)
		if ref.Pipeline != stdops.RootNode || !has || reflect.DeepEqual(old, value) || len(stdops.SecretsOf(old)) == 0 {
			continue
		}
		if !slices.ContainsFunc(list, func(v any) bool { return reflect.DeepEqual(v, old) }) {
			list = append(list[:len(list):len(list)], old)
		}
	}
	if len(list) > known {
		values.Set(formerSecrets, list)
	}
}

// Flow is one edge of a level.
type Flow struct {
	Source, Target stdops.NodeIndex
}

// Edge is a flow as its source sees it.
type Edge struct {
	Flow   stdops.FlowIndex
	Target stdops.NodeIndex
}

// Node is one node of a [Graph].
type Node struct {
	Kind     stdops.NodeKind
	Name     string
	Parent   stdops.NodeIndex // the enclosing pipeline: the root or a subprocess node; the root's is itself
	Source   string           // id of the node in the template that it came from
	Out      []Edge           // in the order of `outgoing`; none for end events and the root
	In       int              // number of flows that lead here
	Converge stdops.NodeIndex // matched converge gateway of a branching gateway, NoNode when there is none
	Branches []Branch         // exclusive and conditional parallel gateways: in the order of `conditions`
	Default  *Edge            // exclusive and conditional parallel gateways, nil when there is none
	Activity *Activity        // activities only
	Pipeline *Pipeline        // the root and subprocess nodes only
}

// Branch is one condition of a gateway with the edge that it opens.
type Branch struct {
	Edge
	Evaluate string
}

// Activity is what a service activity executes and how its failures are treated.
type Activity struct {
	Code, Version string
	Inputs        []Input
	Outputs       []Mapping // outputs of the node that become variables of its pipeline
	Skippable     bool
	Retryable     bool
	IgnoreErrors  bool
	AutoRetry     AutoRetry
	Timeout       Timeout
	Executor      string // executor_proxy
}

// Input is one input of a plugin.
type Input struct {
	Key    string
	Value  any
	Render bool
}

// Mapping carries the output Key of a node to a variable (without ${ and }) of the enclosing pipeline.
type Mapping struct {
	Key      string
	Variable string
}

// AutoRetry is the automatic retry of a failed activity; Times 0 means none.
type AutoRetry struct {
	Times    int
	Interval time.Duration
}

// Timeout is the time limit of an activity; After 0 means none.
type Timeout struct {
	After    time.Duration
	ThenSkip bool // skip the node after it was failed
}

// Pipeline is one level of a tree: the root, or the inside of a subprocess node.
type Pipeline struct {
	Start, End stdops.NodeIndex
	Children   []stdops.NodeIndex  // the nodes of this level, by index
	Variables  map[string]Variable // by key without ${ and }
	Order      []string            // the keys of Variables in the order of the tree
	Outputs    []string            // declared outputs, without ${ and }
	Params     []Param             // subprocess nodes: what enters when the node does
	Mapping    []Mapping           // subprocess nodes: outputs into the enclosing pipeline
}

// Variable is a constant of a pipeline. Value is nil in the root pipeline: there the values come with the task.
type Variable struct {
	Value      any
	CustomType string
	SourceType string
	Shown      bool
	Output     bool // written by outputs of a node
	PreRender  bool // rendered once when the pipeline starts
	Meta       any  // `meta` of the constant, nil when it has none
}

// Param is a value that a subprocess is given by its node.
type Param struct {
	Key    string // variable of the subprocess, without ${ and }
	Value  any
	Render bool
	// CustomType is the variable class that computes the value before it enters; "" when it comes computed, hooked to
	// a variable of the enclosing pipeline. Meta belongs to it.
	CustomType string
	Meta       any
}
