package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
)

// WatchOptions say how watching tasks is measured.
type WatchOptions struct {
	Program     string // the stdops that is started as a server
	DB          string // of the server; "": an embedded store
	Connections int
	Tasks       int
	IDs         int // that each connection watches
	Changes     int // a second
	Duration    time.Duration
	Reconnects  int

	Progress func(name string) // is told what is done next; nil: nobody is
}

// mostConnections is less than the ports of one address that can be connected from.
const mostConnections = 20_000

// Check says what is wrong with the options.
func (o *WatchOptions) Check() error {
	switch {
	case o.Connections < 1 || o.Connections > mostConnections:
		return fmt.Errorf("connections must be between 1 and %d", mostConnections)
	case o.Tasks < 1 || o.Tasks > mostWatched:
		return fmt.Errorf("tasks must be between 1 and %d", mostWatched)
	case o.IDs < 1 || o.IDs > 1000 || o.IDs > o.Tasks:
		return errors.New("ids must be between 1 and 1000, and not more than there are tasks")
	case o.Changes < 1 || o.Changes > 10_000:
		return errors.New("changes must be between 1 and 10000")
	case o.Duration <= 0:
		return errors.New("duration must be more than 0")
	case o.Reconnects < 0 || o.Reconnects > o.Connections:
		return errors.New("reconnects must be between 0 and the number of connections")
	}
	return nil
}

const mostWatched = 100_000

// Watch measures a server at which many watch many tasks over streams: its memory, and how long a change takes from when the
// command for it is acknowledged until the reader has the event. The server is a process of its own; it needs Linux.
func Watch(ctx context.Context, o WatchOptions) (report *Report, err error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if err := enoughFiles(o.Connections); err != nil {
		return nil, err
	}
	flags := []string{}
	if o.DB != "" {
		if err := app.Upgrade(ctx, app.Place{DB: o.DB}, slog.New(slog.DiscardHandler)); err != nil {
			return nil, fmt.Errorf("bring the database of --db to the schema of this program, as `stdops migrate up` does: %w", err)
		}
		flags = append(flags, "--db", o.DB)
	}
	p, err := startProcess(ctx, o.Program, flags...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	a := &audience{process: p, o: o}
	defer a.leave()
	report = &Report{
		Machine: thisMachine(), Tasks: o.Tasks, Connections: o.Connections, Duration: o.Duration.String(), Rounds: 1,
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) ([]Figure, error)
	}{
		{fmt.Sprintf("making %d tasks that wait", o.Tasks), a.makeTasks},
		{fmt.Sprintf("opening %d streams", o.Connections), a.open},
		{fmt.Sprintf("%d changes a second for %v", o.Changes, o.Duration), a.change},
		{fmt.Sprintf("%d streams that break and go on", o.Reconnects), a.reconnect},
	} {
		if o.Progress != nil {
			o.Progress(step.name)
		}
		figures, err := step.do(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
		report.Figures = append(report.Figures, figures...)
	}
	for i := range report.Figures {
		report.Figures[i].conclude()
	}
	return report, nil
}

// audience is all who watch, and the tasks that they watch.
type audience struct {
	*process
	o       WatchOptions
	token   string
	tasks   batch
	paused  []bool // by the place of the task
	readers []*reader

	reading sync.WaitGroup

	mu   sync.Mutex
	acks []ack
}

// ack is a change that was acknowledged.
type ack struct {
	task     stdops.TaskID
	revision int64
	at       time.Time
}

func (a *audience) makeTasks(ctx context.Context) (_ []Figure, err error) {
	if a.token, err = a.newToken(ctx); err != nil {
		return nil, err
	}
	a.tasks, a.paused = make(batch, a.o.Tasks), make([]bool, a.o.Tasks)
	tree := tree(0, fewestNodes, true)
	var all errgroup.Group
	all.SetLimit(atOnce)
	for i := range a.tasks {
		all.Go(func() (err error) {
			a.tasks[i], err = a.startTask(ctx, fmt.Sprintf("watched task %d", i+1), tree)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	return nil, a.await(ctx, drivenTasks, 0) // all wait to be called back
}

// open opens all streams, each for other tasks, so that each task has about as many readers as all others.
func (a *audience) open(ctx context.Context) ([]Figure, error) {
	before, _, err := a.memory()
	if err != nil {
		return nil, err
	}
	var deck []int // of places of tasks, from which the streams are dealt
	for range a.o.Connections {
		if len(deck) < a.o.IDs {
			deck = rand.Perm(a.o.Tasks)
		}
		r := &reader{audience: a}
		for _, at := range deck[:a.o.IDs] {
			r.ids = append(r.ids, a.tasks[at])
		}
		deck = deck[a.o.IDs:]
		a.readers = append(a.readers, r)
	}
	began := time.Now()
	all, opening := errgroup.WithContext(ctx)
	all.SetLimit(atOnce)
	for _, r := range a.readers {
		all.Go(func() error { return r.open(opening) })
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	for _, r := range a.readers {
		if err := r.await(ctx, func() bool { return len(r.has) == len(r.ids) }); err != nil {
			return nil, fmt.Errorf("a reader was told of %d of %d tasks: %w", len(r.has), len(r.ids), err)
		}
	}
	took := time.Since(began)
	after, _, err := a.memory()
	return []Figure{
		figure("all streams opened and told everything", "s", 0, took.Seconds()),
		figure("memory of the server for each stream", "KiB more", 0, float64(after-before)/1024/float64(a.o.Connections)),
	}, err
}

// change pauses and resumes tasks at a steady pace, and looks at what the readers were told of it.
func (a *audience) change(ctx context.Context) ([]Figure, error) {
	if err := a.changeFor(ctx, a.o.Duration, rand.Perm(a.o.Tasks)); err != nil {
		return nil, err
	}
	missed, err := a.caughtUp(ctx, a.readers)
	if err != nil {
		return nil, err
	}
	waits := a.waits()
	_, most, err := a.memory()
	return []Figure{
		figure("delivery, from acknowledged to read, half of them within", "ms", 0, percentile(waits, 50)),
		figure("delivery, 99 of 100 within", "ms", 500, percentile(waits, 99)),
		figure("deliveries", "", 0, float64(len(waits))),
		figure("changes that a reader missed", "", 0, float64(missed)),
		figure("memory of the server, in all", "MiB", 400, mebibytes(most)),
	}, err
}

// changeFor changes tasks in an order, one after the other, from the start again when all had their turn.
func (a *audience) changeFor(ctx context.Context, d time.Duration, order []int) error {
	all, changing := errgroup.WithContext(ctx)
	all.SetLimit(atOnce)
	busy := make([]sync.Mutex, a.o.Tasks)
	n := int(d.Seconds() * float64(a.o.Changes))
	began := time.Now()
	for i := range max(n, 1) {
		at := order[i%len(order)]
		select {
		case <-time.After(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(a.o.Changes)))):
		case <-changing.Done():
			return all.Wait()
		}
		all.Go(func() error {
			busy[at].Lock()
			defer busy[at].Unlock()
			revision, err := a.toggle(changing, at)
			now := time.Now()
			a.mu.Lock()
			defer a.mu.Unlock()
			a.acks = append(a.acks, ack{a.tasks[at], revision, now})
			return err
		})
	}
	return all.Wait()
}

// newest gives the newest revision of each task that was changed.
func (a *audience) newest() map[stdops.TaskID]int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	newest := map[stdops.TaskID]int64{}
	for _, k := range a.acks {
		newest[k.task] = max(newest[k.task], k.revision)
	}
	return newest
}

// catchUp is how long readers have to hear of the last change before they count as having missed it.
const catchUp = 10 * time.Second

// caughtUp waits until readers have all that was acknowledged, and gives how much they have missed.
func (a *audience) caughtUp(ctx context.Context, readers []*reader) (missed int, err error) {
	newest := a.newest()
	until := time.Now().Add(catchUp)
	for {
		missed = 0
		for _, r := range readers {
			missed += r.behind(newest)
		}
		if missed == 0 || time.Now().After(until) {
			return missed, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return missed, ctx.Err()
		}
	}
}

// waits gives, in milliseconds, how long each change took to each of its readers: until the first event that has it or
// something newer. One that was there before the acknowledgement took no time.
func (a *audience) waits() (list []float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	byTask := map[stdops.TaskID][]ack{}
	for _, k := range a.acks {
		byTask[k.task] = append(byTask[k.task], k)
	}
	for _, r := range a.readers {
		r.mu.Lock()
		told := map[stdops.TaskID][]arrival{}
		for _, e := range r.told {
			told[e.task] = append(told[e.task], e)
		}
		r.mu.Unlock()
		for _, id := range r.ids {
			for _, k := range byTask[id] {
				i := slices.IndexFunc(told[id], func(e arrival) bool { return e.revision >= k.revision })
				if i >= 0 {
					list = append(list, max(0, told[id][i].at.Sub(k.at).Seconds()*1000))
				}
			}
		}
	}
	return list
}

func percentile(list []float64, p int) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(len(list)-1, len(list)*p/100)]
}

// reconnect breaks streams, changes their tasks meanwhile, and lets them go on with their cursors.
func (a *audience) reconnect(ctx context.Context) ([]Figure, error) {
	var broken []*reader
	var order []int
	place := make(map[stdops.TaskID]int, len(a.tasks))
	for i, id := range a.tasks {
		place[id] = i
	}
	for _, i := range rand.Perm(len(a.readers))[:a.o.Reconnects] {
		r := a.readers[i]
		r.drop()
		broken = append(broken, r)
		order = append(order, place[r.ids[rand.IntN(len(r.ids))]])
	}
	if len(broken) == 0 {
		return nil, nil
	}
	if err := a.changeFor(ctx, time.Duration(len(order))*time.Second/time.Duration(a.o.Changes), order); err != nil {
		return nil, err
	}
	for _, r := range broken {
		r.again, r.repeated = true, 0
		if err := r.open(ctx); err != nil {
			return nil, err
		}
	}
	missed, err := a.caughtUp(ctx, broken)
	repeated := 0
	for _, r := range broken {
		r.mu.Lock()
		repeated += r.repeated
		r.mu.Unlock()
	}
	return []Figure{
		figure("changes missed by streams that went on", "", 0, float64(missed)),
		figure("tasks that they were told once more", "", 0, float64(repeated)),
	}, err
}

// leave closes all streams.
func (a *audience) leave() {
	for _, r := range a.readers {
		r.drop()
	}
	a.reading.Wait()
}
