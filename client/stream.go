package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// events reads the stream of events that answers a request, to its end or until an event gives an error. io.EOF is the end of
// either.
func (c *Client) events(request *http.Request, on func(message) error) error {
	caller := request.Context()
	ctx, cancel := context.WithCancel(caller)
	defer cancel()
	request = request.WithContext(ctx)
	request.Header.Set("Accept", "text/event-stream")
	answer, err := c.http.Do(request)
	if err != nil {
		return &UnreachableError{Target: c.target, Err: err}
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusMultipleChoices {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, longestAnswer)) // what is not read is not understood
		return c.refusal(answer, body)
	}
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		return &Error{Status: answer.StatusCode, Code: CodeForeign, Message: c.target + " does not answer like a stdops server"}
	}
	watchdog := time.AfterFunc(silence, cancel)
	defer watchdog.Stop()
	err = readEvents(answer.Body, longestAnswer, func(e message) error {
		watchdog.Reset(silence)
		return on(e)
	})
	if errors.Is(err, context.Canceled) && caller.Err() == nil { // it was silent: to whoever asked it has broken
		return io.EOF
	}
	return err
}

// passing reports whether the end of a stream is none for whoever asks again.
func passing(err error) bool {
	refused := (*Error)(nil)
	return !errors.As(err, &refused) || refused.Temporary()
}

func (c *Client) notOurs(err error) error {
	return fmt.Errorf("%s does not answer like a stdops server: %w", c.target, err)
}

// message is one event of a stream of server-sent events.
type message struct {
	name, id string
	data     []byte
}

var errLongEvent = errors.New("an event is longer than any of a stdops server")

// readEvents reads a stream to its end, or until an event gives an error or is longer than so many bytes. io.EOF is the end of
// either.
func readEvents(r io.Reader, longest int, on func(message) error) error {
	lines := bufio.NewReader(r)
	var e message
	for {
		line, err := readLine(lines, longest-len(e.data))
		if err != nil {
			return err // an event that was cut off does not count
		}
		field, value, _ := strings.Cut(string(bytes.TrimRight(line, "\r\n")), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			if len(e.data) > 0 {
				e.data = append(e.data, '\n')
			}
			e.data = append(e.data, value...)
		case "":
			if len(line) > 2 || len(e.data) == 0 { // a comment, or nothing but a hint when to try again
				continue
			}
			if err := on(e); err != nil {
				return err
			}
			e = message{}
		}
	}
}

// readLine reads a line with its end, of so many bytes at most.
func readLine(r *bufio.Reader, longest int) ([]byte, error) {
	var line []byte
	for {
		piece, err := r.ReadSlice('\n')
		if len(line)+len(piece) > longest {
			return nil, errLongEvent
		}
		line = append(line, piece...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}
