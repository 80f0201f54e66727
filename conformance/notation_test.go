package conformance

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

var rewrite = flag.Bool("update", false, "write the golden trees anew")

// TestNotation expands the flows of testdata/notation, edits them and compares the trees with the files beside them.
func TestNotation(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/notation/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files (%v)", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			spec := value(t, string(raw)).(*stdops.Object)
			tree, err := buildTree(spec)
			if err != nil {
				t.Fatal(err)
			}
			if err := newPatcher(tree).apply(tree, list(spec, "patch")); err != nil {
				t.Fatal(err)
			}
			compareGolden(t, strings.TrimSuffix(file, ".json")+".golden", tree)
		})
	}
}

func compareGolden(t *testing.T, file string, v any) {
	t.Helper()
	raw, err := stdops.EncodeValue(v)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, raw, "", " "); err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

func TestNotationMistakes(t *testing.T) {
	t.Parallel()
	for flow, want := range map[string]string{
		`{"flow":["A","A"]}`:                                   "used twice: A",
		`{"flow":["A","->B"]}`:                                 "leads to B, which does not exist",
		`{"flow":[{"what":"A"}]}`:                              "unknown item",
		`{"flow":[{"sub":"S","flow":["A","A"]}]}`:              "used twice: A",
		`{"flow":[{"par":"P","branches":[["A"]],"join":"P"}]}`: "used twice: P",
	} {
		if _, err := buildTree(value(t, flow).(*stdops.Object)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", flow, err, want)
		}
	}
}

func TestPatchMistakes(t *testing.T) {
	t.Parallel()
	for _, edit := range []string{`["set"]`, `["set","no/such/place",1]`, `["del","list/7"]`, `["set","list/x",1]`} {
		tree := value(t, `{"list":[1]}`).(*stdops.Object)
		if err := newPatcher(tree).apply(tree, []any{value(t, edit)}); err == nil {
			t.Errorf("%s was applied", edit)
		}
	}
}
