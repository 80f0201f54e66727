package stdops

import (
	"errors"
	"time"
)

// RequestKey is the Idempotency-Key of a request that had an effect. It is stored in the transaction of that effect, so
// that a request with the same key has no other, whatever became of the first one's answer.
type RequestKey struct {
	Project ProjectID
	Owner   string // whose key it is: each app has keys of its own, and so has each user who comes without one
	Key     string
	Request []byte // hash of the request; a different one under the same key is refused
	Made    int64  // number of the task or template that was made, 0 for none
	Answer  []byte // what else the answer is made of again; nil when nothing is needed
	Expires time.Time
}

// Same reports whether two keys are one.
func (k *RequestKey) Same(other *RequestKey) bool {
	return k.Project == other.Project && k.Owner == other.Owner && k.Key == other.Key
}

// ErrRepeated says that a request with the same [RequestKey] had its effect before, so that this one had none.
var ErrRepeated = errors.New("a request with this key had its effect before")
