package stdops_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

func TestDecodeValueKeepsTypesAndOrder(t *testing.T) {
	t.Parallel()
	const text = `{"z":1,"a":[1.0,1e3,-0.5,true,null,"é<",123456789012345678901234567890],"m":{}}`
	got, err := stdops.DecodeValue([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	object := got.(*stdops.Object)
	if diff := cmp.Diff([]string{"z", "a", "m"}, object.Keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	list, _ := object.Get("a")
	huge, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	want := []any{1.0, 1000.0, -0.5, true, nil, "é<", huge}
	if diff := cmp.Diff(want, list, cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	again, err := stdops.EncodeValue(got)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.NewReplacer("1e3", "1000.0", "<", `\u003c`).Replace(text); string(again) != want {
		t.Errorf("written again:\n%s\nwant\n%s", again, want)
	}
}

func TestValueTextGivesTextsAsTheyAre(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]any{
		`a "b"`: `a "b"`, `null`: nil, `1.5`: 1.5, `["a",{"b":true}]`: []any{"a", stdops.NewObject("b", true)}, ``: math.NaN(),
	} {
		if got := stdops.ValueText(v); got != want {
			t.Errorf("%v is given as %s, want %s", v, got, want)
		}
	}
}

func TestDecodeValueIsStrict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		offset     int64
	}{
		{"duplicate key", `{"a":1,"a":2}`, 7},
		{"duplicate key inside", `[{"b":{"a":1,"a":2}}]`, 13},
		{"text after the value", `{} x`, 3},
		{"second value", `1 2`, 2},
		{"invalid UTF-8", "\"\xff\"", 1},
		{"unfinished", `{"a":[1`, 7},
		{"empty", ``, 0},
		{"not JSON", `{'a':1}`, 1},
		{"number too large", `[1e400]`, 6},
		{"number too long", strings.Repeat("9", 5000), 5000},
		{"too deep", strings.Repeat("[", stdops.MaxDepth+1), stdops.MaxDepth + 1},
	} {
		_, err := stdops.DecodeValue([]byte(c.text))
		var problem *stdops.JSONError
		if !errors.As(err, &problem) {
			t.Errorf("%s: got error %v", c.name, err)
			continue
		}
		if problem.Offset != c.offset || problem.What == "" {
			t.Errorf("%s: %q at byte %d, want byte %d", c.name, problem.What, problem.Offset, c.offset)
		}
	}
}

// TestDecodingReadsOn: a text that comes in pieces is read like one that is there.
func TestDecodingReadsOn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([ \t\r\n]|[\[\]{}:,]|"a"|"b\\n"|12|-1\.5e1|true|null|\[\]|\{"a":1\}|\[1,2\]){0,12}`).Draw(t, "text")
		want, wantErr := stdops.DecodeValue([]byte(text))
		got, err := stdops.Decoding{}.Decode(iotest.OneByteReader(strings.NewReader(text)))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(stdops.Object{})); diff != "" {
			t.Errorf("%q: (-whole +in pieces)\n%s", text, diff)
		}
		if fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Errorf("%q: error %v, in pieces %v", text, wantErr, err)
		}
	})
}

func TestDecodingTellsFailuresOfItsReader(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, text := range []string{"", "{", `{"a":1`, `{"a":1}`, `{"a":1} `} {
		_, err := stdops.Decoding{}.Decode(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDecodingBoundsValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		most int
		ok   bool
	}{
		{`[1,2]`, 3, true},
		{`[1,2]`, 2, false},
		{`{"a":{"b":[]}}`, 5, true},
		{`{"a":{"b":[]}}`, 4, false},
		{`[[],[],[]]`, 0, true},
	} {
		read := &counting{Reader: strings.NewReader(c.text + strings.Repeat(" ", 1<<20))}
		_, err := stdops.Decoding{Values: c.most}.Decode(read)
		var problem *stdops.JSONError
		switch {
		case c.ok && err != nil:
			t.Errorf("%s of at most %d values: %v", c.text, c.most, err)
		case !c.ok && (!errors.As(err, &problem) || problem.What != fmt.Sprintf("more than %d values", c.most)):
			t.Errorf("%s of at most %d values: %v", c.text, c.most, err)
		case !c.ok && read.n > 64<<10:
			t.Errorf("%s: %d bytes were read after it was refused", c.text, read.n)
		}
	}
}

// counting counts the bytes that are read.
type counting struct {
	io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func TestDecodeExactKeepsNumbersAsWritten(t *testing.T) {
	t.Parallel()
	got, err := stdops.DecodeExact([]byte(`[12.0,18446744073709551616,1e2]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []any{json.Number("12.0"), json.Number("18446744073709551616"), json.Number("1e2")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
}

func TestAppendQuotedIsReadBackByOthers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		var got string
		text := stdops.AppendQuoted(nil, s)
		if err := json.Unmarshal(text, &got); err != nil || got != strings.ToValidUTF8(s, "\uFFFD") {
			t.Fatalf("%q is written as %s and read as %q, %v", s, text, got, err)
		}
		if strings.ContainsAny(string(text), "<>&") {
			t.Fatalf("%s could end a tag of a page", text)
		}
	})
}

func TestObject(t *testing.T) {
	t.Parallel()
	o := stdops.NewObject("a", int64(1), "b", int64(2), "c", int64(3))
	clone := o.Clone()
	clone.Delete("b")
	clone.Set("a", "new")
	clone.Set("d", nil)
	if diff := cmp.Diff([]string{"a", "c", "d"}, clone.Keys()); diff != "" {
		t.Errorf("keys of the clone (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, o.Keys()); diff != "" {
		t.Errorf("keys of the original (-want +got):\n%s", diff)
	}
	if v, _ := o.Get("a"); v != int64(1) {
		t.Errorf("a of the original is %v", v)
	}
	var none *stdops.Object
	if v, ok := none.Get("a"); ok || v != nil || none.Len() != 0 {
		t.Errorf("a nil object has %v", v)
	}
}

func TestShortCountsCharacters(t *testing.T) {
	t.Parallel()
	fits := strings.Repeat("é", 64)
	if got := stdops.Short(fits); got != fits {
		t.Errorf("64 characters become %q", got)
	}
	if got := stdops.Short(fits + "é"); got != fits+"…" {
		t.Errorf("65 characters become %q", got)
	}
}

func TestErrorfKeepsItsCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk")
	err := stdops.Errorf(stdops.CodeNotFound, "no task %d: %w", 7, cause)
	if err.Error() != "no task 7: disk" || !errors.Is(err, cause) || stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("got %q, code %d", err, err.Code)
	}
	if stdops.ErrorCode(cause) != stdops.CodeInternal {
		t.Error("an error without a code is not internal")
	}
}

// TestObjectKeepsOrder holds an object, small or large, against a list of pairs.
func TestObjectKeepsOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var keys []string
		values := map[string]any{}
		o := &stdops.Object{}
		key := rapid.StringMatching(`[a-f][a-f]`)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				k, v := key.Draw(t, "key"), rapid.Int64().Draw(t, "value")
				if _, had := values[k]; !had {
					keys = append(keys, k)
				}
				values[k] = v
				o.Set(k, v)
			},
			"delete": func(t *rapid.T) {
				k, before, listed := key.Draw(t, "key"), slices.Clone(o.Keys()), o.Keys()
				keys = slices.DeleteFunc(keys, func(one string) bool { return one == k })
				delete(values, k)
				o.Delete(k)
				if !slices.Equal(before, listed) {
					t.Fatalf("the keys listed before are %v, were %v", listed, before)
				}
			},
			"clone": func(*rapid.T) {
				old := o
				o = o.Clone()
				for _, k := range append([]string{"new"}, old.Keys()...) {
					old.Set(k, "changed after it was cloned")
				}
			},
			"": func(t *rapid.T) {
				if !slices.Equal(o.Keys(), keys) || o.Len() != len(keys) {
					t.Fatalf("keys %v, want %v", o.Keys(), keys)
				}
				for _, k := range append([]string{"aa", "none"}, keys...) {
					want, had := values[k]
					if got, ok := o.Get(k); ok != had || got != want {
						t.Fatalf("%s is %v (%v), want %v (%v)", k, got, ok, want, had)
					}
				}
			},
		})
	})
}

func TestDecodeTakesTheLastOfEqualKeys(t *testing.T) {
	t.Parallel()
	text := `{"a":1,"b":[{"c":1,"c":2}],"a":{"d":3}}`
	if _, err := stdops.DecodeValue([]byte(text)); err == nil {
		t.Error("equal keys are no error")
	}
	for name, from := range map[string]io.Reader{"buffer": bytes.NewBufferString(text), "stream": strings.NewReader(text)} {
		v, err := stdops.Decoding{Repeat: true}.Decode(from)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := stdops.EncodeValue(v); string(got) != `{"a":{"d":3},"b":[{"c":2}]}` {
			t.Errorf("%s: %s", name, got)
		}
	}
}
