package exchange_test

import (
	"encoding/base64"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/exchange"
)

// FuzzBundle feeds what an envelope may hold. Nothing may panic, and what is read can be placed, written and read again.
func FuzzBundle(f *testing.F) {
	text, err := stdops.EncodeValue(example(f))
	must(f, err)
	f.Add(string(text))
	for _, bundle := range []string{chainOf(f, 3, 2), chainOf(f, 1, 1)} {
		text, err := base64.StdEncoding.DecodeString(bundle)
		must(f, err)
		f.Add(string(text))
	}
	f.Add(`{"digest":"","template_data":{}}`)
	f.Add("\x80\x04\x95posix\x94system\x94")
	f.Fuzz(func(t *testing.T, content string) {
		set, err := exchange.ReadBundle(base64.StdEncoding.EncodeToString([]byte(content)), exchange.Reading{Values: 10_000})
		if err != nil {
			if stdops.ErrorCode(err) == stdops.CodeInternal {
				t.Fatal(err)
			}
			return
		}
		again(t, set)
	})
}

func again(t *testing.T, set *exchange.Set) {
	t.Helper()
	p := placing(set)
	trees := place(t, set, p)
	text, err := exchange.WriteBundle(exchange.SourceProject, stored(set, p, trees), "")
	must(t, err)
	read, err := exchange.ReadBundle(text, exchange.Reading{Salts: []string{""}})
	must(t, err)
	if len(read.Flows) != len(set.Flows) {
		t.Fatalf("%d flows became %d", len(set.Flows), len(read.Flows))
	}
}

// FuzzEnvelope feeds the text of a file itself.
func FuzzEnvelope(f *testing.F) {
	f.Add(envelope(f, example(f)))
	f.Add("gASVIQAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAJpZJSFlFKULg==")
	f.Add("====")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := exchange.ReadBundle(text, exchange.Reading{Values: 10_000}); err != nil && stdops.ErrorCode(err) == stdops.CodeInternal {
			t.Fatal(err)
		}
	})
}

// FuzzYAML feeds any text. Nothing may panic, every refusal has a place, and what is read can be written and read again.
func FuzzYAML(f *testing.F) {
	f.Add(exampleYAML(f))
	f.Add("a: &x [*x]\n<<: *x\n")
	f.Add("schema_version: v1\nmeta: {name: n}\nspec: {nodes: [{id: s, type: EmptyStartEvent}, {id: e, type: EmptyEndEvent}]}\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := exchange.ReadYAML(text, nothingStored)
		if err != nil {
			if stdops.ErrorCode(err) == stdops.CodeInternal {
				t.Fatal(err)
			}
			return
		}
		p := placing(set)
		written, err := exchange.WriteYAML(stored(set, p, place(t, set, p)))
		must(t, err)
		if _, err := exchange.ReadYAML(written, nothingStored); err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
	})
}
