package exchange

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// Existing finds a flow that is stored here, for a YAML whose subprocesses refer to it: its tree, its current version and
// whether it is of the project or common. source is "" when the YAML does not say.
type Existing func(id stdops.TemplateID, source string) (Known, error)

// Known is a flow that [Existing] found.
type Known struct {
	Tree            *stdops.Object
	Version, Source string
}

// yamlVersion is the one version of the format.
const yamlVersion = "v1"

// ReadYAML reads the flows of a YAML stream, one a document (docs/spec/api.md 4.14.2). Every refusal has a line and a column.
func ReadYAML(text string, find Existing) (*Set, error) {
	found, err := documents(text)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, invalid("YAML contains no valid template")
	}
	r := yamlReader{find: find, place: map[string]int{}}
	for i, document := range found {
		if err := r.document(i, document); err != nil {
			return nil, err
		}
	}
	return r.set()
}

// yamlReader reads a stream.
type yamlReader struct {
	find      Existing
	documents []yamlDocument
	place     map[string]int // in documents, by meta.id
	built     []*stdops.Object
	at        []int // place in the set, from 1
	copied    int   // constants, from flows to the subprocesses that refer to them
}

// yamlDocument is a flow of a stream.
type yamlDocument struct {
	root, spec, nodes *yaml.Node
	key, name, about  string
}

func (r *yamlReader) document(i int, root *yaml.Node) error {
	if err := ofKind(root, "a document", yaml.MappingNode); err != nil {
		return err
	}
	version, err := need(root, "schema_version", yaml.ScalarNode)
	if err != nil {
		return err
	}
	if version.Value != yamlVersion {
		return wrongAt(version, "schema_version must be %s", yamlVersion)
	}
	meta, err := need(root, "meta", yaml.MappingNode)
	if err != nil {
		return err
	}
	d := yamlDocument{root: root, key: textAt(meta, "id"), about: textAt(meta, "description")}
	name, err := need(meta, "name", yaml.ScalarNode)
	if err != nil {
		return err
	}
	d.name = name.Value
	if size := utf8.RuneCountInString(d.name); size < 1 || size > longestName || strings.TrimSpace(d.name) == "" {
		return wrongAt(name, "name must have 1 to %d characters", longestName)
	}
	if d.spec, err = need(root, "spec", yaml.MappingNode); err != nil {
		return err
	}
	if d.nodes, err = need(d.spec, "nodes", yaml.SequenceNode); err != nil {
		return err
	}
	if d.key == "" {
		d.key = fmt.Sprintf("template%d", i+1)
	}
	if _, twice := r.place[d.key]; twice {
		return wrongAt(meta, "the id %q is that of another document too", stdops.Short(d.key))
	}
	r.place[d.key] = i
	r.documents = append(r.documents, d)
	return nil
}

// set builds the trees, children first.
func (r *yamlReader) set() (*Set, error) {
	order, err := r.order()
	if err != nil {
		return nil, err
	}
	r.built, r.at = make([]*stdops.Object, len(r.documents)), make([]int, len(r.documents))
	s := &Set{Source: SourceProject}
	for i, found := range order {
		d := &r.documents[found]
		b := yamlBuilder{reader: r, document: d, places: map[string]int{}}
		tree, err := b.tree()
		if err != nil {
			return nil, err
		}
		r.built[found], r.at[found] = tree, i+1
		f := Flow{Key: d.key, Name: d.name, Description: d.about, Category: "Default"}
		if f.Tree, err = flow.Parse(prepared(tree)); err != nil {
			return nil, wrongAt(d.root, "%s", f.wrong(err))
		}
		s.Flows = append(s.Flows, f)
	}
	return s, s.checkSize()
}

func (r *yamlReader) order() ([]int, error) {
	o := orderer{children: make([][]int, len(r.documents)), state: make([]int, len(r.documents))}
	var nodes [][]*yaml.Node
	for i := range r.documents {
		var refer []*yaml.Node
		for _, n := range r.documents[i].nodes.Content {
			id := field(n, "template_id")
			if id == nil || textAt(n, "type") != stdops.KindSubprocess.String() {
				continue
			}
			if to, known := r.place[id.Value]; known && id.Kind == yaml.ScalarNode {
				o.children[i] = append(o.children[i], to)
				refer = append(refer, id)
			}
		}
		nodes = append(nodes, refer)
	}
	for i := range r.documents {
		if inside, ok := o.visit(i); !ok {
			return nil, wrongAt(nodes[inside][o.through], "the template contains itself")
		}
	}
	return o.order, nil
}
