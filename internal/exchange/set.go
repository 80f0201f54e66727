package exchange

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// The words for where flows belong to.
const (
	SourceProject = "project"
	SourceCommon  = "common"

	// sourceFile is the source of a flow that stands in the same file; its number is its place in the set, from 1. It is
	// written into the trees of a set only, never into a file or a stored flow. It is no UTF-8, so no text that anybody
	// sends can hold it.
	sourceFile = "\xfffile"
)

// Set is what a file holds.
type Set struct {
	Source            string // project or common: what was exported
	Flows             []Flow // each after those that it refers to
	Projects          []int64
	OverrideForbidden bool
}

// Flow is a flow of a file.
type Flow struct {
	Key         string            // by which the file refers to it
	Public      stdops.TemplateID // its id where it was exported, 0 for none
	Name        string
	Description string
	Category    string
	Tree        *flow.Tree
	Schemes     []Scheme
	Ignored     []string // what the file sets for it and stdops does not keep, such as notify_type
}

// Scheme is a saved selection of the nodes of a flow.
type Scheme struct {
	ID     int64  // where it was exported; of a placed one, where it is stored
	Unique string // where it was exported
	Name   string
	Nodes  []string // ids of the activities that it keeps
}

// Tree gives the tree that a subprocess of the set refers to; ok is false when it refers to a flow that is stored here.
func (s *Set) Tree(ref flow.ChildRef) (tree *flow.Tree, ok bool) {
	if ref.Source != sourceFile {
		return nil, false
	}
	return s.Flows[ref.Template-1].Tree, true
}

// Lacks gives a scheme that a subprocess asks for and that its flow in the file does not have, "" when there is none.
func (s *Set) Lacks(ref flow.ChildRef) string {
	if ref.Source != sourceFile || ref.Schemes == "" {
		return ""
	}
	for id := range strings.SplitSeq(ref.Schemes, ",") {
		if !slices.ContainsFunc(s.Flows[ref.Template-1].Schemes, func(c Scheme) bool { return c.is(id) }) {
			return id
		}
	}
	return ""
}

// is reports whether an id of a scheme_id_list, its number as a text or not, means the scheme.
func (s *Scheme) is(id any) bool {
	text := fmt.Sprint(id)
	return s.ID != 0 && text == strconv.FormatInt(s.ID, 10) || s.Unique != "" && text == s.Unique
}

// Errors of a flow say which one it is.
func (f *Flow) wrong(err error) error {
	known := stdops.ErrorCode(err)
	if known == stdops.CodeInternal {
		return fmt.Errorf("flow %s: %w", f.Key, err)
	}
	return &stdops.Error{Code: known, Message: "template " + stdops.Short(f.Name) + ": " + err.Error(), Err: err}
}

// Wrong says of an error to which flow it belongs.
func (s *Set) Wrong(place int, err error) error { return s.Flows[place].wrong(err) }

// mostUnfolded is how many nodes all flows of a file may have together, each counted with its subprocesses: checking them
// takes time and memory for all of these.
const mostUnfolded = 200_000

// checkSize adds up what the flows become when they are unfolded, before anything is.
func (s *Set) checkSize() error {
	sizes, total := make([]int, len(s.Flows)), 0
	for i := range s.Flows {
		tree := s.Flows[i].Tree
		sizes[i] = tree.Size()
		for _, ref := range tree.Children() {
			if ref.Source == sourceFile {
				sizes[i] = min(sizes[i]+sizes[ref.Template-1], mostUnfolded+1)
			}
		}
		if total += sizes[i]; total > mostUnfolded {
			return invalid("the flows of the file, with their subprocesses, have more than %d nodes", mostUnfolded)
		}
	}
	return nil
}

func invalid(format string, args ...any) *stdops.Error {
	return stdops.Errorf(stdops.CodeInvalid, format, args...)
}
