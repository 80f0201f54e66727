package expr

import "time"

// The budgets of one fragment (docs/spec/engine.md 6.4.4).
const (
	maxSource  = 64 << 10
	maxNesting = 200
	maxSteps   = 100_000
	maxTime    = 100 * time.Millisecond
	maxSize    = 1 << 20
)

// Bounds that the specification leaves open.
const (
	maxCallSteps = 10 * maxSteps   // all fragments of one rendering together
	maxMemory    = 16 * maxSize    // all intermediate values of one fragment together
	maxIntBits   = 14284           // 4300 decimal digits, as many as Python writes
	itemSize     = 16              // what one item of a list counts
	maxDepth     = 16 * maxNesting // nodes, values inside of values and iterators that are gone into at the same time
	clockEvery   = 1024            // steps between two looks at the clock
	bytesPerStep = 256             // work on texts counts as one step per so many bytes
)

// The budgets by their names in a [LimitError].
const (
	limitSource  = "source"
	limitNesting = "nesting"
	limitSteps   = "steps"
	limitTime    = "time"
	limitSize    = "size"
)

// LimitError says which budget a fragment or a condition has used up: source, nesting, steps, time or size.
type LimitError struct{ Which string }

// Error gives the text that a failed node shows.
func (e *LimitError) Error() string { return "expression limit: " + e.Which }

// meter measures the evaluation of one fragment.
type meter struct {
	now     func() time.Time
	started time.Time
	steps   int // left
	look    int // steps at which the clock is due
	memory  int // left
	depth   int
}

func newMeter(now func() time.Time, steps int) meter {
	return meter{now: now, started: now(), steps: steps, look: steps - clockEvery, memory: maxMemory}
}

// spend takes n steps off the budget. It is called before the work is done.
func (m *meter) spend(n int) error {
	if n > m.steps {
		m.steps = 0
		return &LimitError{limitSteps}
	}
	m.steps -= n
	if m.steps > m.look {
		return nil
	}
	m.look = m.steps - clockEvery
	if m.now().Sub(m.started) > maxTime {
		return &LimitError{limitTime}
	}
	return nil
}

// grow pays for a new value of size bytes. It is called before the memory is taken.
func (m *meter) grow(size int) error {
	if size > maxSize || size > m.memory {
		return &LimitError{limitSize}
	}
	m.memory -= size
	return m.spend(size / bytesPerStep)
}

// growBy is grow for count pieces of size bytes, for counts whose product may not fit an int.
func (m *meter) growBy(count, size int) error {
	if size > 0 && count > maxSize/size {
		return &LimitError{limitSize}
	}
	return m.grow(count * size)
}

// read pays for going through size bytes.
func (m *meter) read(size int) error { return m.spend(size / bytesPerStep) }

// enter goes a level deeper into the tree, or into a value; leave ends it. What is parsed nests no deeper than
// maxNesting, but a lambda can call itself and a loop can wrap a value again and again.
func (m *meter) enter() error {
	if m.depth == maxDepth {
		return &LimitError{limitNesting}
	}
	m.depth++
	return nil
}

func (m *meter) leave() { m.depth-- }
