package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestFullDisk fills the disk under a working server. Whatever would be stored is refused as 507, reads go on, and when
// there is room again the same server goes on by itself, with the results of what ended meanwhile.
func TestFullDisk(t *testing.T) {
	c := newCrash(t)
	if err := syscall.Mount("tmpfs", c.dir, "tmpfs", 0, "size=16m,mode=700"); err != nil {
		if os.Getenv("CI") == "true" && os.Getuid() == 0 {
			t.Fatalf("mount a small disk: %v", err)
		}
		t.Skipf("a small disk needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(c.dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	c.mustStart()
	c.mayDie = true // its refusals are no surprise
	c.down.Store(true)
	var done atomic.Bool
	var load sync.WaitGroup
	for range 3 {
		load.Go(func() {
			for !done.Load() {
				c.create()
				c.each(2, c.startTask)
				c.watch(c.pick(10))
			}
		})
	}
	for len(c.pick(20)) < 20 {
		time.Sleep(time.Millisecond)
	}

	filler := filepath.Join(c.dir, "filler")
	fill(t, filler)
	c.until("a task is refused", func() bool { return c.noRoomFor(&shapes[0]) })
	some := c.pick(10)
	if got, ok := c.call("/apigw/get_tasks_status/2/", map[string]any{"task_id_list": some}); !ok || !got.Result {
		t.Errorf("statuses on a full disk: %+v", got)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	c.until("a task is taken", func() bool { return !c.noRoomFor(&shapes[0]) })
	done.Store(true)
	load.Wait()

	c.down.Store(false)
	c.mayDie = false
	c.repeat()
	c.finishAll()
	c.stop()
	c.checkRecord(c.dir)
	if len(c.ended) > 0 || !strings.Contains(c.log.String(), "room") {
		t.Errorf("the server's log says nothing of room:\n%s", c.log)
	}
}

// fill writes a file until there is no room.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 20, 4 << 10, 1} {
		for block := make([]byte, size); err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
}

// until waits for something that has to happen, however slow the machine is.
func (c *crash) until(what string, happens func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !happens(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("waited in vain until %s\n%s", what, c.log)
		}
	}
}

// noRoomFor makes a task and reports whether it was refused because the disk is full. Any other refusal is wrong.
func (c *crash) noRoomFor(sh *shape) bool {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"name": sh.name, "pipeline_tree": sh.flow.tree()})
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.base+"/apigw/fast_create_task/2/", bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("X-Bkapi-Authorization", fmt.Sprintf(`{"bk_app_code":%q,"bk_app_secret":%q,"bk_username":%q}`, appCode, appSecret, person))
	res, err := clients.Do(req)
	if err != nil {
		c.kill()
		c.t.Fatalf("the server is gone: %v\n%s", err, c.log)
	}
	defer res.Body.Close()
	var got answer
	var made struct {
		TaskID int64 `json:"task_id"`
	}
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		c.t.Fatal(err)
	}
	if res.StatusCode == http.StatusInsufficientStorage && got.Code == 3555000 {
		return true
	}
	if err := json.Unmarshal(got.Data, &made); err != nil || res.StatusCode != http.StatusOK || !got.Result {
		c.kill()
		c.t.Fatalf("HTTP %d: %+v\n%s", res.StatusCode, got, c.log)
	}
	c.created(made.TaskID, sh, false)
	return false
}
