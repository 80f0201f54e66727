package sops_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stdops/stdops"
)

// items gives the entries of a list by one of their keys.
func (a answer) items(key string) map[string]*stdops.Object {
	found := map[string]*stdops.Object{}
	data, _ := a.body.Get("data")
	list, _ := data.([]any)
	for _, entry := range list {
		o := entry.(*stdops.Object)
		found[o.Text(key)] = o
	}
	return found
}

func TestPlugins(t *testing.T) {
	t.Parallel()
	s := setup(t)
	const timer = `{"inputs":[` +
		`{"name":"Time","key":"bk_timing","type":"string","schema":{"type":"string","title":"Time","description":"seconds, or a moment written YYYY-MM-DD HH:MM:SS","enum":[]},"required":true},` +
		`{"name":"Must be ahead","key":"force_check","type":"bool","schema":{"type":"boolean","title":"Must be ahead","description":"fail when the moment has passed already (default true)","enum":[]},"required":false}],` +
		`"outputs":[` +
		`{"name":"Time zone","key":"business_tz","type":"string","schema":{"type":"string","title":"Time zone","description":"","enum":[]}},` +
		`{"name":"Moment waited for","key":"timing_time","type":"string","schema":{"type":"string","title":"Moment waited for","description":"","enum":[]}},` +
		`{"name":"result","key":"_result","type":"bool","schema":{"type":"boolean","title":"result","description":"whether the node succeeded","enum":[]}},` +
		`{"name":"loop","key":"_loop","type":"int","schema":{"type":"integer","title":"loop","description":"how often the node was entered","enum":[]}},` +
		`{"name":"inner loop","key":"_inner_loop","type":"int","schema":{"type":"integer","title":"inner loop","description":"the same since the subprocess around it was entered","enum":[]}}],` +
		`"desc":"Waits for a number of seconds, or until a moment in the time zone of the project.","code":"sleep_timer","name":"Timer",` +
		`"group_name":"basic","version":"legacy","form":""}`
	if got := encoded(t, s.call("GET", "/get_plugin_detail/2/?code=sleep_timer", nil).data()); got != timer {
		t.Errorf("detail\n got %s\nwant %s", got, timer)
	}
	list := s.call("GET", "/get_plugin_list/2/", nil)
	if got := encoded(t, list.items("code")["sleep_timer"]); got != timer {
		t.Errorf("list\n got %s\nwant %s", got, timer)
	}
	if versions := list.items("version"); versions["1.0"].Text("code") != "bk_display" || len(list.items("code")) < 4 {
		t.Errorf("list: %s", list.raw)
	}
	if a := s.call("POST", "/v2/sops/get_plugin_detail/", `{"bk_biz_id":2,"code":"bk_display","version":"1.0"}`); a.data().Text("version") != "1.0" {
		t.Errorf("detail of a version: %s", a.raw)
	}
	for query, message := range map[string]string{
		"": "parameter code need to be provided.", "?code=": "parameter code need to be provided.",
		"?code=no_such":                   "can not find suitable component with code: no_such and version: legacy",
		"?code=sleep_timer&version=1.0.0": "can not find suitable component with code: sleep_timer and version: 1.0.0",
	} {
		if a := s.call("GET", "/get_plugin_detail/2/"+query, nil); a.status != 200 || a.code() != 3546100 || a.message() != message {
			t.Errorf("%q: %s", query, a.raw)
		}
	}
	for _, name := range []string{"get_plugin_list", "get_plugin_detail", "get_plugin_base_info"} {
		if a := s.call("GET", "/"+name+"/99/?code=sleep_timer", nil); a.code() != 3540400 {
			t.Errorf("%s of no project: %s", name, a.raw)
		}
	}
}

// TestPluginBaseInfo: an application asks without a user; who is none is refused all the same.
func TestPluginBaseInfo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ask := func(path, credentials string) answer {
		return f.send("GET", path, nil, http.Header{"X-Bkapi-Authorization": {f.real(credentials)}})
	}
	const demo = `{"bk_app_code":"demo","bk_app_secret":"demo-secret"}`
	a := ask("/get_plugin_base_info/2/", demo)
	if !strings.Contains(a.raw, `"builtin_plugins":[`) || !strings.Contains(a.raw, `{"code":"sleep_timer","name":"Timer"}`) || !strings.Contains(a.raw, `"remote_plugins":[]`) {
		t.Errorf("%s", a.raw)
	}
	if a := ask("/get_plugin_list/2/", demo); a.code() != 3540000 || !strings.HasPrefix(a.message(), "username cannot be empty") {
		t.Errorf("list without a user: %s", a.raw)
	}
	if a := ask("/get_plugin_base_info/2/", `{"bk_app_code":"demo","bk_app_secret":"x"}`); a.status != 401 || a.code() != 3540100 {
		t.Errorf("wrong secret: %s", a.raw)
	}
	if a := ask("/get_plugin_list/2/", "@@demo-bob@@"); !a.ok() { // who has nothing to do with the project
		t.Errorf("another user: %s", a.raw)
	}
}

func TestProjects(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ask := func(path, credentials string) answer {
		return f.send("GET", path, nil, http.Header{"X-Bkapi-Authorization": {f.real(credentials)}})
	}
	data := func(a answer) string {
		data, _ := a.body.Get("data")
		return encoded(t, data)
	}
	for _, c := range []struct{ path, credentials, want string }{
		{"/get_user_project_list/", "@@demo-alice@@", `[{"project_id":1,"bk_biz_id":2,"name":"default"}]`},
		{"/get_user_project_list/?include_executor_proxy=true", "@@demo-bob@@", `[{"project_id":2,"bk_biz_id":3,"name":"bob's","executor_proxy":""}]`},
		{"/get_user_project_list/", auth("trusted", "root"), `[{"project_id":1,"bk_biz_id":2,"name":"default"},{"project_id":2,"bk_biz_id":3,"name":"bob's"}]`},
		{"/v2/sops/get_user_project_list/", "@@demo-alice@@", `[{"project_id":1,"bk_biz_id":2,"name":"default"}]`},
		{
			"/get_user_project_detail/2/", "@@demo-alice@@",
			`{"project_id":1,"project_name":"default","from_cmdb":true,"bk_biz_id":2,"bk_biz_name":"default","bk_biz_developer":"",` +
				`"bk_biz_maintainer":"alice","bk_biz_tester":"","bk_biz_productor":"","auth_actions":["project_view","project_edit","project_fast_create_task"]}`,
		},
	} {
		if got := data(ask(c.path, c.credentials)); got != c.want {
			t.Errorf("%s of %s\n got %s\nwant %s", c.path, c.credentials, got, c.want)
		}
	}
	viewer := f.as(t, "viewer")
	more := ask("/get_user_project_detail/1/?scope=project&include_executor_proxy=1&include_staff_groups=true", viewer).data()
	actions, _ := more.Get("auth_actions")
	if groups, _ := more.Get("staff_groups"); encoded(t, groups) != "[]" || more.Text("executor_proxy") != "" || encoded(t, actions) != `["project_view"]` {
		t.Errorf("detail for a viewer: %s", encoded(t, more))
	}
	nobody := f.as(t, "")
	if got := data(ask("/get_user_project_list/", nobody)); got != "[]" {
		t.Errorf("projects of nobody: %s", got)
	}
	if a := ask("/get_user_project_detail/9/", nobody); a.code() != 3540400 {
		t.Errorf("detail of no project: %s", a.raw)
	}
}
