package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/stdops/stdops"
	wire "github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
)

// filesBeside is how many files each side has open beside its streams.
const filesBeside = 200

// enoughFiles tells when the system lets a process have too few files for so many streams. The bound that a process may raise
// by itself is raised by the runtime, here and in the server.
func enoughFiles(streams int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("ask how many files may be open: %w", err)
	}
	if limit.Max < uint64(streams+filesBeside) {
		return fmt.Errorf("%d streams need %d open files, the system allows %d: raise `ulimit -Hn`, or measure fewer", streams, streams+filesBeside, limit.Max)
	}
	return nil
}

// newToken makes a user who may do everything, and a token.
func (p *process) newToken(ctx context.Context) (string, error) {
	local, err := wire.New(wire.Options{Socket: app.SocketPath(p.data())})
	if err != nil {
		return "", err
	}
	defer local.Close()
	if _, err := local.CreateUser(ctx, wire.NewUser{Name: "watcher", Admin: true}); err != nil {
		return "", err
	}
	token, err := local.CreateToken(ctx, wire.NewToken{User: "watcher", Name: "bench"})
	if err != nil {
		return "", err
	}
	return token.Secret, nil
}

// native asks the native API about the tasks of the project.
func (a *audience) native(ctx context.Context, path string, in, out any) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+a.address+tasksPath+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+a.token)
	res, err := a.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s: HTTP status %d: %.200s", r.URL.Path, res.StatusCode, answer)
	}
	return json.Unmarshal(answer, out)
}

const tasksPath = "/api/v1/projects/1/tasks"

func (a *audience) startTask(ctx context.Context, name string, tree *stdops.Object) (stdops.TaskID, error) {
	text, err := tree.MarshalJSON()
	if err != nil {
		return 0, err
	}
	var made wire.Task
	err = a.native(ctx, "", wire.NewTask{Name: name, Tree: text, Start: true}, &made)
	return stdops.TaskID(made.ID), err
}

// toggle pauses a task, or lets it go on, and gives its revision.
func (a *audience) toggle(ctx context.Context, at int) (int64, error) {
	command := "pause"
	if a.paused[at] {
		command = "resume"
	}
	a.paused[at] = !a.paused[at]
	var task wire.Task
	err := a.native(ctx, fmt.Sprintf("/%d/commands?run=true", a.tasks[at]), wire.Command{Command: command}, &task)
	if err != nil {
		return 0, err
	}
	return task.Run.Revision, nil
}

// reader is one stream. It reads with as little as possible, so that what is measured is the server.
type reader struct {
	*audience
	ids    []stdops.TaskID
	again  bool // it goes on, and counts what it is told twice
	cursor string
	conn   net.Conn

	mu       sync.Mutex
	has      map[stdops.TaskID]int64
	told     []arrival
	repeated int
	err      error
	changed  chan struct{}
}

// arrival is a task in a stream.
type arrival struct {
	task     stdops.TaskID
	revision int64
	at       time.Time
}

// open connects, and lets the stream be read until it ends.
func (r *reader) open(ctx context.Context) error {
	q := wire.WatchRequest{Cursor: r.cursor}
	for _, id := range r.ids {
		q.IDs = append(q.IDs, int64(id))
	}
	body, err := json.Marshal(q)
	if err != nil {
		return err
	}
	var dialer net.Dialer
	if r.conn, err = dialer.DialContext(ctx, "tcp", r.address); err != nil {
		return err
	}
	r.mu.Lock()
	if r.has == nil {
		r.has, r.changed = map[stdops.TaskID]int64{}, make(chan struct{}, 1)
	}
	r.err = nil
	r.mu.Unlock()
	_, err = fmt.Fprintf(r.conn, "POST %s:watch HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept: text/event-stream\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", tasksPath, r.address, r.token, len(body), body)
	if err != nil {
		return err
	}
	lines := bufio.NewReader(r.conn)
	status, err := lines.ReadString('\n')
	if err != nil || !bytes.Contains([]byte(status), []byte(" 200 ")) {
		return fmt.Errorf("a stream was not opened: %q, %w", status, err)
	}
	r.reading.Go(func() { r.read(lines) })
	return nil
}

// drop breaks the stream.
func (r *reader) drop() {
	if r.conn != nil {
		_ = r.conn.Close()
	}
}

func (r *reader) read(lines *bufio.Reader) {
	var cursor string
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			r.mu.Lock()
			r.err = err
			r.mu.Unlock()
			r.ring()
			return
		}
		if id, ok := bytes.CutPrefix(line, []byte("id: ")); ok {
			cursor = string(bytes.TrimSpace(id))
		}
		if data, ok := bytes.CutPrefix(line, []byte(`data: {"tasks":`)); ok {
			r.take(data, cursor)
		}
	}
}

// take notes which tasks an event has.
func (r *reader) take(data []byte, cursor string) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cursor = cursor
	for {
		id, rest, ok := numberAfter(data, `{"id":`)
		if !ok {
			break
		}
		revision, rest, ok := numberAfter(rest, `"run":{"revision":`)
		if !ok {
			break
		}
		data = rest
		task := stdops.TaskID(id)
		if had, ok := r.has[task]; ok && had >= revision && r.again {
			r.repeated++
		}
		r.has[task] = revision
		r.told = append(r.told, arrival{task, revision, now})
	}
	r.ring()
}

func (r *reader) ring() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// numberAfter finds a number behind a text.
func numberAfter(data []byte, text string) (n int64, rest []byte, ok bool) {
	_, rest, ok = bytes.Cut(data, []byte(text))
	if !ok {
		return 0, nil, false
	}
	end := bytes.IndexFunc(rest, func(c rune) bool { return c < '0' || c > '9' })
	if end < 0 {
		return 0, nil, false
	}
	n, err := strconv.ParseInt(string(rest[:end]), 10, 64)
	return n, rest[end:], err == nil
}

// await waits until something is so that the reader was told.
func (r *reader) await(ctx context.Context, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for {
		r.mu.Lock()
		over, err := done(), r.err
		r.mu.Unlock()
		if over || err != nil {
			return err
		}
		select {
		case <-r.changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// behind gives of how many tasks the reader has something older than what was acknowledged.
func (r *reader) behind(newest map[stdops.TaskID]int64) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range r.ids {
		if revision, ok := newest[id]; ok && r.has[id] < revision {
			n++
		}
	}
	return n
}
