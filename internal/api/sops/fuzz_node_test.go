package sops_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/service"
)

// patience is how long a fuzz target waits for what has to come.
const patience = time.Minute

// listener is a plugin that takes any number of callbacks, tells of each, and writes into the log what it is told to.
type listener struct {
	taken chan any
	says  chan func(io.Writer)
}

func newListener() *listener {
	return &listener{taken: make(chan any, 1000), says: make(chan func(io.Writer), 1)}
}

func (*listener) Spec() plugin.Spec {
	return plugin.Spec{Code: "listener", Versions: []string{plugin.DefaultVersion}, Name: "listener", ManyCallbacks: true}
}

func (*listener) Execute(context.Context, *plugin.Call) (plugin.Outcome, error) {
	return plugin.Outcome{Next: plugin.Callback}, nil
}

func (l *listener) Schedule(_ context.Context, call *plugin.Call) (plugin.Outcome, error) {
	select {
	case say := <-l.says:
		say(call.Log)
	default:
	}
	l.taken <- call.Callback
	return plugin.Outcome{Next: plugin.Callback}, nil
}

// ears is a node of a task that waits for callbacks.
type ears struct {
	*server
	*listener
	task int64
	node string
	used int // callbacks, or bytes of log
}

// renew takes another node when much was done with this one.
func (e *ears) renew(t *testing.T, most int) {
	t.Helper()
	if e.task != 0 && e.used < most {
		return
	}
	s := *e.server
	s.t = t
	task, echo := s.create(chain("A:listener"))
	s.start(task)
	e.task, e.node, e.used = task, nodeNamed(echo, "A"), 0
	for range 10_000 {
		if a := e.call(t, fmt.Sprintf(`{"node_id":%q,"callback_data":null}`, e.node)); a.ok() {
			e.hear(t)
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the node does not wait")
}

// call sends a callback.
func (e *ears) call(t *testing.T, body string) answer {
	t.Helper()
	return e.post(t, "node_callback", fmt.Sprintf("%d/2/", e.task), body)
}

func (e *ears) post(t *testing.T, endpoint, ids, body string) answer {
	t.Helper()
	r := request(t, http.MethodPost, "/apigw/"+endpoint+"/"+ids, "", []byte(body))
	r.Header.Set("X-Bkapi-Authorization", auth("trusted", "admin"))
	return e.ask(t, r)
}

// hear gives the data of the next callback that the plugin is given.
func (e *ears) hear(t *testing.T) any {
	t.Helper()
	select {
	case data := <-e.taken:
		return data
	case <-time.After(patience):
		t.Fatal("a callback that was accepted did not arrive")
		return nil
	}
}

// FuzzCallback sends callbacks with any data, by both addresses. One that is accepted arrives at the plugin, once and as
// it was sent; one that is refused does not; and the node goes on waiting.
func FuzzCallback(f *testing.F) {
	l := newListener()
	e := &ears{server: fuzzed(f, l), listener: l}
	for _, data := range []string{
		`{}`, `null`, `{"bit":1}`, `[1,-0.0,1e400,123456789012345678901234567890]`, `"\u0000\ud800 é中"`, "\"\xff\"", `1,"node_id":"x"`,
		`{"a":1,"a":2}`, `1}{`, `1,"version":"v"`, `1,"version":""`, ``, `{"${x}":"${y}","_result":false}`, "1,\"callback_data\":2",
		strings.Repeat("[", 300) + strings.Repeat("]", 300), strings.Repeat("[", 520) + strings.Repeat("]", 520),
	} {
		f.Add([]byte(data), false)
		f.Add([]byte(data), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, byNode bool) {
		e.renew(t, 300)
		e.used++
		endpoint, ids, field, more := "node_callback", fmt.Sprintf("%d/2/", e.task), "callback_data", ""
		if byNode {
			endpoint, ids, field, more = "operate_node", fmt.Sprintf("2/%d/", e.task), "data", `"action":"callback",`
		}
		body := fmt.Sprintf(`{%s"node_id":%q,%q:%s}`, more, e.node, field, data)
		a := e.post(t, endpoint, ids, body)
		if a.ok() {
			want := &stdops.Object{}
			sent, err := stdops.DecodeValue([]byte(body))
			if err != nil {
				t.Fatalf("accepted, though it is no JSON: %v", err)
			}
			want.Set("data", nil)
			if data, ok := sent.(*stdops.Object).Get(field); ok {
				want.Set("data", data)
			}
			if got, want := jsonText(t, stdops.NewObject("data", e.hear(t))), jsonText(t, want); got != want {
				t.Errorf("sent %.300s, arrived %.300s", want, got)
			}
		}
		if a := e.call(t, fmt.Sprintf(`{"node_id":%q,"callback_data":"last"}`, e.node)); !a.ok() {
			t.Errorf("the node waits no more: %s", a.raw)
			e.task = 0
			return
		}
		if got := e.hear(t); got != "last" {
			t.Errorf("a callback that was refused, or one too many: %.300s", jsonText(t, stdops.NewObject("data", got)))
			e.hear(t)
		}
	})
}

func jsonText(t *testing.T, o *stdops.Object) string {
	t.Helper()
	text, err := stdops.EncodeValue(o)
	must(t, err)
	return string(text)
}

// doubtful are signs that stand for what is no text. How many there are depends on how the bytes came.
var doubtful = regexp.MustCompile("\uFFFD+")

// FuzzLog lets a plugin write any bytes, many times over and in pieces of any size, into a log, and reads what was added
// in pages of any size: all of it is there as text, nothing twice, and a character is never cut.
func FuzzLog(f *testing.F) {
	l := newListener()
	e := &ears{server: fuzzed(f, l), listener: l}
	caller, err := e.svc.Authenticate(f.Context(), service.Credentials{AppCode: "trusted", AppSecret: "trusted-secret", Username: "admin"})
	must(f, err)
	access, err := e.svc.Access(f.Context(), caller, service.ProjectRef{ID: "1"})
	must(f, err)
	for _, text := range []string{"", "a line\n", "é中😀", "\xff\xfe\x00", "\xf0\x9f\x98", "\xe4\xb8", "\x1b[31m\r\n\u2028</script>", "\xed\xa0\x80\xc0\x80"} {
		for _, cuts := range []string{"", "\x01", "\x02\x00\x03", "\xff"} {
			f.Add([]byte(text), []byte(cuts), uint16(1), uint16(4))
		}
		f.Add([]byte(text), []byte("\xff\x80"), uint16(20_000), uint16(5000)) // more than a row of the store
	}
	f.Fuzz(func(t *testing.T, text, cuts []byte, times, page uint16) {
		const most, mark = 80_000, "\nend of it\n"
		if strings.Contains(string(text), "end") {
			return
		}
		e.renew(t, most)
		text = []byte(strings.Repeat(string(text), 1+min(int(times), most/(len(text)+1))))
		e.used += len(text) + len(mark)
		id := stdops.TaskID(e.task)
		before, err := e.svc.NodeLog(t.Context(), access, id, service.LogQuery{Node: e.node, Limit: 4})
		must(t, err)
		e.says <- func(log io.Writer) {
			for _, piece := range append(pieces(text, cuts), []byte(mark)) {
				if n, err := log.Write(piece); n != len(piece) || err != nil {
					t.Errorf("wrote %d of %d bytes: %v", n, len(piece), err)
				}
			}
		}
		if a := e.call(t, fmt.Sprintf(`{"node_id":%q,"callback_data":1}`, e.node)); !a.ok() {
			t.Fatalf("the node does not wait: %s", a.raw)
		}
		e.hear(t)
		var got strings.Builder
		limit := max(4, int(page), len(text)/20)
		for at, began := before.Size, time.Now(); !strings.HasSuffix(got.String(), mark); {
			part, err := e.svc.NodeLog(t.Context(), access, id, service.LogQuery{Node: e.node, From: at, Limit: limit})
			must(t, err)
			if len(part.Text) > limit || !utf8.ValidString(part.Text) || strings.Contains(part.Text, "\x00") || part.Next != at+int64(len(part.Text)) {
				t.Fatalf("from %d at most %d: %d bytes to %d: %.300q", at, limit, len(part.Text), part.Next, part.Text)
			}
			if part.Text == "" && (part.Size > at || time.Since(began) > patience) {
				t.Fatalf("stopped at %d of %d", at, part.Size)
			}
			at = part.Next
			got.WriteString(part.Text)
		}
		want := strings.ToValidUTF8(strings.ReplaceAll(string(text), "\x00", "\uFFFD"), "\uFFFD") + mark
		if doubtful.ReplaceAllString(got.String(), "?") != doubtful.ReplaceAllString(want, "?") {
			t.Errorf("wrote %.300q, read %.300q", want, got.String())
		}
		r := request(t, http.MethodGet, fmt.Sprintf("/get_task_node_log/%d/2/", e.task), "node_id="+e.node, nil)
		r.Header.Set("X-Bkapi-Authorization", auth("trusted", "admin"))
		if a := e.ask(t, r); !strings.HasSuffix(a.body.Text("data"), got.String()) {
			t.Errorf("get_task_node_log ends with %.300q", a.body.Text("data"))
		}
	})
}

// pieces cuts a text by a list of sizes, over and over; an empty list leaves it whole.
func pieces(text, sizes []byte) (list [][]byte) {
	whole := strings.Trim(string(sizes), "\x00") == ""
	for i := 0; len(text) > 0 && !whole && len(list) < 1000; i++ {
		n := min(int(sizes[i%len(sizes)]), len(text))
		list, text = append(list, text[:n]), text[n:]
	}
	return append(list, text)
}
