package stdops

import (
	"errors"
	"time"
)

// ErrNoLease says that others may drive the tasks of this process: it was not heard of for too long.
var ErrNoLease = errors.New("this process counts as dead")

// LeaseTime is how long a process that drives tasks counts as alive after it was heard of.
const LeaseTime = 10 * time.Second

// Claim is a task that a process has taken to drive it.
type Claim struct {
	Ref   TaskRef
	Epoch int64 // under which its changes are committed
}

// Release is a task that a process lets go, since nothing is to be done for it soon.
type Release struct {
	Ref      TaskRef
	Epoch    int64
	Revision int64     // that the process has in memory; a task that was changed since is not let go; [AnyRevision] lets go any
	WakeAt   time.Time // when somebody has to take it again; zero: when something is done to it
}

// AnyRevision in a [Release] stands for whatever is stored.
const AnyRevision int64 = -1

// Sweep is what a process finds when it looks for work.
type Sweep struct {
	Claimed []Claim
	Touched []TaskRef // tasks of this process that others have changed, or told something
	More    bool      // there are due tasks beyond the room that it has
}
