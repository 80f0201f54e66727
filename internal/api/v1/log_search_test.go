package v1

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
)

func TestNodeLogIsSearched(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task, node, path := b.waitsWithLog(t)
	var text strings.Builder
	var want []client.LogHit
	for i := range 30_000 { // more than one answer looks through
		line := fmt.Sprintf("step %d is fine", i)
		if i%10_000 == 5 {
			line = fmt.Sprintf("step %d: ein Ä\x1b[31mRGER\x1b[0m", i)
			want = append(want, client.LogHit{Line: int64(i + 1), From: int64(text.Len()), Text: line})
		}
		text.WriteString(line + "\n")
	}
	b.appendLog(t, task.ID, node.ID, 0, text.String())
	size := int64(text.Len())
	search := func(query string) client.LogHits {
		t.Helper()
		return as[client.LogHits](t, b, 200, "GET", path+"?search="+url.QueryEscape("äRger")+query, "")
	}
	found := client.LogHits{}
	var all []client.LogHit
	for calls := 1; found.Searched < size || found.Size == 0; calls++ {
		before := found.Searched
		found = search("&limit=65536&cursor=" + found.Cursor)
		all = append(all, found.Hits...)
		if found.Searched <= before || found.Searched > before+65536 || calls > 20 {
			t.Fatalf("call %d came from %d to %d of %d", calls, before, found.Searched, size)
		}
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
	if found.Complete || found.Node != node.ID || found.Attempt != 1 || found.Attempts != 1 || found.Size != size {
		t.Errorf("%+v", found)
	}
	// What comes later is found from the cursor on, and what is not ended yet is found again.
	last := client.LogHit{Line: 30_001, From: size, Text: "Ärger"}
	for _, piece := range []string{"Ärger", " ohne Ende", "\n"} {
		b.appendLog(t, task.ID, node.ID, 0, piece)
		got := search("&cursor=" + found.Cursor)
		if diff := cmp.Diff([]client.LogHit{last}, got.Hits); diff != "" || got.Searched != got.Size {
			t.Errorf("after %q (-want +got):\n%s", piece, diff)
		}
		last.Text = "Ärger ohne Ende"
		if piece == "\n" {
			if got = search("&cursor=" + got.Cursor); len(got.Hits) > 0 {
				t.Errorf("found twice: %+v", got.Hits)
			}
		}
	}
	for query, status := range map[string]int{
		"search=x&tail=3": 422, "search=x&from=3": 422, "search=x&line=3": 422, "cursor=1.0.1.0": 422, "search=x&attempt=2": 404,
		"search=x&cursor=1.0.1": 422, "search=x&cursor=0.0.1.0": 422, "search=x&cursor=1.-1.1.0": 422, "search=x&cursor=1.0.1.0.": 422,
	} {
		as[client.Error](t, b, status, "GET", path+"?"+query, "")
	}
}

// TestNodeLogIsSearchedBehindALongLine: an answer that begins inside of a character tells the places of what follows all the same.
func TestNodeLogIsSearchedBehindALongLine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task, node, path := b.waitsWithLog(t)
	for shift := range 3 {
		text := strings.Repeat("x", shift) + strings.Repeat("長", 30_000) + "\n"
		want := []client.LogHit{{Line: 2, From: int64(len(text)), Text: "found"}, {Line: 60_003, From: int64(len(text)) + 6 + 60_000*2, Text: "found"}}
		text += "found\n" + strings.Repeat("y\n", 60_000) + "found\n"
		b.appendLog(t, task.ID, node.ID, int32(shift), text)
		var all []client.LogHit
		for found := (client.LogHits{}); found.Size == 0 || found.Searched < found.Size; {
			found = as[client.LogHits](t, b, 200, "GET", fmt.Sprintf("%s?search=found&limit=65536&attempt=%d&cursor=%s", path, shift+1, found.Cursor), "")
			all = append(all, found.Hits...)
		}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("shifted by %d (-want +got):\n%s", shift, diff)
		}
	}
}

// A search has one answer for whoever may see the log, and none for others.
func TestNodeLogIsSearchedWithAPermission(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, _, path := b.waitsWithLog(t)
	as[client.User](t, b, 201, "POST", "/api/v1/users", `{"name":"ann"}`)
	token := as[client.Token](t, b, 201, "POST", "/api/v1/tokens", `{"user":"ann"}`)
	if got := send(t, b.http, request{method: "GET", path: path + "?search=x", token: token.Secret}); got.status != 403 {
		t.Errorf("status %d: %s", got.status, got.text)
	}
}
