package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func requestKey(text string) *stdops.RequestKey {
	return &stdops.RequestKey{Project: 1, Owner: "app shop", Key: text, Request: []byte("hash"), Answer: []byte("{}"), Expires: at(60)}
}

// TestKeyWithTask: a key is stored with the task, and where it is taken nothing is.
func TestKeyWithTask(t *testing.T) {
	t.Parallel()
	s := setup(t)
	n := newTask("one")
	n.Key = requestKey("k")
	task := createTask(t, s, n)
	want := *n.Key
	want.Made = int64(task.ID)
	found, err := s.RequestKey(t.Context(), n.Key)
	if diff := cmp.Diff(want, found); err != nil || diff != "" {
		t.Errorf("%v, (-want +got)\n%s", err, diff)
	}
	if _, err := s.CreateTask(t.Context(), n); !errors.Is(err, stdops.ErrRepeated) {
		t.Errorf("a second task with the key: %v", err)
	}
	if _, err := s.CreateTemplate(t.Context(), Template{Project: 1, Name: "t", Created: at(0), Key: n.Key}, []byte("x")); !errors.Is(err, stdops.ErrRepeated) {
		t.Errorf("a template with the key of a task: %v", err)
	}
	tasks, err := s.Statuses(t.Context(), 1, StatusQuery{Newest: 9})
	if err != nil {
		t.Fatal(err)
	}
	if templates, err := s.Templates(t.Context(), 1, TemplateFilter{}); err != nil || len(tasks.Tasks) != 1 || len(templates) != 0 {
		t.Errorf("%d tasks and %d templates, %v", len(tasks.Tasks), len(templates), err)
	}
}

// TestKeyWithChange: of two changes with one key the first counts, and the other leaves no trace, be they in one batch or
// in two, of one task or of two.
func TestKeyWithChange(t *testing.T) {
	t.Parallel()
	s := setup(t)
	var batch []stdops.Change
	for i, keys := range [][]string{{"a", "b"}, {"c", "b"}, {"c"}} {
		c := running(s, createTask(t, s, newTask(fmt.Sprint(i))))
		for _, k := range keys {
			c.Keys = append(c.Keys, *requestKey(k))
		}
		batch = append(batch, c)
	}
	verdicts, err := s.Commit(t.Context(), batch)
	if diff := cmp.Diff([]stdops.Verdict{stdops.Committed, stdops.Stale, stdops.Committed}, verdicts); err != nil || diff != "" {
		t.Fatalf("%v\n%s", err, diff)
	}
	late := running(s, createTask(t, s, newTask("late")))
	late.Keys = []stdops.RequestKey{*requestKey("d"), *requestKey("a")}
	verdicts, err = s.Commit(t.Context(), []stdops.Change{late})
	if err != nil || verdicts[0] != stdops.Stale {
		t.Fatalf("%v, %v", verdicts, err)
	}
	stale := running(s, createTask(t, s, newTask("stale")))
	stale.Revision, stale.Keys = 7, []stdops.RequestKey{*requestKey("e")}
	if verdicts, err = s.Commit(t.Context(), []stdops.Change{stale}); err != nil || verdicts[0] != stdops.Stale {
		t.Fatalf("%v, %v", verdicts, err)
	}
	for i, want := range []stdops.State{stdops.StateRunning, stdops.StateCreated, stdops.StateRunning, stdops.StateCreated, stdops.StateCreated} {
		task, err := s.Task(t.Context(), stdops.TaskRef{Project: 1, Task: stdops.TaskID(i + 1)})
		if err != nil || task.Root.State != want {
			t.Errorf("task %d is %s, %v; want %s", i+1, task.Root.State, err, want)
		}
	}
	var keys []*stdops.RequestKey
	for _, k := range []string{"a", "b", "c", "d", "e"} {
		keys = append(keys, requestKey(k))
	}
	taken, err := s.Taken(t.Context(), keys)
	if diff := cmp.Diff([]bool{true, true, true, false, false}, taken); err != nil || diff != "" {
		t.Errorf("taken keys: %v\n%s", err, diff)
	}
}

// TestKeysOfOthers: project, owner and text make a key.
func TestKeysOfOthers(t *testing.T) {
	t.Parallel()
	s := setup(t)
	n := newTask("one")
	for _, key := range []stdops.RequestKey{
		{Project: 1, Owner: "app shop", Key: "k"},
		{Project: 1, Owner: "app shop", Key: "K"},
		{Project: 2, Owner: "app shop", Key: "k"},
		{Project: 1, Owner: "user shop", Key: "k"},
	} {
		key.Expires = at(1)
		n.Key = &key
		if _, err := s.CreateTask(t.Context(), n); err != nil {
			t.Errorf("%+v: %v", key, err)
		}
	}
}

// TestOtherRequest: a key is that of another request if it, or the key of a part, was used by one and has not expired.
func TestOtherRequest(t *testing.T) {
	t.Parallel()
	s := setup(t)
	change := running(s, createTask(t, s, newTask("one")))
	for _, key := range []string{"k 0", "kk", "old 1", "j"} {
		k := *requestKey(key)
		if key == "old 1" {
			k.Expires = at(-1)
		}
		change.Keys = append(change.Keys, k)
	}
	commit(t, s, change)
	for _, c := range []struct {
		key, request string
		want         bool
	}{{"k", "hash", false}, {"k", "else", true}, {"kk", "else", true}, {"j", "else", true}, {"old", "else", false}, {"kkk", "else", false}, {"", "else", false}} {
		k := requestKey(c.key)
		k.Request = []byte(c.request)
		if got, err := s.OtherRequest(t.Context(), k); err != nil || got != c.want {
			t.Errorf("%q of %s: %t, %v", c.key, c.request, got, err)
		}
	}
}

// TestKeysExpire: an expired key is free again, and what nobody asks for any more is removed.
func TestKeysExpire(t *testing.T) {
	t.Parallel()
	now := noon
	o := testOptions(t.TempDir())
	o.Now = func() time.Time { return now }
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	change := running(s, createTask(t, s, newTask("one")))
	for i := range expireAtOnce + 2 {
		key := *requestKey(fmt.Sprint("k", i))
		if i == 0 {
			key.Expires = at(3600)
		}
		change.Keys = append(change.Keys, key)
	}
	commit(t, s, change)
	count := func() (n int) {
		t.Helper()
		if err := s.readers.QueryRowContext(t.Context(), `SELECT count(*) FROM request_key`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := s.ExpireKeys(t.Context()); err != nil || count() != expireAtOnce+2 {
		t.Errorf("%d keys are left before their time, %v", count(), err)
	}
	now = at(60)
	if _, err := s.RequestKey(t.Context(), requestKey("k1")); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("an expired key is found: %v", err)
	}
	n := newTask("two")
	n.Key = requestKey("k1")
	n.Key.Expires = at(3600)
	createTask(t, s, n)
	if err := s.ExpireKeys(t.Context()); err != nil || count() != 2 {
		t.Errorf("%d keys are left, %v", count(), err)
	}
}
