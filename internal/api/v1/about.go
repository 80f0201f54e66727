package v1

import (
	"context"
	"net/http"
	"runtime"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// aboutServer adds what there is to know about the server itself.
func (s *server) aboutServer() {
	add(s, route{method: http.MethodGet, path: "/version", id: "version", about: "What the server runs", needs: needsNothing},
		func(context.Context, *service.Caller, *none) (*body[client.Version], error) {
			return answer(client.Version{Version: s.options.Version, Commit: s.options.Commit, Go: runtime.Version()}), nil
		})
	add(s, route{method: http.MethodGet, path: "/me", id: "me", about: "Who the caller is", needs: needsCaller},
		func(_ context.Context, caller *service.Caller, _ *none) (*body[client.Me], error) {
			return answer(s.me(caller)), nil
		})
	add(s, route{method: http.MethodGet, path: "/limits", id: "limits", about: "What bounds requests and tasks", needs: needsCaller},
		func(context.Context, *service.Caller, *none) (*body[client.LimitList], error) {
			return answer(client.LimitList{Limits: s.limits()}), nil
		})
}

func (s *server) me(caller *service.Caller) client.Me {
	return client.Me{User: caller.User, Admin: caller.Admin(), Local: s.options.Local, TimeZone: s.svc.TimeZone()}
}

func (s *server) limits() []client.Limit {
	list := []client.Limit{
		{Name: "head", Value: api.MaxHead, Unit: "bytes", About: "of a request: its address and headers"},
		{Name: "bodies", Value: api.KnownBytes, Unit: "bytes", About: "of the large bodies that are worked on at the same time"},
		{Name: "json-values", Value: api.MostValues, Unit: "values", About: "and keys of a request with a tree; a tenth of that without"},
		{Name: "json-depth", Value: stdops.MaxDepth, Unit: "levels", About: "of a request's JSON"},
		{Name: "ids-compatible", Value: 50, Unit: "ids", About: "in one get_tasks_status"},
		{Name: "ids-intervention", Value: 10, Unit: "ids", About: "in one get_tasks_manual_intervention_state"},
		{Name: "ids-native", Value: longestBatch, Unit: "ids", About: "in one tasks:status"},
		{Name: "page", Value: longestPage, Unit: "tasks", About: "in one page of a list"},
	}
	for _, l := range s.svc.AllLimits() {
		list = append(list, client.Limit(l))
	}
	return list
}
