package api

import (
	"bytes"
	"compress/gzip"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

func TestTakesGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"": false, "gzip": true, "br, GZIP": true, "deflate": false, "gzip;q=0": false, "gzip; q=0.0": false, "gzip ;q = 0": false,
		"gzip;q=0.1": true, "identity, gzip;q=1.0": true, "gzip;q=x": true, "*": false, "x-gzip": false,
	} {
		if got := TakesGzip(&http.Request{Header: http.Header{"Accept-Encoding": {header}}}); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
	if !TakesGzip(&http.Request{Header: http.Header{"Accept-Encoding": {"br", "gzip"}}}) {
		t.Error("in a second header")
	}
}

// TestShift: the checksum of a whole can be told by those of its parts.
func TestShift(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var whole []byte
		var crc uint32
		for _, part := range rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 1000)).Draw(t, "parts") {
			whole = append(whole, part...)
			sum := sumOf(part)
			crc = multiply(crc, sum.shift) ^ sum.crc
		}
		if want := crc32.ChecksumIEEE(whole); crc != want {
			t.Errorf("%x, want %x", crc, want)
		}
		a, b := rapid.IntRange(0, 1<<32).Draw(t, "a"), rapid.IntRange(0, 1<<32).Draw(t, "b")
		if got, want := multiply(shiftOf(a), shiftOf(b)), shiftOf(a+b); got != want {
			t.Errorf("shifts by %d and %d bytes are together %x, not %x", a, b, got, want)
		}
	})
}

// TestWriterPacked: what is put together of deflated parts, whichever, and plain text reads as one gzip member.
func TestWriterPacked(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rec := httptest.NewRecorder()
		w := NewWriter(rec, &IDs{Trace: "t"})
		b := append(w.Begin(), '"')
		w.Pack()
		want := `{"result":true,"data":"`
		for range rapid.IntRange(0, 8).Draw(t, "parts") {
			text := strings.Repeat(rapid.StringMatching(`[a-z]{1,40}`).Draw(t, "text"), rapid.IntRange(0, 5000).Draw(t, "times"))
			want += text
			switch rapid.IntRange(0, 2).Draw(t, "way") {
			case 0:
				part, sum := AppendDeflated(nil, []byte(text))
				b = w.AddDeflated(b, part, sum)
			case 1:
				b = w.Add(b, []byte(text))
			default:
				b = append(b, text...)
			}
		}
		w.End(append(b, '"'), "", stdops.NewObject("x", int64(1)))
		want += `","code":0,"message":"","x":1,"trace_id":"t"}`
		if got := rec.Header().Get("Content-Encoding"); got != "gzip" {
			t.Fatalf("Content-Encoding %q", got)
		}
		if got := unpacked(t, rec.Body.Bytes()); got != want {
			t.Errorf("\n got %.100s… of %d bytes\nwant %.100s… of %d", got, len(got), want, len(want))
		}
	})
}

// unpacked reads one gzip member, checksum and size included, behind which nothing stands.
func unpacked(t interface{ Fatal(...any) }, text []byte) string {
	in := bytes.NewReader(text)
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if in.Len() > 0 {
		t.Fatal(in.Len(), "bytes behind the member")
	}
	return string(plain)
}

// TestWriterPackedFail: a refusal is short, so it goes out as it is.
func TestWriterPackedFail(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	w := NewWriter(rec, &IDs{Trace: "t"})
	w.Begin()
	w.Pack()
	w.Fail(stdops.Errorf(stdops.CodeInvalid, "no"))
	if got := rec.Header().Get("Content-Encoding"); got != "" || !strings.HasPrefix(rec.Body.String(), `{"result":false`) {
		t.Errorf("Content-Encoding %q, %s", got, rec.Body)
	}
}

func BenchmarkMember(b *testing.B) {
	part, sum := AppendDeflated(nil, bytes.Repeat([]byte("a text of a task "), 500))
	var out []byte
	for b.Loop() {
		m := newMember(out[:0])
		for range 50 {
			m.plain([]byte(","))
			m.deflated(part, sum)
		}
		m.end()
		out = m.out
	}
}
