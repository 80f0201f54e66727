package service

import (
	"context"
	"errors"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/exchange"
	"github.com/stdops/stdops/internal/flow"
)

// readImport reads a file.
func (s *Service) readImport(ctx context.Context, a *Access, n NewImport) (*exchange.Set, error) {
	switch {
	case n.Format == "" || n.Format == FormatBundle:
		return s.readBundle(n)
	case n.Format != FormatYAML:
		return nil, stdops.Errorf(stdops.CodeInvalid, "format must be %s or %s", FormatBundle, FormatYAML)
	case n.Override:
		return nil, stdops.Errorf(stdops.CodeRefused, "flows of YAML have no ids of their own, so they can not override any")
	}
	return s.readYAML(ctx, a, n.Text)
}

// readYAML reads a YAML stream, whose subprocesses may refer to flows that are stored here.
func (s *Service) readYAML(ctx context.Context, a *Access, text string) (*exchange.Set, error) {
	set, err := exchange.ReadYAML(text, func(id stdops.TemplateID, source string) (exchange.Known, error) {
		return s.knownFlow(ctx, a, id, source)
	})
	return set, because(ErrInvalidYAML, err)
}

// knownFlow finds a flow of the project, or else a common one.
func (s *Service) knownFlow(ctx context.Context, a *Access, id stdops.TemplateID, source string) (exchange.Known, error) {
	if source == "" {
		source = SourceProject
		found, err := s.knownFlow(ctx, a, id, source)
		if err == nil || !errors.Is(err, ErrForeignTemplate) {
			return found, err
		}
		source = SourceCommon
	}
	if source != SourceCommon { // any other word means the project, as it does in a tree
		source = SourceProject
	}
	tree, err := s.childTree(ctx, a, flow.ChildRef{Template: id, Source: source})
	if err != nil {
		return exchange.Known{}, err
	}
	return exchange.Known{Tree: tree.Template(), Version: tree.Version, Source: source}, nil
}

// readBundle reads a bundle and holds it to the rules for files that override.
func (s *Service) readBundle(n NewImport) (*exchange.Set, error) {
	set, err := exchange.ReadBundle(n.Text, exchange.Reading{Salts: s.salts, Values: mostImportValues})
	switch {
	case err != nil:
		return nil, because(ErrInvalidTree, err)
	case !n.Override:
	case !n.Common || set.Source != exchange.SourceCommon:
		return nil, stdops.Errorf(stdops.CodeRefused, "flows of a project can not override common flows")
	case set.OverrideForbidden:
		return nil, stdops.Errorf(stdops.CodeRefused, "the file forbids to override flows")
	case len(set.Projects) > 1:
		return nil, stdops.Errorf(stdops.CodeRefused, "the flows of the file belong to several projects, so they can not override any")
	}
	return set, nil
}
