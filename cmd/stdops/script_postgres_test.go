package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stdops/stdops/internal/store/pgtest"
)

// TestPostgresScripts drives the program on PostgreSQL. Each script finds a server of its own with an empty database at $DB, and
// two addresses to listen on, $ONE and $TWO. Beside the usual commands it has those in postgresCommands.
func TestPostgresScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/postgres/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			server := pgtest.Start(t, pgtest.Options{Durable: true})
			db := server.Database(t, "", nil)
			testscript.Run(t, testscript.Params{
				Files: []string{file}, Cmds: postgresCommands(server), RequireExplicitExec: true,
				Setup: func(env *testscript.Env) error {
					env.Setenv("DB", db)
					env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
					env.Setenv("ONE", freeAddress(t))
					env.Setenv("TWO", freeAddress(t))
					return nil
				},
			})
		})
	}
}

// freeAddress finds one that nobody is given who asks for any: its port is not among those.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		listener, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 10000+rand.IntN(20000)))
		if err != nil {
			continue
		}
		defer listener.Close()
		return listener.Addr().String()
	}
	t.Fatal("no port is free")
	return ""
}

func postgresCommands(server *pgtest.Server) map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"code": exitsWith, "save": save, "until": until, "answers": answers,
		// pg stops and starts the server of the database: pg stop.
		"pg": func(ts *testscript.TestScript, _ bool, args []string) {
			if args[0] == "stop" {
				ts.Check(server.Stop(pgtest.Fast))
				return
			}
			ts.Check(server.Start())
		},
		// sql changes the database behind the back of all servers: sql 'DELETE FROM fork'.
		"sql": func(ts *testscript.TestScript, _ bool, args []string) {
			conn, err := pgx.Connect(context.Background(), ts.Getenv("DB"))
			ts.Check(err)
			_, err = conn.Exec(context.Background(), args[0])
			ts.Check(errors.Join(err, conn.Close(context.Background())))
		},
	}
}

// answers waits until an address answers with a status: answers 503 http://$ONE/readyz.
func answers(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	for deadline := time.Now().Add(time.Minute); got != want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("%s answers %d, want %d", args[1], got, want)
		}
		if got, err = statusOf(args[1]); err != nil {
			got = 0 // it does not listen yet
		}
	}
}

func statusOf(url string) (int, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Close = true
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}
