package v1

import (
	"context"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

func (s *server) durations(ctx context.Context, a *service.Access, in *TaskPath) (*body[client.Durations], error) {
	found, err := s.svc.Durations(ctx, a, stdops.TaskID(in.ID))
	if err != nil {
		return nil, err
	}
	d := client.Durations{
		Tree: found.Tree, Runs: found.Runs, Median: seconds(found.Median), P95: seconds(found.P95),
		Nodes: make([]client.NodeDurations, len(found.Nodes)),
	}
	for i, n := range found.Nodes {
		d.Nodes[i] = client.NodeDurations{Index: int(n.Node), Runs: n.Runs, Median: seconds(n.Median), Rest: seconds(n.Rest)}
	}
	return answer(d), nil
}

// seconds gives a length of time to the thousandth.
func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond)/time.Millisecond) / 1000
}
