package main

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProblemsAreToldApart: what SQLite says takes several lines, which are set off from the next problem.
func TestProblemsAreToldApart(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := &cli{out: &out, format: "table"}
	err := c.tellVerified(&verifyReport{Problems: []verifyProblem{{0, "*** in database main ***\nTree 19 page 19"}, {3, "no log"}}})
	if codeOf(err) != exitProblems {
		t.Errorf("it ends with %d", codeOf(err))
	}
	want := "file: *** in database main ***\n  Tree 19 page 19\ntask 3: no log\n0 tasks with 0 transitions checked: 2 problems\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("output (-want +got)\n%s", d)
	}
}
