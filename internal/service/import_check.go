package service

import (
	"context"
	"fmt"
	"slices"

	"github.com/stdops/stdops/internal/exchange"
	"github.com/stdops/stdops/internal/expr"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/lazy"
)

// Severity says what becomes of a flow with a [Finding].
type Severity string

// The severities.
const (
	Blocks  Severity = "blocks"  // the flow, or a node of it, would not run
	Differs Severity = "differs" // it would run, but perhaps not as where it comes from
	Lost    Severity = "lost"    // a setting beside the flow is not kept
)

// Finding is something in a file that is not supported here.
type Finding struct {
	Severity Severity
	Path     string // in the tree, or the name of a setting
	Message  string
}

// CheckedFlow is a flow of a file with what was found about it.
type CheckedFlow struct {
	Name     string
	Nodes    int // of its own
	Findings []Finding
}

// CheckImport tells what of a file is covered here, and stores nothing. A file that can not be read is refused.
func (s *Service) CheckImport(ctx context.Context, a *Access, n NewImport) ([]CheckedFlow, error) {
	if err := a.RequireImport(n.Common); err != nil {
		return nil, err
	}
	owner := a.importer(n.Common)
	set, err := s.readImport(ctx, owner, n)
	if err != nil {
		return nil, err
	}
	flows := make([]CheckedFlow, len(set.Flows))
	for i := range set.Flows {
		f := &set.Flows[i]
		flows[i] = CheckedFlow{Name: f.Name, Nodes: f.Tree.Size()}
		_, err := s.checkInSet(ctx, owner, set, i)
		switch {
		case err == nil:
			flows[i].Findings = append(lackedSchemes(set, f), s.findings(f)...)
		case isRefusal(err): // and so would be the whole file
			flows[i].Findings = []Finding{{Blocks, "", err.Error()}}
		default:
			return nil, err
		}
	}
	return flows, nil
}

// mostFindings is how many findings of one kind one flow may have in a report.
const mostFindings = 200

// report collects findings until nobody would read on.
type report []Finding

func (r *report) add(severity Severity, path, format string, args ...any) (more bool) {
	switch {
	case len(*r) > mostFindings:
		return false
	case len(*r) == mostFindings:
		*r = append(*r, Finding{severity, "", "and more of these"})
		return false
	}
	*r = append(*r, Finding{severity, path, fmt.Sprintf(format, args...)})
	return true
}

// findings looks at one flow, without those that it refers to.
func (s *Service) findings(f *exchange.Flow) []Finding {
	var plugins, classes, conditions, texts report
	for _, w := range s.unknownPlugins(f.Tree) {
		if !plugins.add(Blocks, w.Path, "%s", w.Message) {
			break
		}
	}
	for path, class := range f.Tree.Classes() {
		if name, _ := class.(string); !lazy.Known(name) && !classes.add(Blocks, path, "variables of the class %.64s are not computed, they count as text", class) {
			break
		}
	}
	for path, text := range f.Tree.Conditions() {
		_, err := expr.ParseCondition(fmt.Sprint(text))
		if err != nil && !conditions.add(Blocks, path, "%s", err) {
			break
		}
	}
	for _, places := range []flow.Places{f.Tree.Conditions(), f.Tree.Rendered()} {
		texts.literal(places)
	}
	return slices.Concat(plugins, classes, conditions, texts, lost(f))
}

func (r *report) literal(places flow.Places) {
	for path, value := range places {
		for _, fragment := range expr.Literal(value) {
			if !r.add(Differs, path, "%.100s stays as it is: it is forbidden, or no expression here", fragment) {
				return
			}
		}
	}
}

// lost tells what stands beside a flow and is not kept.
func lost(f *exchange.Flow) []Finding {
	var found []Finding
	for _, setting := range f.Ignored {
		found = append(found, Finding{Lost, setting, setting + " is not kept yet"})
	}
	return found
}

// lackedSchemes tells which subprocesses ask for execution schemes that the file does not have.
func lackedSchemes(set *exchange.Set, f *exchange.Flow) []Finding {
	var found report
	for _, ref := range f.Tree.Children() {
		id := set.Lacks(ref)
		if id != "" && !found.add(Blocks, ref.Path+".scheme_id_list", "the template that it runs has no scheme %.64s", id) {
			break
		}
	}
	return found
}
