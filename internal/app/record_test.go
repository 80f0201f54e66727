package app_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var keepRecord = flag.String("keep-record", "", "directory below testdata/record that TestKeptRecords makes of a server of this version")

// TestKeptRecords starts a server on the data of each earlier version that is kept. Its tasks go on to their end, and what
// is stored replays, now and after them.
func TestKeptRecords(t *testing.T) {
	t.Parallel()
	if *keepRecord != "" {
		makeRecord(t, filepath.Join("testdata", "record", *keepRecord))
	}
	kept, err := filepath.Glob("testdata/record/*")
	if err != nil || len(kept) == 0 {
		t.Fatalf("no records are kept: %v", err)
	}
	for _, dir := range kept {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			c := newCrash(t)
			unpack(t, dir, c.dir)
			c.mustStart()
			c.adopt()
			c.stop() // has brought the schema up to date
			c.verify()
			c.mustStart()
			c.finishAll()
			c.stop()
			c.verify()
			for id, f := range c.tasks {
				c.checkLoops(id, f)
			}
		})
	}
}

// adopt makes the tasks that the server has known to the oracle.
func (c *crash) adopt() {
	c.t.Helper()
	for id := int64(1); ; id++ {
		got, ok := c.call("/apigw/get_tasks_status/2/", map[string]any{"task_id_list": []int64{id}})
		var entries []struct {
			Name string `json:"name"`
		}
		if err := json.Unmarshal(got.Data, &entries); !ok || err != nil {
			c.t.Fatalf("status: %+v", got)
		}
		if len(entries) == 0 {
			if len(c.tasks) < len(shapes) {
				c.t.Fatalf("only %d tasks are kept", len(c.tasks))
			}
			return
		}
		for i := range shapes {
			if shapes[i].name == entries[0].Name {
				c.created(id, &shapes[i], false)
				c.tasks[id].said["pause"], c.tasks[id].said["start"] = said{unknown: 1}, said{unknown: 1}
			}
		}
	}
}

// makeRecord keeps the data of a server of this version, with tasks of all shapes in all states.
func makeRecord(t *testing.T, dir string) {
	t.Helper()
	c := newCrash(t)
	c.mustStart()
	for i := range shapes {
		for range 5 {
			c.createShape(&shapes[i])
		}
	}
	c.load(100 * time.Millisecond)
	c.kill()
	c.mustStart()
	for id := range c.tasks {
		switch id % 5 {
		case 1:
			c.startTask(id)
			c.operate(id, "pause")
		case 2:
			c.startTask(id)
			c.watch([]int64{id})
		case 3, 4:
			c.startTask(id)
		}
		if id%10 == 4 {
			c.operate(id, "revoke")
		}
	}
	c.stop()
	c.verify()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"stdops.db", "key"} {
		var packed bytes.Buffer
		w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content(t, c.dir)[name]); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".gz"), packed.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range []string{"stdops.db", "key"} {
		packed, err := os.Open(filepath.Join(from, name+".gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer packed.Close()
		r, err := gzip.NewReader(packed)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
