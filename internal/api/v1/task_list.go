package v1

import (
	"context"
	"strconv"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// TaskFilter says which tasks are listed or counted. It is exported because the framework fills no other fields.
type TaskFilter struct {
	Keyword  string    `query:"keyword" maxLength:"128" doc:"A part of the name, in any case"`
	Creator  string    `query:"creator" maxLength:"128"`
	Executor string    `query:"executor" maxLength:"128" doc:"Who started it"`
	Flow     int64     `query:"flow" minimum:"0" doc:"The id of the stored flow that it was made from"`
	From     time.Time `query:"created_from" doc:"Made then or later"`
	To       time.Time `query:"created_to" doc:"Made then or earlier"`
}

func (f *TaskFilter) match() service.TaskMatch {
	m := service.TaskMatch{
		Keyword: f.Keyword, Creator: f.Creator, Executor: f.Executor, CreatedFrom: f.From, CreatedTo: f.To,
	}
	if f.Flow != 0 {
		m.Templates = []stdops.TemplateID{stdops.TemplateID(f.Flow)}
	}
	return m
}

type listTasksInput struct {
	ProjectPath
	TaskFilter
	RunParam
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many a page has at most"`
	Cursor string `query:"cursor" maxLength:"20" doc:"next_cursor of the page before"`
	State  string `query:"state" enum:"CREATED,RUNNING,SUSPENDED,NODE_SUSPENDED,FAILED,FINISHED,REVOKED" doc:"As tasks show it; a page may come out short then, and has a cursor all the same"`
	Slow   bool   `query:"slow" doc:"Only tasks that were started, have not ended, and take longer than 95 of 100 of the latest tasks of the same flow and tree that finished; none of which fewer than three are known. A page looks at 30 trees and 2,000 tasks at most: it may come out short, and has a cursor all the same"`
}

// shownStates are the states that tasks show, in the order of a life.
var shownStates = []stdops.State{
	stdops.StateCreated, stdops.StateRunning, stdops.StateSuspended, stdops.StateNodeSuspended, stdops.StateFailed,
	stdops.StateFinished, stdops.StateRevoked,
}

// shownState gives the state of that name, the zero value for any other text.
func shownState(name string) stdops.State {
	for _, state := range shownStates {
		if state.String() == name {
			return state
		}
	}
	return stdops.StateNone
}

// errCursor refuses a cursor that leads nowhere in the list that it is sent to.
var errCursor = stdops.Errorf(stdops.CodeInvalid, "cursor is none that this list gave")

func (s *server) listTasks(ctx context.Context, a *service.Access, in *listTasksInput) (*body[client.TaskList], error) {
	q := service.TaskQuery{TaskMatch: in.match(), Limit: in.Limit, Run: in.Run, State: shownState(in.State), Slow: in.Slow}
	if in.Cursor != "" {
		before, err := strconv.ParseInt(in.Cursor, 10, 64)
		if err != nil || before <= 0 {
			return nil, errCursor
		}
		q.Before = stdops.TaskID(before)
	}
	found, err := s.svc.Tasks(ctx, a, q)
	if err != nil {
		return nil, err
	}
	list := client.TaskList{Tasks: make([]client.Task, len(found.Tasks))}
	for i := range found.Tasks {
		list.Tasks[i] = s.wireTask(&found.Tasks[i])
	}
	if found.Older != 0 {
		list.Cursor = decimal(int64(found.Older))
	}
	return answer(list), nil
}

type countTasksInput struct {
	ProjectPath
	TaskFilter
}

func (s *server) countTasks(ctx context.Context, a *service.Access, in *countTasksInput) (*body[client.TaskCount], error) {
	found, err := s.svc.CountStates(ctx, a, in.match())
	if err != nil {
		return nil, err
	}
	count := client.TaskCount{Total: found.Total, Cut: found.Cut}
	for _, state := range shownStates {
		count.States = append(count.States, client.StateCount{State: state.String(), Tasks: found.Of[state]})
	}
	return answer(count), nil
}
