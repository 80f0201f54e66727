package store

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stdops/stdops"
)

// archiveFormat is the format of the bodies of task_archive that are written. A body is read by the format that its row
// names, so that a new one is a new number, and the old ones stay readable.
const archiveFormat = 1

// leastArchived is how many bytes a node has at least in a body: one for each column.
const leastArchived = 17

// packNodes puts the states of the nodes of a task into one body: column by column, so that what is the same in most nodes
// compresses to nearly nothing.
func (s *Store) packNodes(nodes []stdops.NodeState) []byte {
	c := &archiveColumns{body: binary.AppendUvarint(nil, uint64(len(nodes)))}
	c.all(nodes)
	return s.zip.EncodeAll(c.body, nil)
}

// unpackNodes reads what packNodes has made.
func unpackNodes(format int64, text []byte) ([]stdops.NodeState, error) {
	if format != archiveFormat {
		return nil, fmt.Errorf("format %d is not known", format)
	}
	n, length := binary.Uvarint(text)
	if length <= 0 || n > uint64(len(text))/leastArchived {
		return nil, errCutArchive
	}
	nodes := make([]stdops.NodeState, n)
	c := &archiveColumns{body: text[length:], reads: true}
	c.all(nodes)
	if c.err == nil && len(c.body) > 0 {
		c.err = errors.New("there is more than the nodes")
	}
	return nodes, c.err
}

var errCutArchive = errors.New("it ends too early")

// archiveColumns writes nodes to the end of a body, or reads them from its beginning: both ways are one list of columns.
type archiveColumns struct {
	body  []byte
	reads bool
	err   error
}

func (c *archiveColumns) all(nodes []stdops.NodeState) {
	numberColumn(c, nodes, func(n *stdops.NodeState) *stdops.NodeIndex { return &n.Node })
	numberColumn(c, nodes, func(n *stdops.NodeState) *int32 { return &n.Order })
	numberColumn(c, nodes, func(n *stdops.NodeState) *stdops.State { return &n.State })
	numberColumn(c, nodes, func(n *stdops.NodeState) *stdops.Phase { return &n.Phase })
	numberColumn(c, nodes, func(n *stdops.NodeState) *int32 { return &n.Call })
	numberColumn(c, nodes, func(n *stdops.NodeState) *int32 { return &n.Loop })
	numberColumn(c, nodes, func(n *stdops.NodeState) *int32 { return &n.InnerLoop })
	numberColumn(c, nodes, func(n *stdops.NodeState) *int32 { return &n.Retry })
	numberColumn(c, nodes, func(n *stdops.NodeState) *int32 { return &n.AutoRetries })
	c.flags(nodes, func(n *stdops.NodeState) *bool { return &n.Skip })
	c.flags(nodes, func(n *stdops.NodeState) *bool { return &n.ErrorIgnored })
	c.versions(nodes)
	numberColumn(c, nodes, func(n *stdops.NodeState) *stdops.Token { return &n.Token })
	c.times(nodes, func(n *stdops.NodeState) *time.Time { return &n.Started })
	c.times(nodes, func(n *stdops.NodeState) *time.Time { return &n.Finished })
	c.times(nodes, func(n *stdops.NodeState) *time.Time { return &n.Due })
	c.times(nodes, func(n *stdops.NodeState) *time.Time { return &n.Deadline })
}

// numberColumn holds what each number is more than the one before.
func numberColumn[T ~int32 | ~uint8](c *archiveColumns, nodes []stdops.NodeState, field func(*stdops.NodeState) *T) {
	var before int64
	for i := range nodes {
		v := field(&nodes[i])
		if !c.reads {
			c.body = binary.AppendVarint(c.body, int64(*v)-before)
			before = int64(*v)
			continue
		}
		before += c.number()
		if *v = T(before); int64(*v) != before {
			c.fail(fmt.Errorf("a number is %d", before))
		}
	}
}

func (c *archiveColumns) flags(nodes []stdops.NodeState, field func(*stdops.NodeState) *bool) {
	for i := range nodes {
		v := field(&nodes[i])
		switch {
		case c.reads:
			*v = c.number() != 0
		case *v:
			c.body = binary.AppendVarint(c.body, 1)
		default:
			c.body = binary.AppendVarint(c.body, 0)
		}
	}
}

// versions holds each as its length and text. Those that the engine makes are digits of chance, which no compressor makes
// shorter: so of them the 16 bytes stand there, under the length -1.
func (c *archiveColumns) versions(nodes []stdops.NodeState) {
	for i := range nodes {
		v := &nodes[i].Version
		switch raw, made := chanceOf(*v); {
		case c.reads:
			*v = c.version()
		case made:
			c.body = append(binary.AppendVarint(c.body, -1), raw...)
		default:
			c.body = append(binary.AppendVarint(c.body, int64(len(*v))), *v...)
		}
	}
}

func (c *archiveColumns) version() stdops.Version {
	n := c.number()
	made := n == -1
	if made {
		n = chanceBytes
	}
	if n < 0 || n > int64(len(c.body)) {
		c.fail(errCutArchive)
		return ""
	}
	text := c.body[:n]
	c.body = c.body[n:]
	if made {
		return stdops.Version("v" + hex.EncodeToString(text))
	}
	return stdops.Version(text)
}

const chanceBytes = 16

// chanceOf gives the bytes that a version of the engine is made of; it is false for any other text.
func chanceOf(v stdops.Version) ([]byte, bool) {
	digits, is := strings.CutPrefix(string(v), "v")
	raw, err := hex.DecodeString(digits)
	return raw, is && err == nil && len(raw) == chanceBytes && digits == strings.ToLower(digits)
}

// times holds for each time how much later it is than the one before it, in µs and one more; 0 is no time.
func (c *archiveColumns) times(nodes []stdops.NodeState, field func(*stdops.NodeState) *time.Time) {
	var before int64
	for i := range nodes {
		v := field(&nodes[i])
		if !c.reads {
			if v.IsZero() {
				c.body = binary.AppendVarint(c.body, 0)
				continue
			}
			now := v.UnixMicro()
			c.body = binary.AppendVarint(c.body, beyondZero(now-before))
			before = now
			continue
		}
		if step := c.number(); step != 0 {
			before += withZero(step)
			*v = time.UnixMicro(before).UTC()
		}
	}
}

// beyondZero makes room for a value that means nothing, withZero takes it away again.
func beyondZero(step int64) int64 {
	if step >= 0 {
		return step + 1
	}
	return step
}

func withZero(step int64) int64 {
	if step > 0 {
		return step - 1
	}
	return step
}

func (c *archiveColumns) number() int64 {
	v, n := binary.Varint(c.body)
	if n <= 0 {
		c.fail(errCutArchive)
		return 0
	}
	c.body = c.body[n:]
	return v
}

// fail notes down the first error; from then on there is nothing to be read.
func (c *archiveColumns) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.body = nil
}
