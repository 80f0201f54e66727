package conformance

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/store/pgtest"
)

// serveEnv makes this program a server until its input ends; its value is the address of the database.
const serveEnv = "STDOPS_CONFORMANCE_SERVE"

// startProcesses runs processes of this program as servers on one PostgreSQL database, until the test ends.
func startProcesses(t *testing.T, n int, code, secret string) (bases []string) {
	t.Helper()
	db := pgtest.Start(t, pgtest.Options{}).Database(t, "conformance", func(ctx context.Context, url string) error {
		return app.Upgrade(ctx, app.Place{DB: url}, slog.New(slog.DiscardHandler))
	})
	for range n {
		bases = append(bases, startProcess(t, db, code, secret))
	}
	return bases
}

func startProcess(t *testing.T, db, code, secret string) string {
	t.Helper()
	p := exec.Command(os.Args[0], "-test.run=^$")
	p.Env = append(os.Environ(), serveEnv+"="+db, "CONFORMANCE_DIR="+t.TempDir(), "CONFORMANCE_CODE="+code, "CONFORMANCE_SECRET="+secret)
	p.Stderr = t.Output()
	in, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := p.Wait(); err != nil {
			t.Errorf("a process ended badly: %v", err)
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("a process did not start: %v", err)
	}
	return strings.TrimSpace(address)
}

// serveCases is such a process.
func serveCases() (status int) {
	ctx := context.Background()
	a, err := app.New(ctx, app.Options{
		Listen: "127.0.0.1:0", DB: os.Getenv(serveEnv), DataDir: os.Getenv("CONFORMANCE_DIR"), TestPlugins: true,
		BootstrapAppCode: os.Getenv("CONFORMANCE_CODE"), BootstrapAppSecret: os.Getenv("CONFORMANCE_SECRET"),
	})
	if err == nil {
		err = a.Start(ctx)
	}
	if err == nil {
		fmt.Println("http://" + a.Addr())
		_, _ = io.Copy(io.Discard, os.Stdin)
		err = a.Stop(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
