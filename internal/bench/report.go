package bench

import (
	"runtime"
	"slices"
)

// Report is what one run has measured.
type Report struct {
	Machine
	Server      string       `json:"server,omitempty"` // of the database
	Tasks       int          `json:"tasks"`
	Nodes       int          `json:"nodes,omitempty"`
	Activities  int          `json:"activities,omitempty"` // of each task
	Duration    string       `json:"duration,omitempty"`   // of one side in one round
	Rounds      int          `json:"rounds"`
	Connections int          `json:"connections,omitempty"`
	Questions   int          `json:"questions,omitempty"` // in one round
	Comparisons []Comparison `json:"comparisons,omitempty"`
	Figures     []Figure     `json:"figures,omitempty"`
}

// Machine is what the figures of a report depend on besides the program.
type Machine struct {
	Go     string `json:"go"`
	System string `json:"system"`
	CPUs   int    `json:"cpus"`
}

func thisMachine() Machine {
	return Machine{Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0)}
}

// Figure is a figure that is held against a bound and not against another.
type Figure struct {
	Unit string `json:"unit"`
	Series
	Goal Goal `json:"goal"`
}

func figure(name, unit string, atMost, value float64) Figure {
	return Figure{Unit: unit, Series: Series{Name: name, Rounds: []float64{value}}, Goal: Goal{AtMost: atMost}}
}

// Comparison is one figure of ours beside that of the least that could do the same.
type Comparison struct {
	Name      string  `json:"name"`
	Unit      string  `json:"unit"`
	Ours      Series  `json:"ours"`
	Reference Series  `json:"reference"`
	Ratio     float64 `json:"ratio"` // of the medians
	Goal      Goal    `json:"goal"`

	// Bytes is the size of an answer, Rows the number of rows that are read or written: the same on both sides.
	Bytes int `json:"bytes,omitempty"`
	Rows  int `json:"rows,omitempty"`
}

// Goal is what a ratio is meant to become; one of the two is 0. The bench does not judge by it.
type Goal struct {
	AtLeast float64 `json:"at_least,omitempty"`
	AtMost  float64 `json:"at_most,omitempty"`
}

// Series is one side of a comparison.
type Series struct {
	Name   string    `json:"name"`
	Rounds []float64 `json:"rounds"`
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
}

func (c *Comparison) conclude() {
	c.Ours.conclude()
	c.Reference.conclude()
	c.Ratio = c.Ours.Median / c.Reference.Median
}

func (s *Series) conclude() {
	sorted := slices.Sorted(slices.Values(s.Rounds))
	middle := len(sorted) / 2
	s.Min, s.Max, s.Median = sorted[0], sorted[len(sorted)-1], sorted[middle]
	if len(sorted)%2 == 0 {
		s.Median = (sorted[middle-1] + sorted[middle]) / 2
	}
}
