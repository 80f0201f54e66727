package app_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/store/pgtest"
)

// A process that drives no tasks asks others, in the transaction that makes one runnable, to go on with it.
func TestShared_hints(t *testing.T) {
	t.Parallel()
	c := newCluster(t, app.Roles{NoWorker: true})
	db, err := sql.Open("pgx", c.db)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tree, err := json.Marshal(chain(act("a", "bk_display", "bk_display_message", "x")).tree())
	if err != nil {
		t.Fatal(err)
	}
	native := c.client(0)
	for i, start := range []bool{true, false} {
		task, err := native.CreateTask(t.Context(), 1, client.NewTask{Name: "one", Tree: tree, Start: start})
		if err == nil && !start {
			_, err = native.Do(t.Context(), 1, task.ID, client.Command{Command: "start"})
		}
		if err != nil {
			t.Fatal(err)
		}
		var hints int
		err = db.QueryRowContext(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'wake' AND args->>'task' = $1`, strconv.FormatInt(task.ID, 10)).Scan(&hints)
		if err != nil || hints != 1 {
			t.Errorf("start %d: %d hints, %v", i, hints, err)
		}
	}
}

// Whoever is faster makes the application that the settings of all processes name.
func TestShared_starts_at_once(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	var all sync.WaitGroup
	var apps [12]*app.App
	for i := range apps {
		all.Go(func() {
			a, err := app.New(t.Context(), app.Options{
				Listen: "127.0.0.1:0", DataDir: t.TempDir(), DB: c.db, BootstrapAppCode: appCode, BootstrapAppSecret: appSecret,
			})
			if err != nil {
				t.Error(err)
				return
			}
			apps[i] = a
		})
	}
	all.Wait()
	for _, a := range apps {
		if a != nil {
			stop(t, a)
		}
	}
}

// A token that was made by way of one process signs in by way of another, at its first request.
func TestShared_token_signs_in_anywhere(t *testing.T) {
	t.Parallel()
	c := newCluster(t, app.Roles{}, app.Roles{})
	native := c.client(0)
	if _, err := native.CreateUser(t.Context(), client.NewUser{Name: "ann"}); err != nil {
		t.Fatal(err)
	}
	token, err := native.CreateToken(t.Context(), client.NewToken{User: "ann", Name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post("http://"+c.apps[1].Addr()+"/api/v1/session", "application/json", strings.NewReader(`{"token":"`+token.Secret+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || len(res.Cookies()) != 1 {
		t.Errorf("%s, %d cookies", res.Status, len(res.Cookies()))
	}
}

// A stop that has to cut off a call ends as well as any other, though that took all the time there was.
func TestShared_stop_cuts_off(t *testing.T) {
	t.Parallel()
	c := newCluster(t, app.Roles{})
	tree, err := json.Marshal(chain(act("long", "effect_long", "seconds", "60")).tree())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.client(0).CreateTask(t.Context(), 1, client.NewTask{Name: "one", Tree: tree, Start: true}); err != nil {
		t.Fatal(err)
	}
	isOut := regexp.MustCompile(`stdops_calls_out\{class="[a-z]+"\} 1`)
	for out := false; !out; {
		res, err := http.Get("http://" + c.apps[0].Addr() + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			t.Fatal(err)
		}
		out = isOut.Match(text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // more than the queue needs
	defer cancel()
	if err := c.apps[0].Stop(ctx); err != nil {
		t.Error(err)
	}
}

// A process whose database is not there yet waits for it, and answers meanwhile that it is not ready.
func TestShared_waits_for_the_database(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	db := database(t, server)
	if err := server.Stop(pgtest.Fast); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	made := make(chan error)
	begin := func(ctx context.Context) {
		a, err := app.New(ctx, app.Options{Listen: address, DataDir: t.TempDir(), DB: db})
		if err == nil {
			err = errors.Join(a.Start(ctx), a.Stop(ctx))
		}
		made <- err
	}
	ctx, giveUp := context.WithCancel(t.Context())
	go begin(ctx)
	awaitNotReady(t, address, made)
	giveUp()
	if err := <-made; !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	go begin(t.Context())
	awaitNotReady(t, address, made)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if err := <-made; err != nil {
		t.Error(err)
	}
}

// A process that loses its database while it starts waits for it, wherever it was.
func TestShared_waits_for_a_database_that_it_has_lost(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	db := database(t, server)
	a, err := app.New(t.Context(), app.Options{Listen: "127.0.0.1:0", DataDir: t.TempDir(), DB: db})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, a)
	if err := server.Stop(pgtest.Fast); err != nil {
		t.Fatal(err)
	}
	started := make(chan error)
	go func() { started <- a.Start(t.Context()) }()
	awaitNotReady(t, a.Addr(), started)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	// A connection that was kept from before may be found broken once more.
	eventually(t, "it is ready", func() bool { return status(t, "http://"+a.Addr()+"/readyz") == http.StatusOK })
}

// Each statement of a start may be the one that is not heard of any more.
func TestShared_starts_over_broken_connections(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	for _, kind := range []string{pgtest.Statement, pgtest.Begin} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			proxy := server.Proxy(t)
			proxy.LoseAnswer(kind)
			a, err := app.New(t.Context(), app.Options{
				Listen: "127.0.0.1:0", DataDir: t.TempDir(), DB: proxy.URL(database(t, server)), BootstrapAppCode: appCode, BootstrapAppSecret: appSecret,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer stop(t, a)
			if err := a.Start(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// awaitNotReady waits until the server at an address says that it is not ready.
func awaitNotReady(t *testing.T, address string, ended <-chan error) {
	t.Helper()
	for waits := false; !waits; {
		res, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			waits = res.StatusCode == http.StatusServiceUnavailable
			_ = res.Body.Close()
		}
		select {
		case err := <-ended:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
	}
}
