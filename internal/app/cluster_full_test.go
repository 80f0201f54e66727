package app_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stdops/stdops/internal/store/pgtest"
)

// TestClusterFullDisk fills the disk on which the database keeps its tables, under two servers that work. What would be stored is
// refused as 507, reads go on, and when there is room again the same servers go on by themselves.
func TestClusterFullDisk(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{Durable: true})
	db := database(t, server)
	disk := smallDisk(t, server)
	moveTo(t, server, db, disk)
	f := newFleet(t, db, everything, everything)
	var full atomic.Bool
	f.forgives = func(res *http.Response) bool { return full.Load() && res.StatusCode == http.StatusInsufficientStorage }
	f.beginAll()
	stop := f.load(3)
	for len(f.pick(20)) < 20 {
		time.Sleep(time.Millisecond)
	}
	filler := filepath.Join(disk, "filler")
	full.Store(true)
	fill(t, filler)
	f.victim.base = f.members[0].base
	f.until("a task is refused", func() bool { return f.noRoomFor(&shapes[0]) })
	if got, ok := f.call("/apigw/get_tasks_status/2/", map[string]any{"task_id_list": f.pick(10)}); !ok || !got.Result {
		t.Errorf("statuses on a full disk: %+v", got)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	f.until("a task is taken", func() bool { return !f.noRoomFor(&shapes[0]) })
	time.Sleep(time.Second) // what was refused at the last moment may be answered now
	full.Store(false)
	stop()
	f.settle()
	t.Logf("%d tasks, %d acknowledgements", len(f.tasks), f.acks)
}

// smallDisk mounts a disk that the server may write to.
func smallDisk(t *testing.T, server *pgtest.Server) string {
	t.Helper()
	info, err := os.Stat(filepath.Dir(server.Socket()))
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	dir := filepath.Join(filepath.Dir(server.Socket()), "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("size=64m,mode=700,uid=%d,gid=%d", owner.Uid, owner.Gid)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, settings); err != nil {
		if os.Getenv("CI") == "true" && os.Getuid() == 0 {
			t.Fatalf("mount a small disk: %v", err)
		}
		t.Skipf("a small disk needs root: %v", err)
	}
	t.Cleanup(func() {
		_ = server.Stop(pgtest.Immediate) // it has files open there
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// moveTo lets a database keep its tables on a disk; its log stays where it is.
func moveTo(t *testing.T, server *pgtest.Server, db, disk string) {
	t.Helper()
	config, err := pgx.ParseConfig(db)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range []string{
		fmt.Sprintf("CREATE TABLESPACE small LOCATION '%s'", disk),
		fmt.Sprintf("ALTER DATABASE %s SET TABLESPACE small", config.Database),
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}
