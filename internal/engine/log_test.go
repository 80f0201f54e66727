package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stdops/stdops"
)

// fakeLogs keeps logs in memory.
type fakeLogs struct {
	mu     sync.Mutex
	broken bool
	texts  map[stdops.LogKey]string
	begun  []time.Time // of all pieces
	rounds int
	gate   chan struct{} // not nil: each round takes a token first
}

func (f *fakeLogs) AppendLogs(_ context.Context, pieces []stdops.LogPiece) ([]int64, error) {
	if f.gate != nil {
		<-f.gate
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken {
		return nil, errors.New("the disk is full")
	}
	f.rounds++
	sizes := make([]int64, len(pieces))
	for i, p := range pieces {
		if f.texts == nil {
			f.texts = make(map[stdops.LogKey]string)
		}
		f.texts[p.LogKey] += string(p.Text)
		f.begun = append(f.begun, p.Begun)
		sizes[i] = int64(len(f.texts[p.LogKey]))
	}
	return sizes, nil
}

func (f *fakeLogs) text(key stdops.LogKey) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.texts[key]
}

func openJournal(t *testing.T, logs *fakeLogs) *journal {
	t.Helper()
	j := newJournal(logs, journalBounds{most: stdops.DefaultLog}, time.Now, slog.New(slog.DiscardHandler))
	t.Cleanup(j.close)
	return j
}

func keyOf(task int) stdops.LogKey {
	return stdops.LogKey{TaskRef: stdops.TaskRef{Project: 1, Task: stdops.TaskID(task)}, Node: 1, Loop: 1}
}

func write(t *testing.T, a *attemptLog, text string) {
	t.Helper()
	if n, err := a.Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("wrote %d bytes of %d, %v", n, len(text), err)
	}
}

func TestJournalStoresManyLogsInFewTransactions(t *testing.T) {
	t.Parallel()
	const attempts, lines = 200, 50
	logs := &fakeLogs{}
	j := openJournal(t, logs)
	var all sync.WaitGroup
	var want strings.Builder
	for i := range lines {
		fmt.Fprintf(&want, "line %d\n", i)
	}
	for task := range attempts {
		all.Go(func() {
			a := j.open(keyOf(task), "v")
			for i := range lines {
				write(t, a, fmt.Sprintf("line %d\n", i))
			}
			a.close()
			if got := logs.text(keyOf(task)); got != want.String() {
				t.Errorf("task %d: stored when closed: %q", task, got)
			}
		})
	}
	all.Wait()
	if logs.rounds > attempts {
		t.Errorf("%d transactions for %d lines", logs.rounds, attempts*lines)
	}
}

func TestJournalTellsWhenWhatItStoresWasBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		logs := &fakeLogs{}
		j := openJournal(t, logs)
		a := j.open(keyOf(1), "v")
		first := time.Now()
		write(t, a, "one")
		time.Sleep(logPause / 2)
		write(t, a, "two")
		time.Sleep(logPause)
		second := time.Now()
		write(t, a, "three")
		a.close()
		if want := []time.Time{first, second}; !slices.Equal(logs.begun, want) {
			t.Errorf("the pieces were begun at %v, want %v", logs.begun, want)
		}
	})
}

// What was written is stored after a while, though the call goes on.
func TestJournalStoresWhileACallRuns(t *testing.T) {
	t.Parallel()
	logs := &fakeLogs{}
	a := openJournal(t, logs).open(keyOf(1), "v")
	write(t, a, "begins\n")
	a.mu.Lock()
	round := a.round
	a.mu.Unlock()
	<-round
	if got := logs.text(keyOf(1)); got != "begins\n" {
		t.Errorf("stored: %q", got)
	}
}

func TestJournalDropsWhatCannotBeStored(t *testing.T) {
	t.Parallel()
	logs := &fakeLogs{broken: true}
	a := openJournal(t, logs).open(keyOf(1), "v")
	write(t, a, strings.Repeat("x", 10*logBuffer)) // does not wait for ever
	logs.mu.Lock()
	logs.broken = false
	logs.mu.Unlock()
	write(t, a, "goes on\n")
	a.close()
	got := logs.text(keyOf(1))
	if !strings.Contains(got, "[a part of the log could not be stored]\n") || !strings.HasSuffix(got, "goes on\n") || strings.Count(got, "could not") != 1 {
		t.Errorf("stored: %.200q", got)
	}
}

// A writer that is faster than the store has little in memory, and waits.
func TestJournalHoldsWritersBack(t *testing.T) {
	t.Parallel()
	logs := &fakeLogs{gate: make(chan struct{})}
	a := openJournal(t, logs).open(keyOf(1), "v")
	written := make(chan struct{})
	go func() {
		defer close(written)
		write(t, a, strings.Repeat("x", 4*logBuffer))
	}()
	for stored := 0; stored < 4; {
		select {
		case logs.gate <- struct{}{}:
			stored++
		case <-time.After(20 * time.Second):
			t.Fatal("the writer does not go on")
		}
		a.mu.Lock()
		if waiting := a.waiting.Len(); waiting > 2*logBuffer {
			t.Errorf("%d bytes wait in memory", waiting)
		}
		a.mu.Unlock()
	}
	<-written
	close(logs.gate)
}

func TestJournalTakesNoMoreThanALogHolds(t *testing.T) {
	t.Parallel()
	logs := &fakeLogs{}
	a := openJournal(t, logs).open(keyOf(1), "v")
	for range 40 {
		write(t, a, strings.Repeat("x", stdops.DefaultLog/16))
	}
	a.close()
	write(t, a, "too late")
	if got := len(logs.text(keyOf(1))); got > stdops.DefaultLog+2*logBuffer {
		t.Errorf("%d bytes were stored", got)
	}
}

// TestJournalTellsOfALossWhenTheCallHasEnded: the next call of the same attempt writes into the same log, and there may be none.
func TestJournalTellsOfALossWhenTheCallHasEnded(t *testing.T) {
	t.Parallel()
	logs := &fakeLogs{broken: true}
	j := newJournal(logs, journalBounds{most: stdops.DefaultLog}, time.Now, slog.New(slog.DiscardHandler))
	a := j.open(keyOf(1), "v")
	write(t, a, "lost")
	a.close()
	logs.mu.Lock()
	logs.broken = false
	logs.mu.Unlock()
	j.close()
	if got, want := logs.text(keyOf(1)), "[a part of the log could not be stored]\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
