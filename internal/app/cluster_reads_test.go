package app_test

import (
	"testing"

	"github.com/stdops/stdops/internal/app"
)

// TestClusterReads is [TestReads] with three servers, of which each request asks another: each shows at once what any of them
// has acknowledged, and none goes back behind what another has shown.
func TestClusterReads(t *testing.T) {
	t.Parallel()
	c := newCluster(t, app.Roles{}, app.Roles{}, app.Roles{NoWorker: true})
	var servers []*caller
	for i, a := range c.apps {
		servers = append(servers, &caller{t: t, base: "http://" + a.Addr(), socket: app.SocketPath(c.dirs[i])})
	}
	testReads(t, servers...)
}
