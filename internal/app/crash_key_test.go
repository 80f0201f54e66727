package app_test

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"
)

// keyed is a request with a key, which may be sent as often as one likes.
type keyed struct {
	key, path string
	body      any
	told      func(answer) // what becomes of the first answer
	first     *answer      // nil: nobody knows what became of it
}

// repeated is how many requests whose answers are known are sent again after each start.
const repeated = 20

// sendKeyed sends a request with a key of its own; told gets the answer, at once or after the next start.
func (c *crash) sendKeyed(path string, body any, told func(answer)) {
	c.oracle.mu.Lock()
	c.keys++
	r := &keyed{key: fmt.Sprintf("%s-%d", c.name, c.keys), path: path, body: body, told: told}
	c.oracle.mu.Unlock()
	for tries := 0; r.first == nil && (tries == 0 || tries < c.insists); tries++ {
		if got, ok := c.call(path, body, r.key); ok {
			r.first = &got
			told(got)
		} else if c.insists > 0 {
			time.Sleep(20 * time.Millisecond) // the next one may be answered by another server
		}
	}
	c.oracle.mu.Lock()
	defer c.oracle.mu.Unlock()
	c.sent = append(c.sent, r)
}

// repeat sends again what has no answer yet, and the last requests that were accepted: these must be answered as before.
func (c *crash) repeat() {
	for i, r := range c.sent {
		if r.first != nil && (!r.first.Result || i < len(c.sent)-repeated) {
			continue
		}
		got, ok := c.call(r.path, r.body, r.key)
		switch {
		case !ok && c.mayDie:
		case !ok:
			c.wrong("%s has no answer from a server that nobody kills", r.path)
		case r.first == nil:
			r.first = &got
			r.told(got)
		default:
			if diff := cmp.Diff(*r.first, got); diff != "" {
				c.wrong("%s is answered in another way under the same key (-first +again)\n%s", r.path, diff)
			}
		}
	}
}
