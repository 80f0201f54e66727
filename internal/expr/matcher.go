package expr

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// matchKind says where a match may lie.
type matchKind uint8

const (
	matchAnywhere matchKind = iota // re.search
	matchBegin                     // re.match: at the begin
	matchAll                       // re.fullmatch: from begin to end
)

// threadsPerStep is how many threads move by one sign of the text in a step.
const threadsPerStep = 16

// matcher runs a pattern over a text: all ways to match it move along together, those that Python would try first in
// front. So the time is linear, and it is counted.
type matcher struct {
	m       *machine
	p       *pattern
	text    string
	work    int // threads that moved and are not paid for
	now     threads
	then    threads
	spare   [][]int
	advance bool // an empty match where the search begins does not count
}

// threads are ways to match, in the order of their rank; every instruction once.
type threads struct {
	list   []thread
	places []uint32 // of instructions in list
}

type thread struct {
	at     uint32
	groups []int // offsets
}

func (t *threads) has(pc uint32) bool {
	place := t.places[pc]
	return int(place) < len(t.list) && t.list[place].at == pc
}

func (m *machine) matcher(p *pattern, text string) (*matcher, error) {
	n := len(p.prog.Inst)
	return &matcher{
		m: m, p: p, text: text,
		now: threads{places: make([]uint32, n)}, then: threads{places: make([]uint32, n)},
	}, m.grow(n * itemSize)
}

// pay is called for every thread that moves.
func (r *matcher) pay() error {
	if r.work++; r.work < threadsPerStep {
		return nil
	}
	r.work = 0
	return r.m.spend(1 + r.p.places()/itemSize)
}

// find gives the offsets of the groups of the first match from start on, nil when there is none.
func (r *matcher) find(start int, kind matchKind) (found []int, err error) {
	r.clear(&r.now)
	for at := start; ; {
		if len(r.now.list) == 0 {
			if found != nil || kind != matchAnywhere && at > start {
				return found, nil
			}
			if at, err = r.leap(at, kind); err != nil || at < 0 {
				return nil, err
			}
		}
		if found == nil && (kind == matchAnywhere || at == start) {
			if err := r.begin(at); err != nil {
				return nil, err
			}
		}
		sign, width := utf8.DecodeRuneInString(r.text[at:])
		better, err := r.step(at, start, sign, width, kind)
		if err != nil {
			return nil, err
		}
		if better != nil {
			found = better
		}
		r.now, r.then = r.then, r.now
		r.clear(&r.then)
		if width == 0 {
			return found, nil
		}
		at += width
	}
}

// leap goes to where a match can begin, -1 when there is no such place.
func (r *matcher) leap(at int, kind matchKind) (int, error) {
	if r.p.prefix == "" || kind != matchAnywhere {
		return at, nil
	}
	i := strings.Index(r.text[at:], r.p.prefix)
	if i < 0 {
		return -1, r.m.read(len(r.text) - at)
	}
	return at + i, r.m.read(i)
}

// step moves all threads over one sign. A thread that has matched ends those behind it.
func (r *matcher) step(at, start int, sign rune, width int, kind matchKind) (found []int, err error) {
	here := r.p.flagsHere(r.text, at+width)
	for _, t := range r.now.list {
		if err := r.pay(); err != nil {
			return nil, err
		}
		inst := &r.p.prog.Inst[t.at]
		if inst.Op == syntax.InstMatch {
			if kind == matchAll && at < len(r.text) || r.advance && at == start {
				continue
			}
			found = append([]int(nil), t.groups...)
			found[1] = at
			return found, r.m.growBy(len(found), itemSize/2)
		}
		if width > 0 && inst.MatchRune(sign) {
			if err := r.add(&r.then, inst.Out, at+width, here, t.groups); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// add lets a thread go on at an instruction, and through all that reads nothing.
func (r *matcher) add(to *threads, pc uint32, at int, here syntax.EmptyOp, groups []int) error {
	if to.has(pc) {
		return nil
	}
	if err := r.pay(); err != nil {
		return err
	}
	place := len(to.list)
	to.places[pc] = uint32(place)
	to.list = append(to.list, thread{at: pc})
	inst := &r.p.prog.Inst[pc]
	switch inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		if err := r.add(to, inst.Out, at, here, groups); err != nil {
			return err
		}
		return r.add(to, inst.Arg, at, here, groups)
	case syntax.InstNop:
		return r.add(to, inst.Out, at, here, groups)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(inst.Arg)&^here != 0 {
			return nil
		}
		return r.add(to, inst.Out, at, here, groups)
	case syntax.InstCapture:
		before := groups[inst.Arg]
		groups[inst.Arg] = at
		err := r.add(to, inst.Out, at, here, groups)
		groups[inst.Arg] = before
		return err
	case syntax.InstFail:
		return nil
	default:
		own, err := r.room()
		copy(own, groups)
		to.list[place].groups = own
		return err
	}
}

// begin adds the thread that begins to match here, behind all others.
func (r *matcher) begin(at int) error {
	groups, err := r.room()
	if err != nil {
		return err
	}
	for i := range groups {
		groups[i] = -1
	}
	groups[0] = at
	err = r.add(&r.now, uint32(r.p.prog.Start), at, r.p.flagsHere(r.text, at), groups)
	r.spare = append(r.spare, groups)
	return err
}

// room gives space for the offsets of a thread.
func (r *matcher) room() ([]int, error) {
	if n := len(r.spare); n > 0 {
		groups := r.spare[n-1]
		r.spare = r.spare[:n-1]
		return groups, nil
	}
	return make([]int, r.p.places()), r.m.growBy(r.p.places(), itemSize/2)
}

func (r *matcher) clear(t *threads) {
	for _, own := range t.list {
		if own.groups != nil {
			r.spare = append(r.spare, own.groups)
		}
	}
	t.list = t.list[:0]
}
