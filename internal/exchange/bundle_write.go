package exchange

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/stdops/stdops"
)

// Stored is a stored flow that is to be written into a file.
type Stored struct {
	ID              stdops.TemplateID
	Source          string // SourceProject or SourceCommon
	Project         stdops.ProjectID
	Name            string
	Category        string
	Description     string
	Creator, Editor string
	Created, Edited time.Time
	Version         string
	Tree            *stdops.Object // as it is stored; it is not changed
	Schemes         []Scheme
}

// owned tells flows of a project and common ones with the same number apart.
type owned struct {
	source string
	id     stdops.TemplateID
}

// WriteBundle writes a bundle, signed with a salt. The flows are those that were asked for and all that they refer to.
func WriteBundle(source string, flows []Stored, salt string) (string, error) {
	w := bundleWriter{byRef: map[owned]*Stored{}, refs: map[string]*stdops.Object{}}
	for i := range flows {
		w.byRef[owned{flows[i].Source, flows[i].ID}] = &flows[i]
	}
	rows, trees, refs := &stdops.Object{}, &stdops.Object{}, &stdops.Object{}
	for i := range flows {
		f := &flows[i]
		tree, err := w.tree(f)
		if err != nil {
			return "", err
		}
		rows.Set(strconv.FormatInt(int64(f.ID), 10), w.row(f))
		trees.Set(key(f), w.flow(f, tree))
	}
	for i := range flows {
		if found := w.refs[key(&flows[i])]; found != nil {
			refs.Set(key(&flows[i]), found)
		}
	}
	content := stdops.NewObject("exporter_version", int64(1), "template_source", source, "template", rows,
		"pipeline_template_data", stdops.NewObject("refs", refs, "template", trees))
	return seal(content, salt)
}

// bundleWriter writes the flows of one bundle.
type bundleWriter struct {
	byRef map[owned]*Stored
	refs  map[string]*stdops.Object // pipeline id of a child → pipeline ids of parents → their activities
}

func key(f *Stored) string { return stdops.PipelineID(f.ID) }

// tree gives the tree of a flow with references as they are in a bundle.
func (w *bundleWriter) tree(f *Stored) (*stdops.Object, error) {
	tree, err := copied(f.Tree)
	if err != nil {
		return nil, err
	}
	for _, a := range activities(tree, "") {
		if !a.refers() {
			continue
		}
		child, err := w.child(f, a)
		if err != nil {
			return nil, err
		}
		a.node.Set("template_id", key(child))
		a.node.Set("version", child.Version)
		a.node.Delete("template_source")
		w.refer(child, f, a.node.Text("id"))
	}
	return prepared(tree), nil
}

// child gives the flow that a subprocess refers to, in its current version.
func (w *bundleWriter) child(f *Stored, a place) (*Stored, error) {
	child := w.byRef[reference(f.Source, a.node)]
	if child == nil {
		return nil, fmt.Errorf("template %d: %s refers to a flow that was not loaded", f.ID, a.at())
	}
	return child, expired(f, child, a.node)
}

// expired refuses a subprocess that asks for another version than the current one, which is the one in the file.
func expired(f, child *Stored, node *stdops.Object) error {
	version := node.Text("version")
	if version == "" || version == child.Version || truth(node, "always_use_latest") {
		return nil
	}
	return stdops.Errorf(stdops.CodeEngine, "template %s has expired subprocess, please update it before exporting.", f.Name)
}

// reference reads which flow a subprocess of a stored flow refers to. Flows that are common refer to common ones only.
func reference(source string, node *stdops.Object) owned {
	value, _ := node.Get("template_id")
	id, _ := value.(int64)
	if text, ok := value.(string); ok {
		id, _ = wholeNumber(text)
	}
	if node.Text("template_source") == SourceCommon {
		source = SourceCommon
	}
	return owned{source, stdops.TemplateID(id)}
}

func (w *bundleWriter) refer(child, parent *Stored, activity string) {
	parents := w.refs[key(child)]
	if parents == nil {
		parents = &stdops.Object{}
		w.refs[key(child)] = parents
	}
	had, _ := parents.Get(key(parent))
	list, _ := had.([]any)
	parents.Set(key(parent), append(list, activity))
}

func (w *bundleWriter) row(f *Stored) *stdops.Object {
	row := stdops.NewObject(
		"id", int64(f.ID), "pipeline_template_id", key(f), "pipeline_template_str_id", key(f), "category", f.Category,
		"notify_type", `{"success":[],"fail":[]}`, "notify_receivers", `{"receiver_group":[],"more_receiver":""}`,
		"time_out", int64(20), "is_deleted", false, "ai_notify_type", &stdops.Object{}, "ai_notify_group", &stdops.Object{},
	)
	if f.Source == SourceCommon {
		row.Set("extra_info", stdops.NewObject("project_scope", []any{"*"}))
		return row
	}
	row.Set("project_id", int64(f.Project))
	row.Set("executor_proxy", "")
	row.Set("default_flow_type", string(stdops.FlowCommon))
	return row
}

func (w *bundleWriter) flow(f *Stored, tree *stdops.Object) *stdops.Object {
	flow := stdops.NewObject(
		"id", int64(f.ID), "template_id", key(f), "name", f.Name, "description", f.Description, "creator", f.Creator,
		"editor", f.Editor, "create_time", moment(f.Created), "edit_time", moment(f.Edited), "is_deleted", false, "tree", tree,
	)
	if len(f.Schemes) > 0 {
		flow.Set("schemes", schemesOf(f))
	}
	return flow
}

func schemesOf(f *Stored) []any {
	list := make([]any, len(f.Schemes))
	for i, scheme := range f.Schemes {
		nodes, err := json.Marshal(append([]string{}, scheme.Nodes...))
		if err != nil { // nothing in a list of texts can keep it from being written
			nodes = []byte("[]")
		}
		list[i] = stdops.NewObject("id", scheme.ID, "unique_id", scheme.Unique, "name", scheme.Name,
			"data", string(nodes), "template_id", int64(f.ID))
	}
	return list
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// copied gives a copy of a tree that may be changed at any depth.
func copied(tree *stdops.Object) (*stdops.Object, error) {
	text, err := stdops.EncodeValue(tree)
	if err != nil {
		return nil, fmt.Errorf("copy tree: %w", err)
	}
	v, err := stdops.DecodeValue(text)
	if err != nil {
		return nil, fmt.Errorf("copy tree: %w", err)
	}
	return v.(*stdops.Object), nil
}
