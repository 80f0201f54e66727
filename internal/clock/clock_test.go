package clock_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/stdops/stdops/internal/clock"
)

// machine has a clock that anybody can set.
type machine struct {
	time time.Time
	up   time.Duration // counted by the clock that nobody can set
}

func newMachine() *machine {
	return &machine{time: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), up: 77 * time.Hour}
}

func (m *machine) wall() time.Time       { return m.time }
func (m *machine) passed() time.Duration { return m.up }

func (m *machine) pass(d time.Duration) { m.time, m.up = m.time.Add(d), m.up+d }
func (m *machine) set(d time.Duration)  { m.time = m.time.Add(d) }

const year = 365 * 24 * time.Hour

// live lets time pass on a machine whose clock is set to and fro, and gives the first reading of now that is wrong.
func live(t *rapid.T, m *machine, now func() time.Time) error {
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		before := now()
		m.set(time.Duration(rapid.Int64Range(-int64(20*year), int64(20*year)).Draw(t, "set by")))
		d := time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "passes"))
		m.pass(d)
		if got := now().Sub(before); got != d {
			return fmt.Errorf("%v went by, the clock says %v", d, got)
		}
	}
	return nil
}

func TestClockGoesOnByWhatPasses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine()
		if err := live(t, m, clock.Of(m.wall, m.passed).Now); err != nil {
			t.Fatal(err)
		}
	})
}

// TestControl holds the clock of the machine itself to the same.
func TestControl(t *testing.T) {
	t.Parallel()
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine()
		if err := live(t, m, m.wall); err != nil {
			found++
		}
	})
	if found == 0 {
		t.Error("a clock that anybody can set goes on by what passes")
	}
}

func TestClockIsNeverBeforeWhatIsOnRecord(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-10 * year, -time.Hour, 0, time.Hour, 10 * year} {
		m := newMachine()
		record := m.time
		m.set(off)
		c := clock.Of(m.wall, m.passed)
		c.NotBefore(record)
		if want := record.Add(max(off, 0)); !c.Now().Equal(want) {
			t.Errorf("started %v off, the clock says %v, want %v", off, c.Now(), want)
		}
		if want := max(-off, 0); c.Ahead() != want {
			t.Errorf("started %v off, the clock is ahead by %v, want %v", off, c.Ahead(), want)
		}
		m.pass(time.Minute)
		c.NotBefore(record)
		if want := record.Add(max(off, 0) + time.Minute); !c.Now().Equal(want) {
			t.Errorf("started %v off, after a minute the clock says %v, want %v", off, c.Now(), want)
		}
	}
}

// TestNew looks at the clocks of this machine: what Go counts may not be what passing counts, if it is suspended now.
func TestNew(t *testing.T) {
	t.Parallel()
	looks := 0
	c := clock.New(func() time.Time { looks++; return time.Now() })
	before := time.Now()
	for range 1000 {
		earlier := c.Now()
		if later := c.Now(); later.Before(earlier) {
			t.Fatalf("the clock fell from %v to %v", earlier, later)
		}
	}
	if looks != 1 {
		t.Errorf("the clock of the machine was looked at %d times", looks)
	}
	if ahead := c.Ahead(); ahead.Abs() > time.Since(before)+time.Second {
		t.Errorf("the clock is ahead by %v", ahead)
	}
}

// TestWatchTellsOnce when the clock of the machine was set, and once when it is right again.
func TestWatchTellsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, off := time.Now(), atomic.Int64{}
		c := clock.Of(func() time.Time { return time.Now().Add(time.Duration(off.Load())) }, func() time.Duration { return time.Since(began) })
		var lines bytes.Buffer
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Watch(ctx, slog.New(slog.NewTextHandler(&lines, nil)))
		}()
		for _, next := range []time.Duration{0, 4 * time.Second, -time.Hour, 10 * year, 0, time.Second, 6 * time.Second, 0} {
			time.Sleep(time.Minute)
			synctest.Wait()
			off.Store(int64(next))
		}
		time.Sleep(time.Minute)
		stop()
		<-done
		var told []string
		for line := range strings.Lines(lines.String()) {
			told = append(told, strings.Fields(line[strings.Index(line, "level="):])[0])
		}
		if got := strings.Join(told, " "); got != "level=WARN level=INFO level=WARN level=INFO" {
			t.Errorf("the log was told\n%s", lines.String())
		}
	})
}
