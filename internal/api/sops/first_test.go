package sops_test

import "testing"

func TestLife(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, echo := s.create(chain("A", "B:callback_node"))
	if s.state(id) != "CREATED" {
		t.Error(s.state(id))
	}
	s.start(id)
	s.await(id, "RUNNING")
	t.Log(s.call("POST", "/get_tasks_status/2/", `{"task_id_list":[1, 77], "include_children_status": true}`).raw)
	t.Log(s.call("POST", "/operate_task/1/2/", `{"action":"pause"}`).raw)
	t.Log(s.call("POST", "/operate_task/1/2/", `{"action":"pause"}`).raw)
	t.Log(s.call("POST", "/operate_task/1/2/", `{"action":"resume"}`).raw)
	t.Log(s.call("POST", "/node_callback/1/2/", `{"node_id":"`+nodeNamed(echo, "B")+`", "callback_data": {"bit":1}}`).raw)
	s.await(id, "FINISHED")
	t.Log(s.call("GET", "/get_task_detail/1/2/", nil).raw)
	t.Log(s.call("GET", "/get_task_node_detail/1/2/?node_id="+nodeNamed(echo, "B"), nil).raw)
	t.Log(s.call("GET", "/get_task_status/1/2/", nil).raw)
	t.Log(s.log.String())
}
