package plugin

import (
	"context"

	"github.com/stdops/stdops"
)

// NewChild is a task that an attempt of a node makes.
type NewChild struct {
	Project   stdops.ProjectID
	Of        stdops.AttemptRef
	Executor  string         // who makes and starts it
	Flow      *stdops.Object // the input of the node that says what it runs
	Constants *stdops.Object // values that it is given, by key with ${ and }
}

// Child is the task that an attempt has made.
type Child struct {
	ID   stdops.TaskID
	Name string
	URL  string
}

// MakeChild makes a task of an attempt and starts it. An attempt has one child: asked again, it gives the same.
type MakeChild func(ctx context.Context, n NewChild) (Child, error)
