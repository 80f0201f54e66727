package service

import (
	"slices"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/status"
	"github.com/stdops/stdops/internal/store"
)

// Run is whether anything goes on in a task, what it waits for, and what the caller can do about it.
type Run struct {
	status.Run
	Tree     string           // hash of the tree, "" when it cannot be read
	Skeleton *stdops.Skeleton // with the names of the nodes; nil when the tree cannot be read
	Actions  []string         // for the task as a whole, as [Service.OperateTask] takes them, and [DeleteAction]
}

// DeleteAction stands among actions where [Service.DeleteTask] would delete the task.
const DeleteAction = "delete"

// run projects the run of a task. One whose record cannot be read can only be deleted.
func (s *Service) run(a *Access, r *store.StatusRows, readable bool) *Run {
	if !readable {
		return &Run{Run: status.UnreadableRun(&r.Task), Actions: deleteAction(a, &r.Task)}
	}
	return &Run{
		Run: status.RunOf(&status.RunRows{
			Skeleton: r.Skeleton, Task: &r.Task, Nodes: r.Nodes, Done: r.Done, Nature: s.nature,
		}),
		Tree: r.Task.TreeHash, Skeleton: r.Skeleton, Actions: taskActions(a, &r.Task),
	}
}

func (s *Service) nature(code string) status.Nature { return status.Nature(s.plugins.Nature(code)) }

// taskActions lists what would be carried out for a task as a whole if the caller asked for it now.
func taskActions(a *Access, t *stdops.Task) []string {
	list := []string{}
	if !t.Deleted && inExecution(t, "") == nil && a.Require(TaskOperate) == nil {
		for _, kind := range engine.TaskActions(t.Root.State) {
			list = append(list, kind.String())
		}
	}
	return append(list, deleteAction(a, t)...)
}

func deleteAction(a *Access, t *stdops.Task) []string {
	if t.Deleted || t.Root.State == stdops.StateRunning || t.Root.State == stdops.StateSuspended || a.Require(TaskDelete) != nil {
		return []string{}
	}
	return []string{DeleteAction}
}

// nodeActions lists what would be carried out for a node if the caller asked for it now, as [Service.OperateNode] takes it.
func (s *Service) nodeActions(a *Access, at *place, d *store.NodeDetail) []string {
	list := []string{}
	if at.task.Deleted || a.Require(TaskOperate) != nil {
		return list
	}
	kinds := engine.NodeActions(&engine.Standing{
		Graph: at.graph, Plugins: s.plugins, Limits: &s.limits, Root: at.task.Root.State, Node: at.index, Own: d.State, Callbacks: d.Callbacks,
	})
	for action, kind := range nodeCommands {
		subprocess := at.node.Kind == stdops.KindSubprocess
		if slices.Contains(kinds, kind) && (kind != engine.Retry || subprocess == (action == retrySubprocess)) {
			list = append(list, action)
		}
	}
	slices.Sort(list)
	return list
}

const retrySubprocess = "retry_subprocess"
