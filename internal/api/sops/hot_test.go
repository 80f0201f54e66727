package sops_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// BenchmarkHotBatch asks again and again for fifty tasks that nothing happens to, past the network.
func BenchmarkHotBatch(b *testing.B) {
	s := setup(b)
	var ids, steps []string
	for i := range 17 {
		steps = append(steps, fmt.Sprint("step ", i))
	}
	for range 50 {
		id, echo := s.create(chain(append(steps, "last:callback_node")...))
		s.start(id)
		for at(s.entry(id), "children", nodeNamed(echo, "last")) == nil {
			time.Sleep(time.Millisecond)
		}
		ids = append(ids, fmt.Sprint(id))
	}
	for _, children := range []bool{false, true} {
		b.Run(fmt.Sprintf("children=%v", children), func(b *testing.B) {
			body := fmt.Sprintf(`{"task_id_list":[%s],"include_children_status":%v}`, strings.Join(ids, ","), children)
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/apigw/get_tasks_status/2/", strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("X-Bkapi-Authorization", auth("trusted", "admin"))
				w := &discard{header: http.Header{}}
				s.http.Config.Handler.ServeHTTP(w, r)
				if w.status != http.StatusOK || w.bytes < 20_000 {
					b.Fatal(w.status, w.bytes)
				}
				b.SetBytes(int64(w.bytes))
			}
		})
	}
}

// discard is an answer that nobody reads.
type discard struct {
	header http.Header
	status int
	bytes  int
}

// Header gives the headers.
func (d *discard) Header() http.Header { return d.header }

// WriteHeader remembers the status.
func (d *discard) WriteHeader(status int) { d.status = status }

// Write counts.
func (d *discard) Write(p []byte) (int, error) {
	d.bytes += len(p)
	return len(p), nil
}
