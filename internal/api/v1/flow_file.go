package v1

import (
	"context"
	"net/http"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// flowFiles adds import and export of flows.
func (s *server) flowFiles() {
	body := s.svc.Limits().Body
	addOnce(s, route{
		method: http.MethodPost, path: "/projects/{project}/flows/import", id: "import-flows", about: "Store the flows of a file, all of them or none",
		needs: needs(service.FlowCreate), body: body, status: created,
	}, s.importFlows, s.importedAgain)
	addIn(s, route{
		method: http.MethodPost, path: "/projects/{project}/flows/check", id: "check-flows", about: "Tell what of a file with flows is covered, and store nothing",
		needs: needs(service.FlowCreate), body: body,
	}, s.checkFlows)
	addIn(s, route{
		method: http.MethodGet, path: "/projects/{project}/flows/export", id: "export-flows", about: "Flows, and all that they refer to, as a file",
		needs: needs(service.FlowView),
	}, s.exportFlows)
}

type importInput struct {
	ProjectPath
	KeyHeader
	Body client.FlowImport
}

func newImport(n *client.FlowImport) service.NewImport {
	return service.NewImport{Text: n.Text, Format: n.Format, Common: n.Common, Override: n.Override}
}

func (s *server) importFlows(ctx context.Context, a *service.Access, in *importInput) (*body[client.Imported], error) {
	made, err := s.svc.ImportTemplates(ctx, a, newImport(&in.Body))
	if err != nil {
		return nil, err
	}
	return answer(wireImported(made)), nil
}

// importedAgain answers with flows that were imported.
func (s *server) importedAgain(_ context.Context, _ *service.Access, _ *importInput, done *service.Done) (*body[client.Imported], error) {
	made, err := done.Imported()
	if err != nil {
		return nil, err
	}
	return answer(wireImported(made)), nil
}

func wireImported(made *service.Imported) client.Imported {
	list := client.Imported{Flows: make([]client.ImportedFlow, len(made.Flows))}
	for i, f := range made.Flows {
		list.Flows[i] = client.ImportedFlow{ID: int64(f.ID), Name: f.Name, Version: f.Version, Replaced: f.Replaced}
	}
	for _, w := range made.Warnings {
		list.Warnings = append(list.Warnings, client.Warning{Path: w.Path, Message: w.Message})
	}
	return list
}

type checkInput struct {
	ProjectPath
	Body client.FlowImport
}

func (s *server) checkFlows(ctx context.Context, a *service.Access, in *checkInput) (*body[client.ImportCheck], error) {
	flows, err := s.svc.CheckImport(ctx, a, newImport(&in.Body))
	if err != nil {
		return nil, err
	}
	check := client.ImportCheck{Flows: len(flows), Runs: true, Findings: []client.Finding{}}
	for i := range flows {
		check.Nodes += flows[i].Nodes
		for _, f := range flows[i].Findings {
			check.Runs = check.Runs && f.Severity != service.Blocks
			check.Findings = append(check.Findings, client.Finding{
				Flow: flows[i].Name, Severity: string(f.Severity), Path: f.Path, Message: f.Message,
			})
		}
	}
	return answer(check), nil
}

type exportInput struct {
	ProjectPath
	IDs    []int64 `query:"id,explode" minItems:"1" maxItems:"1000" required:"true" doc:"Of the flows"`
	Format string  `query:"format" enum:"dat,yaml" default:"dat"`
	Common bool    `query:"common" doc:"Whether they belong to no project"`
}

func (s *server) exportFlows(ctx context.Context, a *service.Access, in *exportInput) (*body[client.FlowFile], error) {
	export := service.Export{Format: in.Format, Common: in.Common}
	for _, id := range in.IDs {
		export.IDs = append(export.IDs, stdops.TemplateID(id))
	}
	text, err := s.svc.ExportTemplates(ctx, a, export)
	if err != nil {
		return nil, err
	}
	return answer(client.FlowFile{Format: in.Format, Text: text}), nil
}
