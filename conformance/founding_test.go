package conformance

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

var quoted = regexp.MustCompile("`([^`]+)`")

// TestFoundingCoverage keeps docs/founding-coverage.md true: each row names a proof, and each proof exists and is not
// put off.
func TestFoundingCoverage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/founding-coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	later, err := loadLater("later.txt")
	if err != nil {
		t.Fatal(err)
	}
	proofs := proofsOf(t)
	for name := range later {
		delete(proofs, name)
	}
	for _, problem := range uncovered(string(text), proofs) {
		t.Error(problem)
	}
}

// uncovered gives what is wrong with the rows of a coverage page: its tables have four columns, the last names proofs.
func uncovered(page string, proofs map[string]bool) []string {
	var problems []string
	for _, line := range strings.Split(page, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "| ") || strings.TrimSpace(cells[0]) == "on the page" {
			continue
		}
		names := quoted.FindAllStringSubmatch(cells[len(cells)-1], -1)
		if len(cells) != 4 || len(names) == 0 {
			problems = append(problems, "no proof: "+line)
		}
		for _, name := range names {
			if !proofs[name[1]] {
				problems = append(problems, name[1]+" does not exist or is put off: "+line)
			}
		}
	}
	return problems
}

// proofsOf gives the names of all cases and of all tests of the repository.
func proofsOf(t *testing.T) map[string]bool {
	t.Helper()
	proofs := map[string]bool{}
	cases, err := loadCases("cases")
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range cases {
		proofs[spec.Text("name")] = true
	}
	test := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err = filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range test.FindAllStringSubmatch(string(source), -1) {
			proofs[found[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return proofs
}

func TestUncovered(t *testing.T) {
	t.Parallel()
	page := "# x\n\n| on the page | served | deviation | proof |\n|---|---|---|---|\n" +
		"| good | | | `a` `TestB` |\n| none | | | |\n| gone | | | `a` `c` |\n| short | `a` |\n"
	got := uncovered(page, map[string]bool{"a": true, "TestB": true})
	want := []string{"no proof: | none | | | |", "c does not exist or is put off: | gone | | | `a` `c` |", "no proof: | short | `a` |"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// TestFoundingStates keeps the words of the wire together: the five of the founding page and the four that it does not
// mention, no other.
func TestFoundingStates(t *testing.T) {
	t.Parallel()
	var words []any
	for state := stdops.StateCreated; state <= stdops.StateExpired; state++ {
		words = append(words, state.String())
	}
	if len(words) != len(states) || !fitsMembers("$has", states, words) {
		t.Errorf("the vocabulary has %v, the wire %v", words, states)
	}
	for _, founding := range []string{"CREATED", "RUNNING", "FAILED", "NODE_SUSPENDED", "FINISHED"} {
		if !contains(words, founding) {
			t.Errorf("%s is missing", founding)
		}
	}
}
