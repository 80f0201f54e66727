package api

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// heads are requests, one behind the other.
var heads = []struct {
	name, text string
	refusedAt  string // what stands behind the last byte that is let through; "" when nothing is refused
}{
	{"no body", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""},
	{"length", "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcdGET / HTTP/1.1\r\n\r\n", ""},
	{"chunked", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},
	{"bare line ends", "POST / HTTP/1.1\nContent-Length: 1\n\na\n\r\n\nGET / HTTP/1.0\n\n", ""},
	{"the same length twice", "POST / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 01\r\n\r\na", ""},
	{"a field with a similar name", "POST / HTTP/1.1\r\nX-Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\na", ""},
	{"a body that looks like a head", "POST / HTTP/1.1\r\nContent-Length: 45\r\n\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n", ""},
	{"behind a chunked one", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nTransfer-Encoding: x\r\nContent-Length: 1\r\n\r\n", ""},
	{"a long line", "GET /" + strings.Repeat("x", 999) + " HTTP/1.1\r\nCookie: " + strings.Repeat("y", 999) + "\r\n\r\n", ""},
	{"old, with a length", "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\na", ""},
	{"new request line that ends like an old one", "GET /HTTP/1.0 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", ""},

	{"length, then chunked", "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "\n0\r\n\r\n"},
	{"chunked, then length", "POST / HTTP/1.1\r\ntransfer-encoding:chunked\r\nA: b\r\nCONTENT-LENGTH:4\r\n\r\n", "\n"},
	{"any coding", "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: identity\r\n\r\n", "\n"},
	{"blank before the colon", "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding : chunked\r\n\r\n", "\n"},
	{"the second request", "GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "\n"},
	{"behind a body", "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nabPOST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "\n"},
	{"bare line ends, both", "POST / HTTP/1.1\nContent-Length: 4\nTransfer-Encoding: chunked\n\n", "\n"},
	{"old and chunked", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "\n"},
	{"old and chunked behind line ends", "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n\r\r\nPOST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "\n"},
	{"old with a long address", "POST /" + strings.Repeat("x", 999) + " HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "\n"},
	{"lengths that differ", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "\n\r\n"},
	{"a list of lengths", "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n", "\n\r\n"},
	{"a signed length", "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", "\n\r\n"},
	{"a length beyond all", "POST / HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n\r\n", "\n\r\n"},
	{"a length that is cut", "POST / HTTP/1.1\r\nContent-Length: " + strings.Repeat("0", 200) + "1\r\n\r\n", "\n\r\n"},
	{"folded", "POST / HTTP/1.1\r\nContent-Length: 1\r\n 1\r\n\r\n", "\n\r\n"},
	{"folded by a tab", "POST / HTTP/1.1\r\nA: b\r\n\tTransfer-Encoding: chunked\r\n\r\n", "\n\r\n"},
}

func TestFraming(t *testing.T) {
	t.Parallel()
	for _, c := range heads {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n, ok := newFraming().follow([]byte(c.text))
			if ok != (c.refusedAt == "") || c.text[n:] != c.refusedAt {
				t.Errorf("refused %v, left %q, want %q", !ok, c.text[n:], c.refusedAt)
			}
		})
	}
}

// TestFramingInParts: it does not matter how the bytes arrive.
func TestFramingInParts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(heads).Draw(t, "head").text
		want, wantOK := newFraming().follow([]byte(text))
		f, got, ok := newFraming(), 0, true
		for got < len(text) && ok {
			size := rapid.IntRange(1, len(text)-got).Draw(t, "size")
			var n int
			n, ok = f.follow([]byte(text[got : got+size]))
			got += n
		}
		if got != want || ok != wantOK {
			t.Errorf("in parts %d, %v; at once %d, %v", got, ok, want, wantOK)
		}
	})
}

// FuzzFraming compares with net/http: what that takes for a request ends where framing says, unless it was refused; and
// no request that net/http takes has both fields, or a coding in HTTP/1.0.
func FuzzFraming(f *testing.F) {
	for _, c := range heads {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for rest, after := data, ""; ; {
			if after == http.MethodPost {
				for i := 0; i < 4 && len(rest) > 0 && (rest[0] == '\r' || rest[0] == '\n'); i++ {
					rest = rest[1:]
				}
			}
			source := bytes.NewReader(rest)
			buffered := bufio.NewReader(source)
			request, err := http.ReadRequest(buffered)
			if err != nil || request.ProtoMajor != 1 || blankInName(request) {
				return // the connection ends here
			}
			headEnd := len(data) - source.Len() - buffered.Buffered()
			head := string(data[len(data)-len(rest) : headEnd])
			lookAt := newFraming()
			_, ok := lookAt.follow(data[:headEnd])
			if ambiguous(t, request, head) {
				if ok {
					t.Fatalf("let through: %q", head)
				}
				return
			}
			if !ok {
				return // stricter than net/http
			}
			if len(request.TransferEncoding) > 0 {
				if !lookAt.opaque {
					t.Fatalf("chunked, but the rest is looked at: %q", head)
				}
				return
			}
			if lookAt.begun || lookAt.body != max(request.ContentLength, 0) || lookAt.opaque {
				t.Fatalf("body of %d bytes, net/http says %d: %q", lookAt.body, request.ContentLength, head)
			}
			size, err := io.Copy(io.Discard, request.Body)
			if err != nil || size < request.ContentLength {
				return
			}
			rest, after = data[headEnd+int(size):], request.Method
		}
	})
}

// blankInName reports a name that http.Server refuses, unlike http.ReadRequest.
func blankInName(request *http.Request) bool {
	for name := range request.Header {
		if strings.Contains(name, " ") {
			return true
		}
	}
	return false
}

func ambiguous(t *testing.T, request *http.Request, head string) bool {
	_, fields, _ := strings.Cut(head, "\n")
	parsed, err := textproto.NewReader(bufio.NewReader(strings.NewReader(fields))).ReadMIMEHeader()
	if err != nil {
		t.Fatalf("fields that net/http took: %v", err)
	}
	_, coded := parsed["Transfer-Encoding"]
	_, sized := parsed["Content-Length"]
	return coded && (sized || !request.ProtoAtLeast(1, 1))
}
