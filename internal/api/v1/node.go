package v1

import (
	"context"
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/status"
)

type getNodeInput struct {
	TaskPath
	Node string `path:"node" maxLength:"1000" doc:"The id of the node, or its name where only one node has it"`
	Loop int32  `query:"loop" minimum:"1" doc:"An earlier loop; without it the current one"`
}

func (s *server) getNode(ctx context.Context, a *service.Access, in *getNodeInput) (*body[client.NodeDetail], error) {
	id := stdops.TaskID(in.ID)
	node, err := s.svc.NodeNamed(ctx, a, id, in.Node)
	if err != nil {
		return nil, err
	}
	view, err := s.svc.Node(ctx, a, id, service.NodeQuery{Node: node, Own: true, Timing: true, Loop: in.Loop})
	if err != nil {
		return nil, err
	}
	if in.Loop > view.Status.Loop { // the compatible API shows the current one
		return nil, stdops.Errorf(stdops.CodeNotFound, "the node was entered %d times, there is no loop %d", view.Status.Loop, in.Loop)
	}
	detail, err := wireDetail(view)
	if err != nil {
		return nil, fmt.Errorf("node %s of task %d: %w", node, id, err)
	}
	return answer(*detail), nil
}

func wireDetail(view *service.NodeView) (d *client.NodeDetail, err error) {
	task := view.Task.ID
	d = &client.NodeDetail{Node: wireNode(task, &view.Status), Outputs: []client.Output{}, Attempts: []client.Attempt{}}
	d.Release, d.Actions = view.Release, []string{}
	for _, action := range view.Actions {
		d.Actions = append(d.Actions, wireActions[action])
	}
	if view.Why != nil {
		why := wireWhy(task, view.Why, view.Status.Name)
		d.Why = &why
	}
	if view.Reached {
		d.Timing = timingOf(&view.Status, &view.Timing)
		if view.Phase == stdops.PhaseQueued {
			d.Timing.Queued, d.Timing.Started = d.Timing.Started, time.Time{}
		}
	}
	if by := view.Driver; by.Name != "" {
		d.Driver = &client.Driver{Name: by.Name, PID: by.PID, Lost: by.Lost}
	}
	d.TakenAt = view.Driver.Free
	if view.Templates != nil {
		if d.Templates, err = stdops.EncodeValue(view.Templates); err != nil {
			return nil, err
		}
	}
	d.Kind, d.Plugin, d.Error = view.Kind.String(), view.Plugin, stdops.ValueText(view.ExData)
	switch {
	case view.Appointed:
		d.State, d.Phase = client.Created, appointed
	case !view.Reached:
		d.State = client.Created
	case view.Phase != stdops.PhaseNone:
		d.Phase = view.Phase.String()
	}
	if d.Inputs, err = stdops.EncodeValue(view.Inputs); err != nil {
		return nil, err
	}
	for _, o := range view.Outputs {
		value, err := stdops.EncodeValue(o.Value)
		if err != nil {
			return nil, err
		}
		d.Outputs = append(d.Outputs, client.Output{Key: o.Key, Name: o.Name, Value: value})
	}
	for _, b := range view.Branches {
		d.Branches = append(d.Branches, client.Branch{
			Flow: stdops.FlowID(task, b.Flow), Node: stdops.NodeID(task, b.To), Name: b.Name, Condition: b.Condition, Default: b.Default,
		})
	}
	if r := view.AutoRetry; r != nil {
		d.AutoRetry = &client.AutoRetry{Times: r.Times, Max: r.Max}
	}
	for i := range view.Histories {
		h, err := wireAttempt(task, &view.Histories[i])
		if err != nil {
			return nil, err
		}
		d.Attempts = append(d.Attempts, h)
	}
	return d, nil
}

// timingOf tells what is known of when an attempt came how far.
func timingOf(st *status.Status, t *service.NodeTiming) *client.Timing {
	return &client.Timing{
		Retried: t.Retried, Started: st.Started, Called: st.Called, CalledBack: t.CalledBack, Finished: st.Finished, Left: t.Left, Due: t.Due, Deadline: t.Deadline,
	}
}

func wireAttempt(task stdops.TaskID, h *service.NodeHistory) (w client.Attempt, err error) {
	w.Node = wireNode(task, &h.Status)
	w.Error = stdops.ValueText(h.ExData)
	w.Timing = timingOf(&h.Status, &h.Timing)
	if w.Inputs, err = stdops.EncodeValue(h.Inputs); err != nil {
		return w, err
	}
	w.Outputs, err = stdops.EncodeValue(h.Outputs)
	return w, err
}
