package v1

import (
	"context"
	"fmt"
	"net/http"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// plugins adds the listing of plugins.
func (s *server) plugins() {
	add(s, route{method: http.MethodGet, path: "/plugins", id: "list-plugins", about: "Plugins, by code", needs: needsCaller},
		func(context.Context, *service.Caller, *none) (*body[client.PluginList], error) {
			found := s.svc.Plugins()
			list := client.PluginList{Plugins: make([]client.Plugin, len(found))}
			for i := range found {
				list.Plugins[i] = wirePlugin(&found[i])
			}
			return answer(list), nil
		})
	type input struct {
		Code    string `path:"code" maxLength:"128"`
		Version string `query:"version" maxLength:"128" doc:"Without it the one that a tree means which names none"`
	}
	add(s, route{method: http.MethodGet, path: "/plugins/{code}", id: "get-plugin", about: "What a plugin takes and gives", needs: needsCaller},
		func(_ context.Context, _ *service.Caller, in *input) (*body[client.PluginDetail], error) {
			found, err := s.svc.Plugin(in.Code, in.Version)
			if err != nil {
				return nil, err
			}
			detail := client.PluginDetail{Plugin: wirePlugin(found)}
			if detail.Inputs, err = found.InputSchema().MarshalJSON(); err != nil {
				return nil, fmt.Errorf("describe inputs: %w", err)
			}
			if detail.Outputs, err = found.OutputSchema().MarshalJSON(); err != nil {
				return nil, fmt.Errorf("describe outputs: %w", err)
			}
			return answer(detail), nil
		})
}

func wirePlugin(p *service.PluginEntry) client.Plugin {
	return client.Plugin{Code: p.Code, Versions: p.Versions, Name: p.Name, Group: p.Group, Doc: p.Doc}
}
