package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stdops/stdops"
)

func TestBodiesRead(t *testing.T) {
	t.Parallel()
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	for _, c := range []struct {
		name, text string
		header     http.Header
		status     int // of the refusal
		want       Body
	}{
		{name: "empty", want: Body{Empty: true}},
		{name: "object", text: ` {"a":1} `, want: Body{Object: stdops.NewObject("a", int64(1))}},
		{name: "no object", text: `[1]`, want: Body{}},
		{name: "no JSON", text: `{"a":`, want: Body{Err: &stdops.JSONError{Offset: 5, What: "unexpected EOF"}}},
		{name: "repeated key", text: `{"a":1,"a":2}`, want: Body{Err: &stdops.JSONError{Offset: 7, What: "duplicate object member name"}}},
		{name: "too many values", text: `[1,2,3,4,5,6,7,8]`, want: Body{Err: &stdops.JSONError{Offset: 12, What: "more than 7 values"}}},
		{name: "too large", text: strings.Repeat(" ", 101), status: 413},
		{name: "encoded", text: `{}`, header: http.Header{"Content-Encoding": {"gzip"}}, status: 415},
		{name: "not encoded", text: `{}`, header: http.Header{"Content-Encoding": {"identity"}}, want: Body{Object: &stdops.Object{}}},
		{
			name: "form", text: `bk_token=a`, header: form,
			want: Body{Err: &stdops.JSONError{Offset: 0, What: "invalid character 'b' at start of value"}, form: url.Values{"bk_token": {"a"}}},
		},
		{name: "JSON that says it is a form", text: ` {"a":1}`, header: form, want: Body{Object: stdops.NewObject("a", int64(1))}},
		{name: "JSON that is no object and says it is a form", text: `1`, header: form, want: Body{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, known := range []bool{true, false} {
				r := httptest.NewRequest("POST", "/", iotest.OneByteReader(strings.NewReader(c.text)))
				r.ContentLength = -1
				if r.Header = c.header; c.header == nil {
					r.Header = http.Header{}
				}
				if known {
					r.ContentLength = int64(len(c.text))
				}
				body, err := NewBodies().Read(httptest.NewRecorder(), r, Reading{Limit: 100, Decoding: stdops.Decoding{Values: 7}})
				var refusal *Refusal
				if errors.As(err, &refusal) && refusal.Status == c.status {
					continue
				}
				if err != nil || c.status != 0 {
					t.Fatalf("error %v, want status %d", err, c.status)
				}
				diff := cmp.Diff(c.want, *body, cmp.AllowUnexported(Body{}, stdops.Object{}), cmpopts.IgnoreFields(Body{}, "leave"))
				if diff != "" {
					t.Errorf("body (-want +got)\n%s", diff)
				}
			}
		})
	}
}

func TestBodiesReadTellsABrokenConnection(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", `{"a":`, `{"a":1}`} {
		r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader(text), iotest.ErrReader(errors.New("reset"))))
		_, err := NewBodies().Read(httptest.NewRecorder(), r, Reading{Limit: 100})
		if refusal := (*Refusal)(nil); !errors.As(err, &refusal) || refusal.Status != http.StatusRequestTimeout {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestBodiesTakeTurns: a large body waits until there is room, and nobody else waits for it.
func TestBodiesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBodies()
		enter := func(size int64, known bool) func() {
			t.Helper()
			leave, err := b.Enter(t.Context(), size, known)
			if err != nil {
				t.Fatal(err)
			}
			return leave
		}
		first := enter(100<<20, true) // more than there is room for: alone
		free, stranger := enter(freeBytes, true), enter(100<<20, false)
		entered := make(chan func())
		go func() {
			leave, err := b.Enter(t.Context(), freeBytes+1, true)
			if err != nil {
				t.Error(err)
			}
			entered <- leave
		}()
		synctest.Wait()
		select {
		case <-entered:
			t.Fatal("a second body was let in")
		default:
		}
		first()
		second := <-entered
		third := enter(KnownBytes-KnownBytes/turns(), true) // together they fill it, small as the second is
		began := time.Now()
		_, err := b.Enter(t.Context(), freeBytes+1, true)
		if stdops.ErrorCode(err) != stdops.CodeUnavailable || time.Since(began) != turnPatience {
			t.Errorf("without room: %v after %v", err, time.Since(began))
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Enter(gone, freeBytes+1, true); !errors.Is(err, context.Canceled) {
			t.Errorf("a caller that went away: %v", err)
		}
		for _, leave := range []func(){free, stranger, second, third} {
			leave()
		}
		enter(KnownBytes, true)()
		enter(KnownBytes, false)()
	})
}

// TestBodiesSize: a body that does not tell its size waits for its turn only when it is large.
func TestBodiesSize(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBodies()
		if _, err := b.Enter(t.Context(), KnownBytes, true); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			text string
			code stdops.Code
		}{
			{`{"a":"` + strings.Repeat("x", freeBytes-8) + `"}`, 0},
			{`{"a":"` + strings.Repeat("x", freeBytes-7) + `"}`, stdops.CodeUnavailable},
		} {
			for _, length := range []int64{int64(len(c.text)), -1} {
				r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(c.text))
				r.ContentLength = length
				_, err := b.Read(httptest.NewRecorder(), r, Reading{Limit: 1 << 20, Known: true})
				if (err == nil) != (c.code == 0) || err != nil && stdops.ErrorCode(err) != c.code {
					t.Errorf("%d bytes, told to be %d: %v", len(c.text), length, err)
				}
			}
		}
	})
}
