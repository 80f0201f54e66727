package service

import (
	"context"
	"fmt"

	"github.com/stdops/stdops/internal/exchange"
	"github.com/stdops/stdops/internal/expr"
	"github.com/stdops/stdops/internal/flow"
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
		flows[i] = CheckedFlow{Name: f.Name, Nodes: f.Tree.Size(), Findings: s.findings(f)}
		flows[i].Findings = cut(flows[i].Findings)
		if _, err := s.checkInSet(ctx, owner, set, i); err != nil {
			if !isRefusal(err) {
				return nil, err
			}
			flows[i].Findings = append(flows[i].Findings, Finding{Blocks, "", err.Error()})
		}
	}
	return flows, nil
}

// mostFindings is how many findings one flow may have in a report.
const mostFindings = 500

// cut shortens a list that nobody would read to its end. What blocks stands first in it.
func cut(found []Finding) []Finding {
	if len(found) <= mostFindings {
		return found
	}
	more := Finding{found[mostFindings].Severity, "", fmt.Sprintf("and %d more", len(found)-mostFindings)}
	return append(found[:mostFindings:mostFindings], more)
}

// classes are the classes of variables that are computed as in bk-sops (docs/spec/engine.md 6.5).
var classes = map[string]bool{"input": true, "textarea": true, "datetime": true, "date": true, "int": true}

// findings looks at one flow, without those that it refers to.
func (s *Service) findings(f *exchange.Flow) []Finding {
	var found []Finding
	for _, w := range s.unknownPlugins(f.Tree) {
		found = append(found, Finding{Blocks, w.Path, w.Message})
	}
	for _, c := range f.Tree.Classes() {
		if class, _ := c.Value.(string); !classes[class] {
			found = append(found, Finding{Blocks, c.Path, fmt.Sprintf("variables of the class %.64s are not computed, they count as text", class)})
		}
	}
	for _, c := range f.Tree.Conditions() {
		text, _ := c.Value.(string)
		if _, err := expr.ParseCondition(text); err != nil {
			found = append(found, Finding{Blocks, c.Path, err.Error()})
		}
		found = append(found, literal(c)...)
	}
	for _, r := range f.Tree.Rendered() {
		found = append(found, literal(r)...)
	}
	return append(found, lost(f)...)
}

func literal(r flow.Rendered) []Finding {
	var found []Finding
	for _, fragment := range expr.Literal(r.Value) {
		found = append(found, Finding{Differs, r.Path, fmt.Sprintf("%.100s stays as it is: it is forbidden, or no expression here", fragment)})
	}
	return found
}

// lost tells what stands beside a flow and is not kept.
func lost(f *exchange.Flow) []Finding {
	var found []Finding
	for _, scheme := range f.Schemes {
		found = append(found, Finding{Lost, "schemes", fmt.Sprintf("the scheme %.64s is not kept yet", scheme.Name)})
	}
	for _, setting := range f.Ignored {
		found = append(found, Finding{Lost, setting, setting + " is not kept yet"})
	}
	return found
}
