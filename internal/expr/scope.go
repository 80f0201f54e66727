package expr

import "slices"

// frame holds the values of the names that one comprehension, or one call of a lambda, defines.
type frame struct {
	values []any
	outer  *frame
}

// newFrame makes a frame inside of outer; its names have no value yet.
func (m *machine) newFrame(names int, outer *frame) (*frame, error) {
	if err := m.growBy(names+2, itemSize); err != nil {
		return nil, err
	}
	f := &frame{values: make([]any, names), outer: outer}
	for i := range f.values {
		f.values[i] = missing{}
	}
	return f, nil
}

// mention is a place where a name is used and what it means is not known yet: `x * 2` stands before `for x in`.
type mention struct {
	text string
	node *name
}

// bindLocals gives the mentions from mark on that one of the names is meant by their places in a frame. What is left is
// one frame deeper inside of whatever defines it. Mentions in the range outside (the first iterable of a comprehension,
// which belongs to what is around) are left alone.
func (p *parser) bindLocals(mark int, outside [2]int, names []string) {
	kept := p.mentions[:mark:mark]
	for i, m := range p.mentions[mark:] {
		if at := mark + i; outside[0] <= at && at < outside[1] {
			kept = append(kept, m)
			continue
		}
		if slot := slices.Index(names, m.text); slot >= 0 {
			m.node.local, m.node.slot = true, slot
			continue
		}
		m.node.up++
		kept = append(kept, m)
	}
	p.mentions = kept
}

// bindRoots numbers the names that are left: variables, functions and modules.
func (p *parser) bindRoots() {
	slots := map[string]int{}
	for _, m := range p.mentions {
		slot, known := slots[m.text]
		if !known {
			slot = len(p.names)
			slots[m.text] = slot
			p.names = append(p.names, m.text)
		}
		*m.node = name{slot: slot}
	}
}

// target is what a value is given to by `for`: a name, or several that the value is taken apart for.
type target struct {
	slot  int
	parts []*target // nil for a name
}

// set gives the value to the names of t.
func (t *target) set(m *machine, f *frame, value any) error {
	if t.parts == nil {
		f.values[t.slot] = value
		return nil
	}
	from, err := m.iterate(value)
	if err != nil {
		return err
	}
	for _, part := range t.parts {
		item, ok, err := m.next(from)
		if err == nil && !ok {
			err = fail("not enough values to unpack (expected %d)", len(t.parts))
		}
		if err == nil {
			err = part.set(m, f, item)
		}
		if err != nil {
			return err
		}
	}
	_, more, err := m.next(from)
	if err == nil && more {
		err = fail("too many values to unpack (expected %d)", len(t.parts))
	}
	return err
}
