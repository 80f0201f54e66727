package sops

import (
	"fmt"
	"slices"
	"strconv"
	"time"
	"unsafe"

	"github.com/maypok86/otter/v2"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/status"
)

// fragment is the encoded entry of a task at one revision. It leaves out the numbers that grow while a task runs, so it
// serves at any moment, and holds the children once although an entry has them twice.
type fragment struct {
	revision int64
	children int // status objects inside, each counted once
	text     []byte
	pieces   []piece // that the entry is made of, in order; some parts of the text come twice
	length   int     // of all pieces, without what follows them

	packed bool      // the text is deflated, each piece for itself
	moment time.Time // when not zero, the only second at which a packed fragment is right
}

// piece is a part of a fragment's text, followed by the whole seconds since a moment unless that is zero.
type piece struct {
	from, to int
	since    time.Time
	sum      api.Sum // of what a packed piece was made of
}

// most is the length of the entry at any moment, or more.
func (f *fragment) most() int { return f.length + len(",") + mostDigits*(len(f.pieces)-1) }

// size is about how many bytes of memory a fragment takes.
func (f *fragment) size() int {
	return cap(f.text) + cap(f.pieces)*int(unsafe.Sizeof(piece{})) + int(unsafe.Sizeof(*f)) + entryOverhead
}

// entryOverhead is about what the cache adds to a fragment: its key, its node, its place in a table.
const entryOverhead = 200

// mostPacked is up to how many pieces are packed each for itself: what is packed apart shares no words.
const mostPacked = 16

// pack gives the fragment deflated, so that it can be put into any gzip answer. One with very many gaps is made for one
// moment only.
func (f *fragment) pack(now time.Time) *fragment {
	p := &fragment{revision: f.revision, children: f.children, packed: true}
	whole := len(f.pieces) > mostPacked
	if whole {
		p.moment = now.Truncate(time.Second)
	}
	var text []byte
	for i := range f.pieces {
		piece := f.pieces[i]
		text = append(text, f.text[piece.from:piece.to]...)
		last := i == len(f.pieces)-1
		if whole {
			text, piece.since = piece.appendElapsed(text, now), time.Time{}
		}
		if last || !piece.since.IsZero() {
			p.deflate(text, piece.since)
			text = text[:0]
		}
	}
	p.text = slices.Clone(p.text)
	return p
}

func (f *fragment) deflate(text []byte, since time.Time) {
	next := piece{from: len(f.text), since: since}
	f.text, next.sum = api.AppendDeflated(f.text, text)
	next.to = len(f.text)
	f.pieces = append(f.pieces, next)
	f.length += next.to - next.from
}

// appendElapsed appends what follows the piece at a moment.
func (p *piece) appendElapsed(b []byte, now time.Time) []byte {
	if p.since.IsZero() {
		return b
	}
	return strconv.AppendInt(b, status.Elapsed(p.since, time.Time{}, now), 10)
}

// at reports whether the fragment can be part of an answer of a moment.
func (f *fragment) at(now time.Time) bool {
	return f.moment.IsZero() || f.moment.Equal(now.Truncate(time.Second))
}

// gap is a place in an encoded text where the whole seconds since a moment belong.
type gap struct {
	at    int
	since time.Time
}

// cut makes the pieces of a part of the text; gaps are those of the whole text, in order.
func (f *fragment) cut(from, to int, gaps []gap) {
	for _, g := range gaps {
		if g.at < from || g.at >= to {
			continue
		}
		f.pieces = append(f.pieces, piece{from: from, to: g.at, since: g.since})
		f.length += g.at - from
		from = g.at
	}
	f.pieces = append(f.pieces, piece{from: from, to: to})
	f.length += to - from
}

// fragmentKey names what is kept of a task: each way to ask has its own fragment, and of it the latest.
type fragmentKey struct {
	task             stdops.TaskID
	children, packed bool
}

// fragments keeps the fragments that were asked for most, bounded by the memory that they take.
type fragments struct {
	cache   *otter.Cache[fragmentKey, *fragment]
	largest int
}

// shareOfOne is which part of the memory one fragment may take.
const shareOfOne = 8

func newFragments(bytes int64) (*fragments, error) {
	cache, err := otter.New(&otter.Options[fragmentKey, *fragment]{
		MaximumWeight: uint64(bytes),
		Weigher:       func(_ fragmentKey, f *fragment) uint32 { return uint32(f.size()) },
		Executor:      func(work func()) { work() }, // no goroutine of which nobody knows when it ends
	})
	if err != nil {
		return nil, fmt.Errorf("make the cache of answers: %w", err)
	}
	return &fragments{cache: cache, largest: int(bytes / shareOfOne)}, nil
}

func (c *fragments) get(key fragmentKey) *fragment {
	f, _ := c.cache.GetIfPresent(key)
	return f
}

// put keeps a fragment, unless there is one of a later revision: readers of different moments may come in any order.
func (c *fragments) put(key fragmentKey, f *fragment) {
	if f.size() > c.largest {
		return
	}
	c.cache.Compute(key, func(old *fragment, found bool) (*fragment, otter.ComputeOp) {
		if found && old.revision > f.revision {
			return nil, otter.CancelOp
		}
		return f, otter.WriteOp
	})
}
