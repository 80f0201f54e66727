package watch

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/stdops/stdops"
)

// Cursor is where a watcher was: what it was told of each task last, by id. Any process can go on from it.
type Cursor []place

type place struct {
	id stdops.TaskID
	at int64
}

// cursorFormat is the first byte of a cursor.
const cursorFormat = 1

// mostPlaces is how many tasks a cursor can be about, and longestCursor more than one of these can have.
const (
	mostPlaces    = 1000
	longestCursor = 64 << 10
)

// cursorOf writes a cursor: the format, then for each task how much larger its id is than the one before, and its revision,
// and a checksum, which is of the project too.
func cursorOf(project stdops.ProjectID, marks []mark) string {
	b := make([]byte, 1, 8+4*len(marks))
	b[0] = cursorFormat
	last := stdops.TaskID(0)
	for i := range marks {
		if m := &marks[i]; m.at != unknown {
			b = binary.AppendUvarint(b, uint64(m.id-last))
			b = binary.AppendUvarint(b, uint64(m.at-absent))
			last = m.id
		}
	}
	b = binary.LittleEndian.AppendUint32(b, sumOf(project, b))
	return base64.RawURLEncoding.EncodeToString(b)
}

func sumOf(project stdops.ProjectID, b []byte) uint32 {
	return crc32.Update(uint32(project), crc32.IEEETable, b)
}

// ReadCursor reads the cursor of an earlier delivery of the same project.
func ReadCursor(project stdops.ProjectID, text string) (Cursor, error) {
	refused := stdops.Errorf(stdops.CodeInvalid, "cursor is none that a watch of this project gave: leave it out to be told everything first")
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(text) > longestCursor || len(b) < 5 || b[0] != cursorFormat {
		return nil, refused
	}
	body, sum := b[:len(b)-4], b[len(b)-4:]
	if binary.LittleEndian.Uint32(sum) != sumOf(project, body) {
		return nil, refused
	}
	c, last := Cursor{}, stdops.TaskID(0)
	for body = body[1:]; len(body) > 0; {
		var p place
		step, n := binary.Uvarint(body)
		if n <= 0 || step == 0 || step > 1<<53 || len(c) == mostPlaces {
			return nil, refused
		}
		body = body[n:]
		at, n := binary.Uvarint(body)
		if n <= 0 || at > 1<<62 {
			return nil, refused
		}
		body = body[n:]
		p.id, p.at = last+stdops.TaskID(step), int64(at)+absent
		last = p.id
		c = append(c, p)
	}
	return c, nil
}

// at gives the revision that was told of a task last.
func (c Cursor) at(id stdops.TaskID) int64 {
	i, ok := slices.BinarySearchFunc(c, id, func(p place, id stdops.TaskID) int { return cmp.Compare(p.id, id) })
	if !ok {
		return unknown
	}
	return c[i].at
}

func (c Cursor) tasks() []stdops.TaskID {
	ids := make([]stdops.TaskID, len(c))
	for i := range c {
		ids[i] = c[i].id
	}
	return ids
}
