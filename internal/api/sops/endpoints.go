package sops

import (
	"net/http"

	"github.com/stdops/stdops/internal/service"
)

// part is an id in the path of an endpoint.
type part string

// The ids. The word is that of the component families, where ids travel as parameters.
const (
	projectID  part = "bk_biz_id"
	taskID     part = "task_id"
	templateID part = "template_id"
	periodicID part = "periodic_task_id"
)

// endpoint is one endpoint of the API.
type endpoint struct {
	name   string
	method string
	parts  []part // ids of its path, in order
	any    bool   // whatever follows the name belongs to it

	// needs is what the caller must be allowed to; a served endpoint without it says in open why it needs nothing.
	needs service.Permission
	open  string

	// exact keeps numbers of the body as they are written.
	exact bool
	tree  bool              // its body may hold a tree
	app   bool              // no user is needed, the application is enough
	serve func(*call) error // nil: known, but not offered

	// again answers a request that has the key of an earlier one, whose effect was there already; nil: the endpoint takes
	// no keys.
	again func(*call, *service.Access, *service.Done) error
}

func get(name string, parts ...part) endpoint {
	return endpoint{name: name, method: http.MethodGet, parts: parts}
}

func post(name string, parts ...part) endpoint {
	return endpoint{name: name, method: http.MethodPost, parts: parts}
}

// serving completes an endpoint that is offered.
func (e endpoint) serving(needs service.Permission, serve func(*call) error) endpoint {
	e.needs, e.serve = needs, serve
	return e
}

// opened completes an endpoint that is offered and needs no permission in a project.
func (e endpoint) opened(why string, serve func(*call) error) endpoint {
	e.open, e.serve = why, serve
	return e
}

// exactly keeps the numbers of the body as they are written, for ids beyond any number type.
func (e endpoint) exactly() endpoint {
	e.exact = true
	return e
}

// drawn says that the body may hold a tree, which has many values.
func (e endpoint) drawn() endpoint {
	e.tree = true
	return e
}

// byApp lets an application ask without a user.
func (e endpoint) byApp() endpoint {
	e.app = true
	return e
}

// openPlugins is why nothing in a project is needed to see the plugins.
const openPlugins = "plugins are the server's, and the same in every project"

// endpoints lists every endpoint of docs/spec/api.md 4.0.
func endpoints() []endpoint {
	return []endpoint{
		post("create_template", projectID).serving(service.FlowCreate, createTemplate).drawn().keyed(storedAgain),
		post("import_project_template", projectID).serving(service.FlowCreate, importProjectTemplate).keyed(importedAgain),
		post("import_common_template").opened("for trusted applications and administrators only", importCommonTemplate).keyed(importedAgain),
		post("copy_template_across_project", projectID),
		get("get_template_list", projectID).serving(service.ProjectView, getTemplateList),
		get("get_template_info", templateID, projectID).serving(service.FlowView, getTemplateInfo),
		get("get_common_template_list").opened("common flows are for all", getCommonTemplateList),
		get("get_common_template_info", templateID).serving(service.CommonFlowView, getCommonTemplateInfo),
		get("get_template_schemes", projectID, templateID).serving(service.FlowView, getTemplateSchemes),
		post("preview_task_tree", projectID, templateID).serving(service.FlowView, previewTaskTree),
		post("preview_common_task_tree", projectID, templateID).serving(service.CommonFlowView, previewCommonTaskTree),

		post("create_task", templateID, projectID).serving(service.FlowCreateTask, createTask).keyed(createdAgain),
		post("create_and_start_task", templateID, projectID).serving(service.FlowCreateTask, createAndStartTask).keyed(createdAgain),
		post("fast_create_task", projectID).serving(service.FastCreateTask, fastCreateTask).drawn().keyed(createdAgain),
		post("start_task", taskID, projectID).serving(service.TaskOperate, startTask).keyed(startedAgain),
		post("operate_task", taskID, projectID).serving(service.TaskOperate, operateTask).keyed(success),
		post("operate_node", projectID, taskID).serving(service.TaskOperate, operateNode).keyed(success),
		post("node_callback", taskID, projectID).serving(service.TaskOperate, nodeCallback).keyed(success),

		get("get_task_status", taskID, projectID).serving(service.TaskView, getTaskStatus),
		post("get_tasks_status", projectID).serving(service.ProjectView, getTasksStatus).exactly(),
		post("get_tasks_manual_intervention_state", projectID).serving(service.ProjectView, getTasksManualInterventionState).exactly(),
		get("get_task_list", projectID).serving(service.ProjectView, getTaskList),
		get("get_task_count", projectID).serving(service.ProjectView, getTaskCount),
		post("query_task_count", projectID).serving(service.ProjectView, queryTaskCount),
		get("get_task_detail", taskID, projectID).serving(service.TaskView, getTaskDetail),
		get("get_task_node_detail", taskID, projectID).serving(service.TaskView, getTaskNodeDetail),
		get("get_task_node_data", projectID, taskID).serving(service.TaskView, getTaskNodeData),
		get("get_task_node_log", taskID, projectID).serving(service.TaskView, getTaskNodeLog),
		get("get_task_plugin_log", taskID, projectID),
		get("get_node_job_executed_log", taskID, projectID),
		get("get_task_operate_record", taskID, projectID),
		get("get_task_effective_time", taskID, projectID),
		post("modify_constants_for_task", taskID, projectID).serving(service.TaskEdit, modifyConstants).keyed(modifiedAgain),

		post("create_periodic_task", templateID, projectID),
		get("get_periodic_task_list", projectID),
		get("get_periodic_task_info", periodicID, projectID),
		post("set_periodic_task_enabled", periodicID, projectID),
		post("modify_cron_for_periodic_task", periodicID, projectID),
		post("modify_constants_for_periodic_task", periodicID, projectID),
		post("create_clocked_task", templateID, projectID),
		get("get_clocked_task_list", projectID),

		get("get_plugin_list", projectID).opened(openPlugins, getPluginList),
		get("get_plugin_detail", projectID).opened(openPlugins, getPluginDetail),
		get("get_plugin_base_info", projectID).opened(openPlugins, getPluginBaseInfo).byApp(),
		get("get_user_project_list").opened("lists what the caller may look at", getUserProjectList),
		get("get_user_project_detail", projectID).serving(service.ProjectView, getUserProjectDetail),
		post("register_project").opened("for trusted applications only", registerProject),
		post("modify_template_notify", templateID, projectID),
		post("modify_template_executor_proxy", templateID, projectID),
		post("modify_project_executor_proxy", projectID),
		post("apply_webhook_configs", projectID),
		post("claim_functionalization_task", taskID, projectID),
		get("get_functionalization_task_list"),
		get("get_mini_app_list", projectID).serving(service.ProjectView, getMiniAppList),
		post("dispatch_plugin_query"),

		get("inner/get_task_effective_time", taskID, projectID),
		get("inner/get_task_node_log"),
		get("inner/get_task_plugin_log"),
		get("inner/get_node_job_executed_log"),
		{name: "plugin-gateway", any: true},
		{name: "callback", method: http.MethodPost, any: true},
		get("apply_job_file_upload_ticket"),
		post("job_file_upload", projectID),
	}
}

// getMiniAppList answers that there are none: mini apps belong to a platform that stdops is not.
func getMiniAppList(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	if err := access.Require(service.ProjectView); err != nil {
		return err
	}
	c.out.Data([]any{}, "", nil)
	return nil
}
