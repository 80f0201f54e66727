package client

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// silent is a server that says something, and then nothing any more; after that it ends well.
type silent struct{ texts []string }

// RoundTrip implements [http.RoundTripper].
func (s *silent) RoundTrip(r *http.Request) (*http.Response, error) {
	text := s.texts[0]
	s.texts = s.texts[1:]
	body := io.MultiReader(strings.NewReader(text), until{r.Context()})
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(body), Request: r}, nil
}

// until has nothing to read before a context ends.
type until struct{ ctx context.Context }

// Read implements [io.Reader].
func (u until) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, u.ctx.Err()
}

// TestFollowLogOverSilence: a stream that says nothing for too long is gone on with like any other that broke.
func TestFollowLogOverSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &silent{texts: []string{
			"event: log\nid: 1.4.2.0\ndata: {\"text\":\"one\\n\"}\n\n",
			"event: log\nid: 1.8.3.0\ndata: {\"text\":\"two\\n\"}\n\nevent: end\ndata: {\"reason\":\"complete\"}\n\n",
		}}
		c := &Client{url: "http://h", target: "http://h", http: &http.Client{Transport: s}}
		text := ""
		for part, err := range c.FollowLog(t.Context(), 1, 2, LogPage{Node: "n"}) {
			if err != nil {
				t.Fatal(err)
			}
			text += part.Text
		}
		if text != "one\ntwo\n" {
			t.Errorf("told %q", text)
		}
	})
}
