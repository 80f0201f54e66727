package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops/internal/app"
)

// scriptTree is a tree of one script.
func scriptTree(inputs map[string]any) map[string]any {
	data := map[string]any{}
	for key, value := range inputs {
		data[key] = map[string]any{"hook": false, "value": value}
	}
	return map[string]any{
		"start_event": map[string]any{"id": "s", "type": "EmptyStartEvent", "name": "", "incoming": "", "outgoing": "l0"},
		"end_event":   map[string]any{"id": "e", "type": "EmptyEndEvent", "name": "", "incoming": []string{"l1"}, "outgoing": ""},
		"activities": map[string]any{"a": map[string]any{
			"id": "a", "type": "ServiceActivity", "name": "a script", "incoming": []string{"l0"}, "outgoing": "l1", "optional": true,
			"retryable": true, "skippable": true, "error_ignorable": false, "component": map[string]any{"code": "shell_script", "data": data},
		}},
		"flows": map[string]any{
			"l0": map[string]any{"id": "l0", "source": "s", "target": "a", "is_default": false},
			"l1": map[string]any{"id": "l1", "source": "a", "target": "e", "is_default": false},
		},
		"gateways": map[string]any{}, "constants": map[string]any{}, "outputs": []any{},
	}
}

// runScript makes and starts a task of one script.
func (c *crash) runScript(inputs map[string]any) (id int64) {
	c.t.Helper()
	return c.runTree(scriptTree(inputs))
}

func (c *crash) runTree(tree map[string]any) (id int64) {
	c.t.Helper()
	got, ok := c.call("/apigw/fast_create_task/2/", map[string]any{"name": "scripts", "pipeline_tree": tree})
	var data struct {
		TaskID int64 `json:"task_id"`
	}
	if err := json.Unmarshal(got.Data, &data); err != nil || !ok || !got.Result {
		c.t.Fatalf("create: %+v", got)
	}
	if got, ok := c.call(fmt.Sprintf("/apigw/start_task/%d/2/", data.TaskID), map[string]any{}); !ok || !got.Result {
		c.t.Fatalf("start: %+v", got)
	}
	return data.TaskID
}

// status gives the answer about a task, with what its failed nodes say.
func (c *crash) status(id int64) string {
	c.t.Helper()
	got, ok := c.call("/v2/sops/get_task_status/", map[string]any{"bk_biz_id": 2, "task_id": id, "with_ex_data": true})
	if !ok || !got.Result {
		c.t.Fatalf("status of task %d: %+v", id, got)
	}
	return string(got.Data)
}

// eventually waits for something that must become true.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func linesOf(file string) []string {
	text, _ := os.ReadFile(file)
	return strings.Fields(string(text))
}

// running counts the processes of a script by the key that it was given.
func running(key string) (count int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), "STDOPS_IDEMPOTENCY_KEY="+key+"\x00") {
			count++
		}
	}
	return count
}

// A server that is killed takes its scripts with it, wherever they went. After the next start a script that may run again
// does so with the same key; any other fails its node, for a person to decide.
func TestScriptsOfAKilledServer(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("scripts run on Linux only")
	}
	c := newCrash(t)
	once, again := filepath.Join(t.TempDir(), "once"), filepath.Join(t.TempDir(), "again")
	const text = `echo $STDOPS_IDEMPOTENCY_KEY >> "$1"; [ $(wc -l < "$1") -ge 2 ] && exit; setsid sleep 9999 & sleep 9999`
	c.mustStart(scriptsEnv + "=same-user")
	first := c.runScript(map[string]any{"script": text, "args": []string{once}})
	second := c.runScript(map[string]any{"script": text, "args": []string{again}, "rerun": true})
	eventually(t, "both scripts run", func() bool { return len(linesOf(once)) == 1 && len(linesOf(again)) == 1 })
	c.kill()
	for _, file := range []string{once, again} {
		eventually(t, "a script ends with its server", func() bool { return running(linesOf(file)[0]) == 0 })
	}
	c.mustStart(scriptsEnv + "=same-user")
	eventually(t, "the first fails", func() bool { return strings.Contains(c.status(first), `"outcome unknown: interrupted"`) })
	eventually(t, "the second runs again", func() bool { return strings.Contains(c.status(second), `"state":"FINISHED"`) })
	c.stop()
	if keys := linesOf(again); len(keys) != 2 || keys[0] != keys[1] {
		t.Errorf("the script that may run again had the keys %v", keys)
	}
	if keys := linesOf(once); len(keys) != 1 {
		t.Errorf("the other one had the keys %v", keys)
	}
}

// startWithScripts starts a server in this process whose flows may run scripts.
func startWithScripts(t *testing.T) (*app.App, *crash) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("scripts run on Linux only")
	}
	a, err := app.New(t.Context(), app.Options{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(), LocalScripts: "same-user", BootstrapAppCode: appCode, BootstrapAppSecret: appSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return a, &crash{t: t, victim: &victim{caller: caller{t: t, base: "http://" + a.Addr()}}}
}

// Whatever ends an attempt ends its script, wherever that went, and before the next attempt begins.
func TestWhatEndsScripts(t *testing.T) {
	t.Parallel()
	a, c := startWithScripts(t)
	const text = `setsid sh -c 'trap "" TERM; while :; do sleep 1; done' & echo $STDOPS_IDEMPOTENCY_KEY >> "$1"; sleep 9999`
	begin := func(name string, more map[string]any, limit map[string]any) (task int64, node, file string) {
		file = filepath.Join(t.TempDir(), "keys")
		inputs := map[string]any{"script": text, "args": file}
		maps.Copy(inputs, more)
		tree := scriptTree(inputs)
		tree["activities"].(map[string]any)["a"].(map[string]any)["timeout_config"] = limit
		task = c.runTree(tree)
		eventually(t, name+": the script runs", func() bool { return len(linesOf(file)) == 1 })
		var status struct {
			Children map[string]struct{ Name string }
		}
		if err := json.Unmarshal([]byte(c.status(task)), &status); err != nil {
			t.Fatal(err)
		}
		for id, child := range status.Children {
			if child.Name == "a script" {
				node = id
			}
		}
		return task, node, file
	}
	ended := func(name string, task int64, file, state string) {
		eventually(t, name+": the script ends", func() bool { return running(linesOf(file)[0]) == 0 })
		eventually(t, name+": the task shows it", func() bool { return strings.Contains(c.status(task), state) })
	}
	task, node, file := begin("forced failure", nil, nil)
	for _, action := range []string{"forced_fail", "retry"} {
		if got, ok := c.call(fmt.Sprintf("/apigw/operate_node/2/%d/", task), map[string]any{"node_id": node, "action": action}); !ok || !got.Result {
			t.Fatalf("%s: %+v", action, got)
		}
	}
	eventually(t, "the next attempt runs", func() bool { return len(linesOf(file)) == 2 })
	if left := running(linesOf(file)[0]); left > 0 {
		t.Errorf("%d processes of the attempt before are left", left)
	}
	if got, ok := c.call(fmt.Sprintf("/apigw/operate_task/%d/2/", task), map[string]any{"action": "revoke"}); !ok || !got.Result {
		t.Fatalf("revoke: %+v", got)
	}
	eventually(t, "revoke: the script ends", func() bool { return running(linesOf(file)[1]) == 0 })

	first, _, firstFile := begin("time limit of the script", map[string]any{"timeout": 5}, nil)
	second, _, secondFile := begin("time limit of the node", nil, map[string]any{"enable": true, "seconds": 5, "action": "forced_fail"})
	ended("time limit of the script", first, firstFile, "the script was ended after its time limit")
	ended("time limit of the node", second, secondFile, `"state":"FAILED"`)
	if err := a.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// A server that has to end leaves no script, not even one that does not want to.
func TestStopEndsScripts(t *testing.T) {
	t.Parallel()
	a, c := startWithScripts(t)
	file := filepath.Join(t.TempDir(), "key")
	c.runScript(map[string]any{
		"script": `trap '' TERM; setsid sleep 9999 & echo $STDOPS_IDEMPOTENCY_KEY > "$1"; while :; do sleep 1; done`, "args": file,
	})
	eventually(t, "the script runs", func() bool { return len(linesOf(file)) == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Stop(ctx); err != nil {
		t.Error(err)
	}
	if left := running(linesOf(file)[0]); left > 0 {
		t.Errorf("%d processes are left", left)
	}
}

// Scripts are kept from the keys of the server by whom the files belong to, so the data directory must not be theirs.
func TestScriptsDoNotOwnTheDataDirectory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("scripts run on Linux only")
	}
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI has to run as root: only root may run scripts as another user")
		}
		t.Skip("only root may run scripts as another user")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	options := app.Options{Listen: "127.0.0.1:0", DataDir: dir, LocalScripts: "user:nobody"}
	for owner, want := range map[int]string{uid: "user nobody owns the data directory", 0: ""} {
		if err := os.Chown(dir, owner, -1); err != nil {
			t.Fatal(err)
		}
		a, err := app.New(t.Context(), options)
		if err == nil {
			err = a.Stop(t.Context())
		}
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("owner %d: %v, want %q", owner, err, want)
		}
	}
}
