package exchange

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// longestName is how many characters the name of a flow has at most (docs/spec/engine.md 8.5).
const longestName = 50

// ReadBundle reads the text of a bundle. Whatever is wrong with it is said with its place; the rules of docs/spec/engine.md
// 8 are for the caller to check, who can look at the flows unfolded.
func ReadBundle(text string, o Reading) (*Set, error) {
	content, err := open(text, o)
	if err != nil {
		return nil, err
	}
	r := bundleReader{content: content}
	if err := r.rows(); err != nil {
		return nil, err
	}
	if err := r.flows(); err != nil {
		return nil, err
	}
	return r.set()
}

// bundleReader reads the content of a bundle.
type bundleReader struct {
	content  *stdops.Object
	found    []bundled      // in the order of the rows
	place    map[string]int // in found, by pipeline id
	projects []int64
}

// bundled is a flow with its row.
type bundled struct {
	id       stdops.TemplateID
	key      string
	row      *stdops.Object
	flow     *stdops.Object
	tree     *stdops.Object
	children []child
}

// child is a reference to another flow of the file.
type child struct {
	place
	to int // in found
}

const rowsAt = "template_data.template."

func (r *bundleReader) rows() error {
	rows, ok := object(r.content, "template")
	if !ok {
		return invalid("template_data.template must be an object")
	}
	r.place = map[string]int{}
	for _, id := range rows.Keys() {
		at := rowsAt + stdops.Short(id)
		row, ok := object(rows, id)
		if !ok {
			return invalid("%s must be an object", at)
		}
		public, ok := publicID(id, row)
		if !ok {
			return invalid("%s: the id of a template must be a positive number, and id the same", at)
		}
		key := row.Text("pipeline_template_str_id")
		if key == "" {
			return invalid("%s.pipeline_template_str_id is required", at)
		}
		if _, twice := r.place[key]; twice {
			return invalid("%s.pipeline_template_str_id: %s belongs to another template too", at, stdops.Short(key))
		}
		r.place[key] = len(r.found)
		r.found = append(r.found, bundled{id: public, key: key, row: row})
		if v, _ := row.Get("project_id"); v != nil {
			if project, ok := v.(int64); ok && !slices.Contains(r.projects, project) {
				r.projects = append(r.projects, project)
			}
		}
	}
	if len(r.found) == 0 {
		return invalid("template_data.template holds no template")
	}
	return nil
}

// publicID reads the id under which a row stands; the one inside may be missing.
func publicID(text string, row *stdops.Object) (stdops.TemplateID, bool) {
	id, err := wholeNumber(text)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != text { // another spelling would be a second row of the id
		return 0, false
	}
	inside, had := row.Get("id")
	return stdops.TemplateID(id), !had || inside == id
}

const flowsAt = "template_data.pipeline_template_data.template."

func (r *bundleReader) flows() error {
	data, _ := object(r.content, "pipeline_template_data")
	flows, ok := object(data, "template")
	if !ok {
		return invalid("template_data.pipeline_template_data.template must be an object")
	}
	for _, key := range flows.Keys() {
		if _, known := r.place[key]; !known {
			return invalid("%s%s: no template of the file has this flow", flowsAt, stdops.Short(key))
		}
	}
	for i := range r.found {
		if err := r.found[i].read(flows); err != nil {
			return err
		}
	}
	for i := range r.found {
		if err := r.refer(&r.found[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b *bundled) read(flows *stdops.Object) error {
	var ok bool
	if b.flow, ok = object(flows, b.key); !ok {
		return invalid("%s%d: the file has no flow %s", rowsAt, b.id, stdops.Short(b.key))
	}
	at := flowsAt + stdops.Short(b.key)
	if b.tree, ok = object(b.flow, "tree"); !ok {
		return invalid("%s.tree must be an object", at)
	}
	name, _ := b.flow.Get("name")
	text, _ := name.(string)
	if size := utf8.RuneCountInString(text); size < 1 || size > longestName || strings.TrimSpace(text) == "" {
		return invalid("%s.name must be a text of 1 to %d characters", at, longestName)
	}
	return nil
}

// refer finds what the subprocesses of a flow refer to, and lets them name it by its place.
func (r *bundleReader) refer(b *bundled) error {
	for _, a := range activities(b.tree, "") {
		if !a.refers() {
			continue
		}
		value, _ := a.node.Get("template_id")
		key, _ := value.(string)
		to, known := r.place[key]
		if !known {
			return invalid("template %s: %s.template_id: the file has no flow %s", stdops.Short(b.flow.Text("name")), a.at(), stdops.Short(key))
		}
		b.children = append(b.children, child{place: a, to: to})
	}
	return nil
}

// set puts the flows in order and reads their trees.
func (r *bundleReader) set() (*Set, error) {
	order, err := r.order()
	if err != nil {
		return nil, err
	}
	s := &Set{Source: r.content.Text("template_source"), Projects: r.projects}
	if s.Source != SourceCommon {
		s.Source = SourceProject
	}
	s.OverrideForbidden = truth(r.content, "override_forbidden")
	at := make([]int, len(order)) // place in the set of what was found
	for i, found := range order {
		at[found] = i + 1
	}
	for _, found := range order {
		b := &r.found[found]
		for _, c := range b.children {
			c.node.Set("template_id", int64(at[c.to]))
			c.node.Set("template_source", sourceFile)
		}
		f, err := b.finish()
		if err != nil {
			return nil, err
		}
		s.Flows = append(s.Flows, *f)
	}
	return s, s.checkSize()
}

// order gives the flows with children before parents, and otherwise as they were found.
func (r *bundleReader) order() ([]int, error) {
	o := orderer{children: make([][]int, len(r.found)), state: make([]int, len(r.found))}
	for i := range r.found {
		for _, c := range r.found[i].children {
			o.children[i] = append(o.children[i], c.to)
		}
	}
	for i := range r.found {
		if inside, ok := o.visit(i); !ok {
			b := &r.found[inside]
			return nil, invalid("template %s: %s: the template contains itself", stdops.Short(b.flow.Text("name")), b.children[o.through].at())
		}
	}
	return o.order, nil
}

// finish reads the tree of a flow that was put in its place.
func (b *bundled) finish() (*Flow, error) {
	f := &Flow{
		Key: b.key, Public: b.id, Name: b.flow.Text("name"), Description: b.flow.Text("description"),
		Category: b.row.Text("category"), Ignored: ignored(b.row),
	}
	var err error
	if f.Schemes, err = readSchemes(b.flow, flowsAt+stdops.Short(b.key)); err != nil {
		return nil, err
	}
	if f.Tree, err = flow.Parse(prepared(b.tree)); err != nil {
		return nil, f.wrong(err)
	}
	for _, ref := range f.Tree.Children() {
		if ref.Source != sourceFile { // here its number would mean another flow
			return nil, f.wrong(invalid("%s: an activity that makes a task of a flow has to bring it as pipeline", ref.Path))
		}
	}
	return f, nil
}

// prepared gives a tree a drawing where it has none.
func prepared(tree *stdops.Object) *stdops.Object {
	for _, key := range []string{"line", "location"} {
		if list, had := tree.Get(key); had {
			if items, ok := list.([]any); !ok || len(items) > 0 {
				return tree
			}
		}
	}
	tree.Delete("line")
	tree.Delete("location")
	flow.Draw(tree)
	return tree
}
