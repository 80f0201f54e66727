package app_test

import (
	"fmt"

	"github.com/google/go-cmp/cmp"
)

// request is one with a key, which may be sent as often as one likes.
type request struct {
	key, path string
	body      any
	told      func(answer) // what becomes of the first answer
	first     *answer      // nil: nobody knows what became of it
}

// repeated is how many requests whose answers are known are sent again after each start.
const repeated = 20

// once sends a request with a key of its own.
func (c *crash) once(path string, body any, told func(answer)) {
	c.mu.Lock()
	c.counter++
	r := &request{key: fmt.Sprint("key-", c.counter), path: path, body: body, told: told}
	c.mu.Unlock()
	if got, ok := c.send(r.key, r.path, r.body); ok {
		r.first = &got
		told(got)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, r)
}

// repeat sends again what has no answer yet, and the last requests that were accepted: these must be answered as before.
func (c *crash) repeat() {
	for i, r := range c.sent {
		if r.first != nil && (!r.first.Result || i < len(c.sent)-repeated) {
			continue
		}
		got, ok := c.send(r.key, r.path, r.body)
		switch {
		case !ok:
			c.t.Errorf("%s has no answer from a server that nobody kills", r.path)
		case r.first == nil:
			r.first = &got
			r.told(got)
		default:
			if diff := cmp.Diff(*r.first, got); diff != "" {
				c.t.Errorf("%s is answered in another way under the same key (-first +again)\n%s", r.path, diff)
			}
		}
	}
}
