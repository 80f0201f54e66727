package flow

import (
	"os"
	"testing"

	"github.com/stdops/stdops"
)

// FuzzTree feeds any JSON. Nothing may panic, and what Validate accepts must compile, be stored and be read back.
func FuzzTree(f *testing.F) {
	for _, c := range structureCases(f) {
		f.Add([]byte(text(f, sketch(c.chains))))
	}
	if full, err := os.ReadFile("testdata/full.json"); err == nil {
		f.Add(full)
	}
	f.Add([]byte(text(f, set(f, sketch("S>A>SUB>E"), "activities.SUB", `{"id":"SUB","type":"SubProcess","name":"s","incoming":"l2",
		"outgoing":"l3","template_id":1,"constants":{"${a}":{"key":"${a}","value":1}}}`))))
	child, err := Parse(sketch("S>A>E"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := stdops.DecodeValue(data)
		o, _ := v.(*stdops.Object)
		if err != nil || o == nil {
			return
		}
		_, _ = ParseBody(data)
		tree, err := ParseLoose(o)
		if err != nil {
			return
		}
		if err := tree.Expand(func(ChildRef) (*Tree, error) { return child, nil }, Limits{Nesting: 4, Nodes: 200}); err != nil {
			return
		}
		selected := tree.Clone()
		if _, err := selected.Select(selected.Activities()[len(selected.activities)/2:]); err == nil {
			settle(t, selected)
		}
		tree.ChooseDefaults()
		settle(t, tree)
	})
}

func settle(t *testing.T, tree *Tree) {
	if _, err := Parse(tree.Template()); err != nil {
		t.Fatalf("template: %v", err)
	}
	if tree.Validate() != nil {
		return
	}
	g, err := Compile(tree)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	values := tree.TakeValues()
	body, err := tree.Body()
	if err != nil {
		t.Fatalf("body: %v", err)
	}
	if Hash(body) != g.Hash {
		t.Fatal("the body depends on values")
	}
	read, err := ParseBody(body)
	if err != nil {
		t.Fatalf("read body: %v\n%s", err, body)
	}
	h, err := Compile(read)
	if err != nil || h.Hash != g.Hash || len(h.Nodes) != len(g.Nodes) {
		t.Fatalf("compile what was read: %v", err)
	}
	if err := read.Validate(); err != nil {
		t.Fatalf("validate what was read: %v", err)
	}
	if a, b := text(t, tree.WithValues(values).Echo(TaskIDs(1))), text(t, read.WithValues(values).Echo(TaskIDs(1))); a != b {
		t.Fatalf("echo:\n%s\n%s", a, b)
	}
	s, err := DecodeSkeleton(EncodeSkeleton(g.Skeleton()))
	if err != nil || len(s.Nodes) != len(g.Nodes) {
		t.Fatalf("skeleton: %v", err)
	}
}

// FuzzSkeleton feeds damaged skeletons.
func FuzzSkeleton(f *testing.F) {
	f.Add(EncodeSkeleton(&stdops.Skeleton{Nodes: []stdops.SkeletonNode{{Name: "a", Plugin: "b", Source: "c"}, {Kind: 3}}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := DecodeSkeleton(data); err == nil {
			if _, err := DecodeSkeleton(EncodeSkeleton(s)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
