package disktest

import "math/rand/v2"

// sector is what a disk writes as a whole.
const sector = 512

// survive gives a content that the file may have after a loss of power.
func (f *inode) survive(dice *rand.Rand) []byte {
	since := f.settled(dice)
	sizes := []int64{int64(len(f.synced))} // that the file had
	contents := map[int64][][]byte{}       // that a sector had, the synced one first
	now := append([]byte(nil), f.synced...)
	for _, c := range since {
		if c.data == nil {
			now = resized(now, c.at)
			for at := range contents {
				if at >= c.at {
					delete(contents, at)
				}
			}
			f = &inode{synced: resized(append([]byte(nil), f.synced...), c.at)}
			sizes = []int64{c.at}
			continue
		}
		if end := c.at + int64(len(c.data)); end > int64(len(now)) {
			now = resized(now, end)
		}
		copy(now[c.at:], c.data)
		for at := c.at / sector * sector; at < c.at+int64(len(c.data)); at += sector {
			if contents[at] == nil {
				contents[at] = [][]byte{part(f.synced, at)}
			}
			contents[at] = append(contents[at], part(now, at))
		}
		sizes = append(sizes, int64(len(now)))
	}
	// How much was written back differs from one loss of power to the next: nothing, some, nearly all.
	lucky := dice.Float64()
	if dice.IntN(3) == 0 {
		lucky = float64(dice.IntN(2))
	}
	pick := func(n int) int {
		switch {
		case dice.Float64() < lucky:
			return n - 1
		case lucky == 0:
			return 0
		default:
			return dice.IntN(n)
		}
	}
	size := sizes[pick(len(sizes))]
	left := resized(append([]byte(nil), f.synced...), max(size, int64(len(now))))
	for at := int64(0); at < int64(len(left)); at += sector { // in order, so that a seed gives the same every time
		if had := contents[at]; had != nil {
			copy(left[at:], had[pick(len(had))])
		}
	}
	return resized(left, size)
}

// settled gives the changes of which something may be there: those before a truncation that did not happen.
func (f *inode) settled(dice *rand.Rand) []change {
	for i, c := range f.since {
		if c.data == nil && dice.IntN(2) == 0 {
			return f.since[:i]
		}
	}
	return f.since
}

func part(content []byte, at int64) []byte {
	out := make([]byte, sector)
	if at < int64(len(content)) {
		copy(out, content[at:])
	}
	return out
}

func resized(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size]
	}
	return append(content, make([]byte, size-int64(len(content)))...)
}
