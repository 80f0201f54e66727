package sops_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/api/sops"
	"github.com/stdops/stdops/internal/service"
)

const anyTasks = `{"task_id_list":[]}`

// TestTooManyRequestsOfAnApp: what is too much is refused with 429, wherever the credentials stand, and other apps do not
// notice. The limit is so small that no machine is too slow to exceed it.
func TestTooManyRequestsOfAnApp(t *testing.T) {
	t.Parallel()
	limits := stdops.DefaultLimits()
	limits.Rate = 5
	s := setupWith(t, limits)
	must(t, s.svc.BootstrapApp(t.Context(), "other", "other-secret"))
	for _, c := range []struct {
		name   string
		body   string
		header http.Header
	}{
		{"in the header", anyTasks, http.Header{"X-Bkapi-Authorization": {auth("trusted", "admin")}}},
		{"in the body", `{"task_id_list":[],` + auth("other", "admin")[1:], nil},
	} {
		t.Run("credentials "+c.name, func(t *testing.T) {
			s := *s
			s.t = t
			const burst = 100
			answers := make([]answer, burst)
			began := time.Now()
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() { answers[i] = s.send("POST", "/get_tasks_status/2/", c.body, c.header) })
			}
			all.Wait()
			most := 5 + 5*time.Since(began).Seconds() + 1
			served := 0
			for _, a := range answers {
				switch a.status {
				case http.StatusOK:
					served++
				case http.StatusTooManyRequests:
					if a.code() != 3545000 || a.header.Get("Retry-After") != "1" || !strings.Contains(a.message(), "5 requests a second") {
						t.Errorf("Retry-After %q: %s", a.header.Get("Retry-After"), a.raw)
					}
				default:
					t.Error(a.raw)
				}
			}
			if served < 5 || served == burst || float64(served) > most {
				t.Errorf("%d of %d were served, which may be 5 to %.0f", served, burst, most)
			}
		})
	}
	must(t, s.svc.BootstrapApp(t.Context(), "third", "third-secret"))
	if a := s.send("POST", "/get_tasks_status/2/", anyTasks, http.Header{"X-Bkapi-Authorization": {auth("third", "admin")}}); !a.ok() {
		t.Errorf("another app: %s", a.raw)
	}
}

// TestPaceOutlivesChanges: who may use the server is read anew after each change, which gives nobody a new start.
func TestPaceOutlivesChanges(t *testing.T) {
	t.Parallel()
	limits := stdops.DefaultLimits()
	limits.Rate = 1
	s := setupWith(t, limits)
	must(t, s.svc.CreateUser(t.Context(), service.LocalAdmin(), service.NewUser{Name: "ann"}))
	refused := 0
	for range 20 {
		must(t, s.svc.Grant(t.Context(), service.LocalAdmin(), "ann", service.Roles{1: service.Viewer}))
		if s.call("POST", "/get_tasks_status/2/", anyTasks).status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("each change filled the bucket")
	}
}

// TestTooManyWrongSecrets: after so many nobody learns from this address whether a further one is right, for this app; an
// app that does not exist is refused in the same way, and others are not touched.
func TestTooManyWrongSecrets(t *testing.T) {
	t.Parallel()
	limits := stdops.DefaultLimits()
	limits.Failures = 2
	s := setupWith(t, limits)
	must(t, s.svc.BootstrapApp(t.Context(), "other", "other-secret"))
	try := func(app, secret string) answer {
		return s.send("POST", "/get_tasks_status/2/", anyTasks, http.Header{"X-Bkapi-Authorization": {
			`{"bk_app_code":"` + app + `","bk_app_secret":"` + secret + `","bk_username":"admin"}`,
		}})
	}
	var texts []string
	for _, app := range []string{"trusted", "nobody"} {
		for i := range 2 {
			if a := try(app, "wrong"); a.status != http.StatusUnauthorized {
				t.Errorf("%s: wrong secret %d is answered %s", app, i+1, a.raw)
			}
		}
		for _, secret := range []string{"wrong", app + "-secret"} {
			a := try(app, secret)
			wait, err := strconv.Atoi(a.header.Get("Retry-After"))
			if a.status != http.StatusTooManyRequests || a.code() != 3545000 || err != nil || wait < 1 || wait > 30 {
				t.Errorf("%s: Retry-After %q, %s", app, a.header.Get("Retry-After"), a.raw)
			}
			texts = append(texts, a.message())
		}
	}
	if slices.Sort(texts); len(slices.Compact(texts)) != 1 {
		t.Errorf("refused with %q", texts)
	}
	for range 10 { // what has no secret guesses nothing
		if a := s.send("POST", "/get_tasks_status/2/", anyTasks, nil); a.status != http.StatusUnauthorized {
			t.Fatalf("without credentials: %s", a.raw)
		}
	}
	if a := try("other", "other-secret"); !a.ok() {
		t.Errorf("another app: %s", a.raw)
	}
}

// TestWrongSecretsBehindAProxy: callers behind a proxy that is trusted count apart, whatever they make up themselves.
func TestWrongSecretsBehindAProxy(t *testing.T) {
	t.Parallel()
	limits := stdops.DefaultLimits()
	limits.Failures = 1
	s := setupWith(t, limits)
	handler, err := sops.New(s.svc, sops.Options{Proxies: api.Proxies{netip.MustParsePrefix("10.0.0.0/8")}})
	must(t, err)
	try := func(secret, told string) int {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/get_tasks_status/2/", strings.NewReader(anyTasks))
		r.RemoteAddr = "10.1.1.1:5"
		r.Header.Set("X-Forwarded-For", told)
		r.Header.Set("X-Bkapi-Authorization", `{"bk_app_code":"trusted","bk_app_secret":"`+secret+`","bk_username":"admin"}`)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	for i, c := range []struct {
		secret, told string
		want         int
	}{
		{"wrong", "203.0.113.1, 192.0.2.1", http.StatusUnauthorized},
		{"wrong", "203.0.113.2, 192.0.2.1", http.StatusTooManyRequests},
		{"trusted-secret", "192.0.2.2", http.StatusOK},
	} {
		if got := try(c.secret, c.told); got != c.want {
			t.Errorf("request %d: status %d, want %d", i+1, got, c.want)
		}
	}
}
