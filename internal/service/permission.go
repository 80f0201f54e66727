package service

import "github.com/stdops/stdops"

// Permission is an action on a project or on a thing inside it, named by the action id that callers of bk-sops know
// (docs/spec/api.md 3.4).
type Permission string

// The permissions.
const (
	ProjectView    Permission = "project_view"
	ProjectEdit    Permission = "project_edit"
	FastCreateTask Permission = "project_fast_create_task"

	FlowView   Permission = "flow_view"
	FlowCreate Permission = "flow_create"
	FlowEdit   Permission = "flow_edit"

	FlowCreateTask       Permission = "flow_create_task"
	CommonFlowView       Permission = "common_flow_view"
	CommonFlowCreateTask Permission = "common_flow_create_task"

	TaskView    Permission = "task_view"
	TaskOperate Permission = "task_operate"
	TaskEdit    Permission = "task_edit"
	TaskDelete  Permission = "task_delete"
)

// Role is what a user is in a project. Each role may do all that the one before it may.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Editor   Role = "editor"
	Admin    Role = "admin"
)

var roleRank = map[Role]int{Viewer: 1, Operator: 2, Editor: 3, Admin: 4}

// Valid reports whether r is one of the four roles.
func (r Role) Valid() bool { return roleRank[r] > 0 }

// least is the permission table: the lowest role that has a permission. To run a tree of one's own is to run any code
// that the project can run, so it is an editor's right, not an operator's.
var least = map[Permission]Role{
	ProjectView: Viewer, FlowView: Viewer, CommonFlowView: Viewer, TaskView: Viewer,

	TaskOperate: Operator, TaskEdit: Operator, FlowCreateTask: Operator, CommonFlowCreateTask: Operator,

	FlowCreate: Editor, FlowEdit: Editor, FastCreateTask: Editor, TaskDelete: Editor,

	ProjectEdit: Admin,
}

// LeastRole gives the lowest role that has the permission, "" for one that is not in the table: nobody but an
// administrator has that.
func LeastRole(p Permission) Role { return least[p] }

// has reports whether the role carries the permission.
func (r Role) has(p Permission) bool {
	need, ok := least[p]
	return ok && roleRank[r] >= roleRank[need]
}

// denied is the refusal that callers of bk-sops know; its end names the action that is missing.
func denied(p Permission) error {
	e := stdops.Errorf(stdops.CodeDenied, "iam authentication exception, please check, action:%s", p)
	e.Err = Lacking(p)
	return e
}

// Lacking is the cause of the refusal of a caller without a permission, for answers that say it in their own words.
type Lacking Permission

// Error names the permission.
func (l Lacking) Error() string { return "lacks " + string(l) }
