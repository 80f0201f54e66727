package main

import (
	"errors"
	"time"

	"github.com/stdops/stdops/client"
)

// restartTime is how long a server may be away while something is followed: it may be started anew, and its tasks go on.
const restartTime = time.Minute

// outage is how long a server that was there is away.
type outage struct {
	known bool      // it has answered
	since time.Time // zero while it answers
}

// ends takes what came at a moment, nil for an answer, and reports whether there is nothing more to wait for. That nothing was
// asked or said before is no sign that the server was away.
func (o *outage) ends(err error, now time.Time) bool {
	switch {
	case err == nil:
		o.known, o.since = true, time.Time{}
		return false
	case !o.known || refused(err):
		return true
	case o.since.IsZero():
		o.since = now
	}
	return now.Sub(o.since) > restartTime
}

// refused reports whether the server has said no, and will again.
func refused(err error) bool {
	no := (*client.Error)(nil)
	return errors.As(err, &no) && !no.Temporary()
}
