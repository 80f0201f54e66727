package watch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

// TestNothing_is_missed_and_nothing_goes_back changes tasks, loses what is told of it, drops readers and lets them go on with
// old cursors, at another process too, and cuts the database off, in any order. In the end every reader knows the newest
// revision of each task that it watches; that none of them ever goes back is checked with each delivery.
func TestNothing_is_missed_and_nothing_goes_back(t *testing.T) {
	t.Parallel()
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		misses := rapid.Bool().Draw(t, "hints get lost")
		seed := rapid.Uint64().Draw(t, "seed")
		steps := rapid.IntRange(1, 200).Draw(t, "steps")
		failure := ""
		bubble(outer, func() { failure = play(misses, seed, steps) })
		if failure != "" {
			t.Fatal(failure)
		}
	})
}

// bubble runs fn in a bubble of its own.
func bubble(t *testing.T, fn func()) {
	synctest.Test(t, func(*testing.T) { fn() })
}

// refusal is what a reader of a play fails with.
type refusal string

type player struct{}

func (player) Helper()                           {}
func (player) Fatalf(format string, args ...any) { panic(refusal(fmt.Sprintf(format, args...))) }

func play(misses bool, seed uint64, steps int) (failure string) {
	chance := rand.New(rand.NewPCG(seed, 0))
	const tasks = 8
	r := newRecord(tasks - 2) // two are made later, or never
	var hubs []*Hub
	for range 2 {
		h, stop := run(r, misses)
		defer stop()
		hubs = append(hubs, h)
	}
	defer func() {
		cause := recover()
		if text, ok := cause.(refusal); ok {
			failure = string(text)
		} else if cause != nil {
			panic(cause)
		}
	}()
	var readers []*reader
	defer func() {
		for _, reader := range readers {
			reader.drop()
		}
	}()
	for i := range 6 {
		request := Request{To: Audience(i % 2)}
		if i < 4 {
			for id := range tasks {
				if chance.IntN(3) > 0 {
					request.IDs = append(request.IDs, stdops.TaskID(id+1))
				}
			}
		} else {
			request.Filter = &Filter{Limit: 100}
		}
		readers = append(readers, newReader(player{}, request))
	}
	for range steps {
		reader := readers[chance.IntN(len(readers))]
		switch chance.IntN(15) {
		case 0, 1, 2, 3:
			told := r.change(stdops.TaskID(chance.IntN(tasks)+1), func(t *recorded) {
				switch chance.IntN(6) {
				case 0:
					t.deleted = true
				case 1, 2:
					t.listed = !t.listed
				}
			})
			for _, h := range hubs {
				if !misses || chance.IntN(2) == 0 {
					h.Changed(told)
				}
			}
		case 4:
			if misses {
				hubs[chance.IntN(2)].Changed(nil)
			}
		case 5, 6:
			reader.drop()
			reader.connect(hubs[chance.IntN(2)])
		case 7:
			reader.drop()
		case 8:
			r.mu.Lock()
			r.cut = !r.cut
			r.mu.Unlock()
		case 9, 10:
			reader.read()
		case 11, 12, 13:
			r.lag.Store(chance.Int64N(80))
			r.scan.Store(chance.Int64N(800))
			time.Sleep(time.Duration(chance.IntN(80)) * time.Millisecond)
		default:
			time.Sleep(time.Duration(chance.IntN(1500)) * time.Millisecond)
		}
	}
	r.mu.Lock()
	r.cut = false
	r.mu.Unlock()
	for _, reader := range readers {
		if reader.w == nil {
			reader.connect(hubs[0])
		}
	}
	time.Sleep(20 * time.Second)
	for _, reader := range readers {
		for reader.read() {
		}
		if text := r.missing(reader); text != "" {
			return text
		}
	}
	if reads, _ := r.count(); reads == 0 {
		return "nothing was read"
	}
	return ""
}

func TestA_change_is_read_and_encoded_once_for_all(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecord(3)
		h, stop := run(r, false)
		defer stop()
		var readers []*reader
		for range 100 {
			reader := newReader(t, Request{IDs: []stdops.TaskID{1, 2, 3}})
			reader.connect(h)
			defer reader.drop()
			readers = append(readers, reader)
		}
		time.Sleep(time.Second)
		for _, reader := range readers {
			if !reader.read() || reader.told != 3 {
				t.Fatalf("told %d tasks first, want all 3", reader.told)
			}
		}
		r.count()
		for range 10 { // within the time that changes are gathered
			h.Changed(r.change(1, nil))
			h.Changed(r.change(3, nil))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		if reads, texts := r.count(); reads != 1 || texts != 2 {
			t.Errorf("20 changes of 2 tasks took %d reads and %d texts, want 1 and 2", reads, texts)
		}
		for _, reader := range readers {
			if !reader.read() || reader.told != 5 || reader.has[1] != 10 || reader.has[2] != 0 {
				t.Fatalf("told of %d tasks: %v", reader.told, reader.has)
			}
			if reader.read() {
				t.Fatal("told twice")
			}
		}
	})
}

func TestA_slow_reader_is_told_the_newest_only(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecord(1)
		h, stop := run(r, false)
		defer stop()
		slow := newReader(t, Request{IDs: []stdops.TaskID{1}})
		slow.connect(h)
		defer slow.drop()
		for range 50 {
			h.Changed(r.change(1, nil))
			time.Sleep(time.Second)
		}
		if !slow.read() || slow.told != 1 || slow.has[1] != 50 || slow.read() {
			t.Errorf("told of %d changes: %v", slow.told, slow.has)
		}
	})
}

func TestA_cursor_tells_nothing_twice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecord(2)
		h, stop := run(r, false)
		defer stop()
		reader := newReader(t, Request{IDs: []stdops.TaskID{1, 2, 77}})
		reader.connect(h)
		time.Sleep(time.Second)
		if !reader.read() || reader.told != 2 || reader.has[77] != absent {
			t.Fatalf("told %v", reader.has)
		}
		reader.drop()
		h.Changed(r.change(2, nil))
		reader.connect(h)
		defer reader.drop()
		time.Sleep(time.Second)
		if !reader.read() || reader.told != 3 || reader.has[2] != 1 || reader.read() {
			t.Errorf("told of %d tasks after the cursor: %v", reader.told, reader.has)
		}
	})
}

// TestA_record_that_went_back is told, though the cursor is from a later time: a backup was restored.
func TestA_record_that_went_back(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecord(1)
		before, stop := run(r, false)
		reader := newReader(t, Request{IDs: []stdops.TaskID{1}})
		for range 5 {
			r.change(1, nil)
		}
		reader.connect(before)
		time.Sleep(time.Second)
		reader.read()
		reader.drop()
		stop()
		r.tasks[1].revision = 2
		clear(reader.has)
		after, stop := run(r, false)
		defer stop()
		reader.connect(after)
		defer reader.drop()
		time.Sleep(time.Second)
		if !reader.read() || reader.has[1] != 2 {
			t.Errorf("told %v, want revision 2", reader.has)
		}
		after.Changed(r.change(1, nil))
		time.Sleep(time.Second)
		if !reader.read() || reader.has[1] != 3 {
			t.Errorf("told %v, want revision 3", reader.has)
		}
	})
}

func TestA_list_is_read_at_most_once_a_second(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecord(3)
		r.tasks[1].listed = true
		h, stop := run(r, false)
		defer stop()
		var readers []*reader
		for range 10 {
			reader := newReader(t, Request{Filter: &Filter{Limit: 10}})
			reader.connect(h)
			defer reader.drop()
			readers = append(readers, reader)
		}
		empty := newReader(t, Request{Filter: &Filter{Limit: 0}})
		empty.connect(h)
		defer empty.drop()
		time.Sleep(time.Second)
		if !empty.read() || empty.read() {
			t.Error("a list with nothing in it was not told, or twice")
		}
		empty.drop()
		for _, reader := range readers {
			if !reader.read() || len(reader.has) != 1 {
				t.Fatalf("the list was told as %v", reader.has)
			}
		}
		r.count()
		for i := range 100 { // in 5 s
			h.Changed(r.change(2, func(t *recorded) { t.listed = i%2 == 0 || i == 99 }))
			time.Sleep(50 * time.Millisecond)
		}
		h.Changed(r.change(1, func(t *recorded) { t.listed = false }))
		time.Sleep(2 * time.Second)
		if reads, _ := r.count(); reads > 120 { // of the list 7, and of the tasks one for each change
			t.Errorf("%d reads", reads)
		}
		for _, reader := range readers {
			for reader.read() {
			}
			if text := r.missing(reader); text != "" {
				t.Error(text)
			}
		}
		r.count()
		time.Sleep(time.Minute)
		if reads, _ := r.count(); reads != 0 {
			t.Errorf("%d reads while nothing changed", reads)
		}
	})
}

// TestA_list_that_was_cut_is_told_as_that: with the first that is told, when it changes, and after a lost connection.
func TestA_list_that_was_cut_is_told_as_that(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecord(3)
		r.tasks[1].listed, r.short = true, true
		h, stop := run(r, false)
		defer stop()
		reader := newReader(t, Request{Filter: &Filter{Limit: 10}})
		reader.connect(h)
		defer reader.drop()
		time.Sleep(time.Second)
		if !reader.read() || !reader.cut || len(reader.has) != 1 {
			t.Fatalf("the first of a list that was cut: %v, cut %v", reader.has, reader.cut)
		}
		if reader.read() {
			t.Error("it was told twice")
		}
		reader.drop()
		reader.connect(h)
		time.Sleep(2 * time.Second)
		if reader.cut = false; !reader.read() || !reader.cut {
			t.Error("who goes on with a cursor was not told")
		}
		r.mu.Lock()
		r.short = false
		r.mu.Unlock()
		h.Changed(r.change(2, nil)) // is not in the list
		time.Sleep(2 * time.Second)
		if !reader.read() || reader.cut {
			t.Error("that the list is whole again was not told")
		}
		if reader.read() {
			t.Error("it was told twice")
		}
	})
}

// TestA_list_that_takes_long_holds_nobody_up lets somebody watch a list that is looked for in many tasks.
func TestA_list_that_takes_long_holds_nobody_up(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecord(2)
		r.tasks[1].listed = true
		r.scan.Store(10_000)
		h, stop := run(r, false)
		defer stop()
		list := newReader(t, Request{Filter: &Filter{Keyword: "rare", Limit: 10}})
		list.connect(h)
		defer list.drop()
		time.Sleep(time.Second) // it is being looked for
		other := newReader(t, Request{IDs: []stdops.TaskID{1, 2}})
		other.connect(h)
		defer other.drop()
		for i := range int64(3) {
			if time.Sleep(time.Second); !other.read() || other.has[2] != i {
				t.Fatalf("told %v after a second, want revision %d", other.has, i)
			}
			h.Changed(r.change(2, nil))
		}
		time.Sleep(30 * time.Second)
		for list.read() {
		}
		if text := r.missing(list); text != "" {
			t.Error(text)
		}
	})
}

func TestWhat_may_have_been_missed_is_asked_for(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecord(1)
		h, stop := run(r, false)
		defer stop()
		reader := newReader(t, Request{IDs: []stdops.TaskID{1}})
		reader.connect(h)
		defer reader.drop()
		time.Sleep(time.Minute)
		reader.read()
		r.change(1, nil)
		h.Changed(nil)
		time.Sleep(time.Second)
		if !reader.read() || reader.has[1] != 1 {
			t.Errorf("told %v", reader.has)
		}
	})
}

// TestWhat_was_acknowledged_is_told_at_once lets somebody begin to watch while what others have just changed is being read.
func TestWhat_was_acknowledged_is_told_at_once(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecord(1)
		h, stop := run(r, false)
		defer stop()
		early := newReader(t, Request{IDs: []stdops.TaskID{1}})
		early.connect(h)
		defer early.drop()
		time.Sleep(500 * time.Millisecond)
		r.lag.Store(100)
		h.Changed(r.change(1, nil))
		time.Sleep(gather + time.Millisecond) // it is being read
		late := newReader(t, Request{IDs: []stdops.TaskID{1}})
		late.connect(h)
		defer late.drop()
		for !late.read() {
			<-late.w.Bell()
		}
		if late.has[1] != 1 || late.told != 1 {
			t.Errorf("told revision %d first, which had been 1 before", late.has[1])
		}
	})
}

func TestNodes_are_told_when_they_change(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecord(1)
		h, stop := run(r, false)
		defer stop()
		plain := newReader(t, Request{IDs: []stdops.TaskID{1}}) // is there first: its readings have no nodes
		plain.connect(h)
		defer plain.drop()
		time.Sleep(500 * time.Millisecond)
		w, err := h.Watch(Request{Project: 1, IDs: []stdops.TaskID{1}, Nodes: true})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		for i, want := range []string{
			"task 1 at 0: [still 0 there], gone []", "task 1 at 1: [1], gone [3]", "task 1 at 2: [2 there], gone []", "task 1 at 4: [4], gone []",
		} {
			if i > 0 {
				h.Changed(r.change(1, nil))
			}
			if i == 3 {
				h.Changed(r.change(1, nil))
			}
			time.Sleep(time.Second)
			d, _ := w.Take()
			got := ""
			for _, n := range d.Nodes {
				got += fmt.Sprintf("task %d at %d: %s, gone %v", n.Task, n.Revision, n.Nodes, n.Gone)
			}
			if got != want {
				t.Errorf("step %d: told %s, want %s", i, got, want)
			}
		}
	})
}

func TestStop_ends_all_at_once(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecord(1)
		h, stop := run(r, false)
		defer stop()
		reader := newReader(t, Request{IDs: []stdops.TaskID{1}})
		reader.connect(h)
		h.Stop("draining")
		<-reader.w.Bell()
		if !reader.read() || reader.end != "draining" {
			t.Errorf("ended with %q", reader.end)
		}
		if n := h.Watching(); n != 1 {
			t.Errorf("%d watch", n)
		}
		reader.drop()
		if n := h.Watching(); n != 0 {
			t.Errorf("%d watch after the last has left", n)
		}
		if _, err := h.Watch(Request{Project: 1, IDs: []stdops.TaskID{1}}); stdops.ErrorCode(err) != stdops.CodeUnavailable {
			t.Errorf("watch after the stop: %v", err)
		}
		if len(h.entries)+len(h.groups)+h.marks != 0 {
			t.Errorf("left: %d entries, %d groups, %d marks", len(h.entries), len(h.groups), h.marks)
		}
	})
}

// TestMany_at_once lets readers come, read and go while tasks change: for the race detector.
func TestMany_at_once(t *testing.T) {
	t.Parallel()
	r := newRecord(20)
	h, stop := run(r, true)
	defer stop()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			request := Request{To: Audience(i % 3)}
			for id := range stdops.TaskID(20) {
				request.IDs = append(request.IDs, id+1)
			}
			if i == 7 {
				request = Request{Filter: &Filter{Limit: 10}}
			}
			reader := newReader(player{}, request)
			for range 20 {
				reader.connect(h)
				select {
				case <-reader.w.Bell():
				case <-time.After(100 * time.Millisecond):
				}
				reader.read()
				reader.drop()
			}
		})
	}
	for i := range 400 {
		h.Changed(r.change(stdops.TaskID(i%20+1), func(t *recorded) { t.listed = i%3 == 0 }))
		if i%10 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	all.Wait()
}

func TestCursor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.Int64Range(1, 1<<53), 0, 50, rapid.ID[int64]).Draw(t, "ids")
		slices.Sort(ids)
		var marks []mark
		for _, id := range ids {
			marks = append(marks, mark{id: stdops.TaskID(id), at: rapid.Int64Range(unknown, 1<<40).Draw(t, "at")})
		}
		text := cursorOf(7, marks)
		c, err := ReadCursor(7, text)
		if err != nil || c == nil {
			t.Fatalf("%v: %v", c, err)
		}
		for _, m := range marks {
			if c.at(m.id) != m.at {
				t.Fatalf("task %d is at %d, want %d", m.id, c.at(m.id), m.at)
			}
		}
		if _, err := ReadCursor(8, text); stdops.ErrorCode(err) != stdops.CodeInvalid {
			t.Fatalf("the cursor of another project: %v", err)
		}
		at := rapid.IntRange(0, len(text)-1).Draw(t, "damage")
		damaged := []byte(text)
		damaged[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		if _, err := ReadCursor(7, string(damaged)); stdops.ErrorCode(err) != stdops.CodeInvalid {
			t.Fatalf("a damaged cursor: %v", err)
		}
	})
}

// TestCursorOfTooMany: no watcher has so many tasks, and whoever made such a cursor up would have them all kept in memory.
func TestCursorOfTooMany(t *testing.T) {
	t.Parallel()
	marks := make([]mark, mostPlaces)
	for i := range marks {
		marks[i].id = stdops.TaskID(i + 1)
	}
	if c, err := ReadCursor(1, cursorOf(1, marks)); err != nil || len(c) != mostPlaces {
		t.Errorf("%d tasks, %v", len(c), err)
	}
	if _, err := ReadCursor(1, cursorOf(1, append(marks, mark{id: mostPlaces + 1}))); stdops.ErrorCode(err) != stdops.CodeInvalid {
		t.Errorf("one too many: %v", err)
	}
}

func FuzzReadCursor(f *testing.F) {
	f.Add("")
	f.Add(cursorOf(1, []mark{{id: 1, at: 3}, {id: 9, at: absent}}))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ReadCursor(1, text)
		if err != nil {
			return
		}
		var marks []mark
		for _, p := range c {
			marks = append(marks, mark{id: p.id, at: p.at})
		}
		if again, err := ReadCursor(1, cursorOf(1, marks)); err != nil || !slices.Equal(c, again) {
			t.Errorf("%v is not read again: %v, %v", c, again, err)
		}
	})
}
