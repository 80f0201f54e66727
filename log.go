package stdops

import "time"

// DefaultLog is how many bytes of log are kept of one attempt of a node unless an operator sets another limit, and MostLog
// how many that may be: a whole log is one answer. What comes after them is dropped.
const (
	DefaultLog = 1 << 20
	MostLog    = 16 << 20
)

// LogKey names the log of one attempt of a node. It is the loop and the retry that tell attempts apart: a version changes
// with a forced failure or a skip, though no other attempt begins.
type LogKey struct {
	TaskRef
	Node  NodeIndex
	Loop  int32
	Retry int32
}

// LogPiece is text to be added to the end of a log.
type LogPiece struct {
	LogKey
	Version Version // of the attempt when it was written
	Text    []byte
	Begun   time.Time // when the first of it was written; zero: now
}
