package app_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/store"
	"github.com/stdops/stdops/internal/store/disktest"
)

var crashes = flag.Int("crashes", 4, "how often TestPowerLoss lets the power fail")

const (
	// perDisk is how often the power of one disk fails: later times find more in it and take longer to look at.
	perDisk = 6
	// longestLife is after how many changes of files the power fails at the latest.
	longestLife = 4000
)

// TestPowerLoss lets the power fail under a real server that works, at a random write, sync, truncation, creation or removal
// of a file, again and again. Each time what survives is sound, holds everything that was acknowledged and shown, and
// replays; and a server that starts on it brings every task to its end.
func TestPowerLoss(t *testing.T) {
	s := *seed
	if s == 0 {
		s = rand.Uint64N(1 << 32)
	}
	var mu sync.Mutex
	sum := losses{kinds: make(map[string]int)}
	t.Run("disks", func(t *testing.T) {
		for i, left := uint64(0), *crashes; left > 0; i, left = i+1, left-perDisk {
			t.Run(fmt.Sprint(s+i), func(t *testing.T) {
				t.Parallel()
				p := newPowerless(t, s+i, "")
				p.play(min(left, perDisk))
				mu.Lock()
				defer mu.Unlock()
				sum.add(&p.sum)
			})
		}
	})
	sum.check(t)
	t.Logf("-seed %d: %d losses of power, %d of them while a server started; %d acknowledgements (%v), %d tasks, %d transitions, "+
		"%d effects repeated by rule; %d times all tasks were brought to their end", s, sum.times, sum.opening, sum.acks, sum.kinds, sum.tasks, sum.transitions,
		sum.repeated, sum.settled)
}

// TestPowerLossControl is TestPowerLoss with a store that does not sync its log at a commit: it has to lose something. It
// goes on until it has.
func TestPowerLossControl(t *testing.T) {
	t.Parallel()
	s := *seed
	if s == 0 {
		s = rand.Uint64N(1 << 32)
	}
	times, made, lost := 0, 0, 0
	for ; times < *crashes/10 || lost == 0 && times < 100; times++ {
		p := newPowerless(t, s+uint64(times), "PRAGMA synchronous = NORMAL;")
		p.settle() // so the next life has a database
		p.disk.FailAfter(100 + p.dice.IntN(900))
		p.lose()
		made += len(p.tasks)
		lost += len(p.tasks) - min(len(p.tasks), p.stored())
	}
	if lost == 0 {
		t.Errorf("with synchronous=NORMAL none of %d tasks was lost in %d losses of power: this test sees nothing", made, times)
	}
	t.Logf("-seed %d: %d losses of power with synchronous=NORMAL: %d of %d tasks that were acknowledged are lost", s, times, lost, made)
}

// stored counts the tasks that are on the disk, whatever else is wrong with it.
func (p *powerless) stored() int {
	p.t.Helper()
	data, err := store.OpenCopy(p.t.Context(), p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	defer data.Close()
	refs, err := data.Tasks(p.t.Context(), 0, math.MaxInt32)
	if err != nil {
		p.t.Fatal(err)
	}
	return len(refs)
}

// losses are the figures of a run.
type losses struct {
	times, opening, settled            int // losses of power, of them while a server started; times that all came to its end
	acks, tasks, transitions, repeated int
	kinds                              map[string]int // of acknowledgements
}

func (l *losses) add(o *losses) {
	for kind, n := range o.kinds {
		l.kinds[kind] += n
	}
	l.times, l.opening, l.settled = l.times+o.times, l.opening+o.opening, l.settled+o.settled
	l.acks, l.tasks, l.transitions, l.repeated = l.acks+o.acks, l.tasks+o.tasks, l.transitions+o.transitions, l.repeated+o.repeated
}

// check makes sure that there was something to lose.
func (l *losses) check(t *testing.T) {
	t.Helper()
	if l.acks == 0 || l.transitions == 0 {
		t.Errorf("the load did too little: %+v", *l)
	}
	for _, kind := range []string{"create", "start", "pause", "resume", "revoke", "retry", "skip", "forced_fail", "callback"} {
		if l.kinds[kind] == 0 && l.times >= 100 {
			t.Errorf("no %s was acknowledged in %d losses of power", kind, l.times)
		}
	}
}

// powerless is a server in this process, on a disk that loses power. What it acknowledged is known to the test alone.
type powerless struct {
	*crash
	sum      losses
	seed     uint64
	dice     *rand.Rand
	disk     *disktest.Disk
	name     string // of the disk
	settings string
	opened   bool // at least once, so that there is a database
}

func newPowerless(t *testing.T, seed uint64, settings string) *powerless {
	p := &powerless{crash: newCrash(t), seed: seed, dice: rand.New(rand.NewPCG(seed, 1)), name: t.Name() + fmt.Sprint(seed), settings: settings}
	p.file = nil
	p.disk = disktest.New(p.name, rand.New(rand.NewPCG(seed, 2)))
	t.Cleanup(p.disk.Close)
	p.off = p.disk.Off
	return p
}

// play lets the power fail so many times. Mostly a server then brings everything to its end; else the power fails again
// before it could.
func (p *powerless) play(times int) {
	defer func() {
		if p.t.Failed() {
			p.t.Logf("what is drawn, but not the order in which goroutines run, is drawn again by\n"+
				"go test ./internal/app -run '^TestPowerLoss$' -seed %d -crashes %d\nlog of the last server:\n%s", p.seed, times, p.log)
		}
	}()
	for i := range times {
		p.disk.FailAfter(int(math.Exp(p.dice.Float64() * math.Log(longestLife)))) // at an early change as often as at late ones
		p.lose()
		p.look()
		if i == times-1 || p.dice.IntN(4) > 0 {
			p.settle() // the next look is at this, too
			p.sum.settled++
		}
		if !p.sound() {
			p.t.FailNow()
		}
	}
	p.look()
	p.sum.acks, p.sum.tasks, p.sum.kinds = p.acks, len(p.tasks), p.kinds
}

// lose starts a server on a disk whose power is to fail, lets four clients work until it does, and switches the disk on again.
func (p *powerless) lose() {
	p.t.Helper()
	a, err := p.open(p.name)
	switch {
	case err == nil:
		p.begun([]string{"a disk that loses power"})
		var load sync.WaitGroup
		for range 4 {
			load.Go(p.work)
		}
		load.Wait()
		_ = p.close(a) // of a server without a disk
	case !p.disk.Off():
		p.t.Fatalf("start: %v", err)
	default:
		p.sum.opening++
	}
	p.sum.times++
	if err := p.disk.PowerOn(); err != nil {
		p.t.Fatal(err)
	}
}

// settle starts a server on what is left, on a disk without faults, and brings everything to its end.
func (p *powerless) settle() {
	p.t.Helper()
	a, err := p.open("")
	if err != nil {
		p.t.Fatalf("no server starts on what a loss of power has left: %v", err)
	}
	p.begun(nil)
	if len(p.tasks) == 0 {
		p.create() // nothing was acknowledged yet
	}
	p.finishAll()
	if err := p.close(a); err != nil {
		p.t.Errorf("stop: %v", err)
	}
}

// open begins the next life of the server.
func (p *powerless) open(disk string) (*app.App, error) {
	p.lives++
	p.log = &bytes.Buffer{}
	options := app.WithStore(victimOptions(p.dir, strconv.Itoa(p.lives), p.log), func(o *store.Options) {
		o.VFS, o.Settings, o.FoldAt = disk, p.settings, 60
	})
	a, err := app.New(context.Background(), options)
	if err != nil {
		return nil, err
	}
	if err := a.Start(p.t.Context()); err != nil {
		_ = a.Stop(context.Background()) // of a server without a disk
		return nil, err
	}
	p.opened = true
	p.base = "http://" + a.Addr()
	p.down.Store(false)
	return a, nil
}

// close ends the goroutines of a server, which the power has taken already or which is to come to a clean end.
func (p *powerless) close(a *app.App) error {
	p.down.Store(true)
	clients.CloseIdleConnections()
	return a.Stop(context.Background())
}

// look holds what is on the disk against the oracle.
func (p *powerless) look() {
	p.t.Helper()
	if p.opened {
		p.verify()
	}
	p.sum.transitions = p.checkRecord(p.dir)
	p.sum.repeated = p.checkEffects()
}
