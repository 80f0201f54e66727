package conformance

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stdops/stdops"
)

// stubServer answers the calls of a case from a list per endpoint; the last answer of a list stays. It keeps what it
// was asked.
type stubServer struct {
	answers map[string][]string

	mu    sync.Mutex
	asked []string // under mu: "METHOD path body"
}

const okAnswer = `{"result":true,"code":0,"message":"success","trace_id":"t","data":{}}`

func (s *stubServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body))
	name := strings.Split(r.URL.Path, "/")[2]
	queue := s.answers[name]
	answer := okAnswer
	if len(queue) > 0 {
		answer = queue[0]
	}
	if len(queue) > 1 {
		s.answers[name] = queue[1:]
	}
	w.Header().Set("Sops-Trace-Id", "t")
	_, _ = io.WriteString(w, answer)
}

// status gives the answer of get_tasks_status for the task of these tests, with the states of root and node A; an
// empty state leaves A out.
func status(root, a string) string {
	one := func(id, name, state, children string) string {
		finished := ""
		if state != "RUNNING" {
			finished = "2026-01-01 00:00:03 +0800"
		}
		return fmt.Sprintf(`{"id":%q,"state":%q,"name":%q,"retry":0,"loop":1,"skip":false,"error_ignorable":false,
			"version":"v-%s","elapsed_time":2,"start_time":"2026-01-01 00:00:01 +0800","finish_time":%q,
			"error_ignored":false,"parent_id":"n0","children":%s}`, id, state, name, id, finished, children)
	}
	children := "{}"
	if a != "" {
		children = `{"n1":` + one("n1", "A", a, "{}") + `}`
	}
	return fmt.Sprintf(`{"result":true,"code":0,"message":"","trace_id":"t","missing":[],"data":[{"id":7,"name":"t",
		"flow_type":"common","current_flow":"finished","is_deleted":false,"url":"u","create_time":"2026-01-01 00:00:00 +0800",
		"start_time":"","finish_time":"","status":%s,"children":%s}]}`, one("n0", "t", root, children), children)
}

const created = `{"result":true,"code":0,"message":"success","trace_id":"t","data":{"task_id":7,"task_url":"u","pipeline_tree":{
	"start_event":{"id":"n2","name":"start"},"end_event":{"id":"n3","name":"end"},"flows":{"l1":{"source":"n4","target":"n1"}},
	"activities":{"n1":{"id":"n1","name":"A"}},"gateways":{"n4":{"id":"n4","name":"G","outgoing":["l1"]}}}}}`

const refused = `{"result":false,"code":3545000,"message":"task already started","trace_id":"t","data":null}`

// stubRun gives a run of a case of these steps, after a create, against a stub.
func stubRun(t *testing.T, steps string, answers map[string][]string) (*run, *stubServer) {
	t.Helper()
	stub := &stubServer{answers: map[string][]string{"fast_create_task": {created}}}
	for name, list := range answers {
		stub.answers[name] = list
	}
	web := httptest.NewServer(stub)
	t.Cleanup(web.Close)
	spec := value(t, `{"name":"stub","flow":["A"],"steps":[{"create":{},"name":"t"}`+steps+`]}`).(*stdops.Object)
	return newRun(&server{
		bases: []string{web.URL}, code: "app", secret: "s", user: "u", project: 1, biz: 2, patience: 0.01,
		http: newHTTPClient(1),
	}, spec), stub
}

func TestSteps(t *testing.T) {
	t.Parallel()
	running, finished := []string{status("RUNNING", "RUNNING")}, []string{status("FINISHED", "FINISHED")}
	for _, c := range []struct {
		name, steps string
		answers     map[string][]string
		problem     string // "" = the case passes
	}{
		{"start", `,"start"`, nil, ""},
		{"start refused", `,"start"`, map[string][]string{"start_task": {refused}}, "step 2 start: start_task: expected <result true, code 0>"},
		{"refusal wanted", `,{"start":"","error":3545000,"message":"already"}`, map[string][]string{"start_task": {refused}}, ""},
		{"one of two codes", `,{"start":"","error":[1,3545000]}`, map[string][]string{"start_task": {refused}}, ""},
		{"another code wanted", `,{"start":"","error":1}`, map[string][]string{"start_task": {refused}}, "code 1>"},
		{"another message wanted", `,{"start":"","error":3545000,"message":"^x"}`, map[string][]string{"start_task": {refused}}, "start_task.message"},
		{"refusal wanted, accepted", `,{"start":"","error":3545000}`, nil, "<result false"},
		{"unknown verb", `,"dance"`, nil, "unknown step dance"},
		{"no such task", `,{"op":"pause","task":"x"}`, nil, `no task "x"`},
		{"wait", `,{"wait":{"root":"FINISHED","A":["FAILED","FINISHED"]},"timeout":2000}`, map[string][]string{"get_tasks_status": {status("RUNNING", ""), status("FINISHED", "FINISHED")}}, ""},
		{"wait for absent", `,{"wait":{"A":"absent"}}`, map[string][]string{"get_tasks_status": {status("RUNNING", "")}}, ""},
		{"wait in vain", `,{"wait":{"A":"FINISHED"}}`, map[string][]string{"get_tasks_status": running}, "state of A (timed out)"},
		{"watch", `,{"watch":{"order":["RUNNING","FINISHED"],"until":"FINISHED"},"timeout":2000}`, map[string][]string{"get_tasks_status": {running[0], finished[0]}}, ""},
		{
			"watch goes back", `,{"watch":{"order":["RUNNING","FINISHED"],"until":"FAILED"},"timeout":2000}`,
			map[string][]string{"get_tasks_status": {finished[0], running[0]}},
			"root state over time",
		},
		{"watch sees another state", `,{"watch":{"order":["FAILED"],"until":"FAILED"},"timeout":2000}`, map[string][]string{"get_tasks_status": running}, "root state over time"},
		{"save", `,{"save":{"v":"A.version"}},{"callback":"A","version":"v"}`, map[string][]string{"get_tasks_status": running}, ""},
		{"save nothing", `,{"save":{"v":"A.what"}}`, map[string][]string{"get_tasks_status": running}, "A.what"},
		{"race", `,{"race":[{"start":""},{"start":""}],"ok":1}`, map[string][]string{"start_task": {okAnswer, refused}}, ""},
		{"race lost", `,{"race":[{"start":""},{"start":""}],"ok":1}`, nil, "commands that succeeded: expected 1"},
		{"race in bounds", `,{"race":[{"start":""},{"start":""}],"ok":[0,2]}`, nil, ""},
		{"node", `,{"node":"A","do":"retry","inputs":{"x":"{task}"}}`, nil, ""},
		{"no such node", `,{"node":"B","do":"retry"}`, nil, "node B"},
		{"flow to", `,{"node":"G","do":"skip_exg","to":"A"}`, nil, ""},
		{"no flow to", `,{"node":"G","do":"skip_exg","to":"end"}`, nil, "no flow leads from G to end"},
		{"check states", `,{"check":{"states":{"A":"RUNNING"},"only":["A"],"task":{"id":{"$task":"main"}}}}`, map[string][]string{"get_tasks_status": running}, ""},
		{"check state", `,{"check":{"states":{"A":"FAILED"}}}`, map[string][]string{"get_tasks_status": running}, "state of A"},
		{"check only", `,{"check":{"only":[]}}`, map[string][]string{"get_tasks_status": running}, "executed nodes"},
		{"check all", `,{"check":{"all":"RUNNING"}}`, map[string][]string{"get_tasks_status": running}, "state of start"},
		{"check node", `,{"check":{"nodes":{"A":{"loop":2}}}}`, map[string][]string{"get_tasks_status": running}, "A.loop"},
		{"check node not run", `,{"check":{"nodes":{"end":{"loop":1}}}}`, map[string][]string{"get_tasks_status": running}, "state of end"},
		{"check data", `,{"check":{"nodes":{"A":{"inputs":{"k":2}}}}}`, map[string][]string{
			"get_tasks_status":   running,
			"get_task_node_data": {`{"result":true,"code":0,"message":"","trace_id":"t","data":{"inputs":{"k":1},"outputs":[]}}`},
		}, "A.inputs.k"},
		{"check histories", `,{"check":{"nodes":{"A":{"histories":1}}}}`, map[string][]string{
			"get_tasks_status":     running,
			"get_task_node_detail": {`{"result":true,"code":0,"message":"","trace_id":"t","data":{"histories":[]}}`},
		}, "A.histories"},
		{"check outputs", `,{"check":{"outputs":{"${x}":2}}}`, map[string][]string{"get_task_detail": {
			`{"result":true,"code":0,"message":"","trace_id":"t","data":{"outputs":[{"key":"${x}","value":1}]}}`,
		}}, "task outputs.${x}"},
		{"check single", `,{"check":{"single":{"state":"x"}}}`, nil, "get_task_status.data.state"},
		{"http", `,{"http":"POST /apigw/x/{project}/","body":{"a":"{user}"},"expect":{"status":200,"headers":{"sops-trace-id":"t"},"json":{"code":0}},"save":{"c":"code"}},
			{"http":"GET /apigw/y/","expect":{"json":{"code":{"$same":"c"}}}}`, nil, ""},
		{"http status", `,{"http":"POST /apigw/x/","expect":{"status":404}}`, nil, "HTTP status"},
		{"http header", `,{"http":"POST /apigw/x/","expect":{"headers":{"allow":"POST"}}}`, nil, "HTTP headers.allow"},
		{"http refusal", `,{"http":"POST /apigw/x/","expect":{"error":3545000,"message":"started$"}}`, map[string][]string{"x": {refused}}, ""},
		{"http no refusal", `,{"http":"POST /apigw/x/","expect":{"error":1}}`, nil, "answer"},
		{"http envelope", `,{"http":"POST /apigw/x/","expect":{"error":1}}`, map[string][]string{"x": {`{}`}}, "answer.result"},
		{"no JSON", `,"start"`, map[string][]string{"start_task": {"<html>"}}, "start_task answer: expected <JSON>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, _ := stubRun(t, c.steps, c.answers)
			err := r.play(t.Context())
			if c.problem == "" && err != nil {
				t.Errorf("failed: %v", err)
			}
			if c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("got %v, want %q", err, c.problem)
			}
		})
	}
}

// TestRequests looks at what the steps send.
func TestRequests(t *testing.T) {
	t.Parallel()
	r, stub := stubRun(t, `,{"op":"pause"},{"node":"G","do":"skip_exg","to":"A"},{"callback":"A","data":{"bit":1},"version":"v9"},
		{"constants":{"${v}":1}},{"http":"GET /apigw/x/{project}/{biz}/?a=1","query":{"ids":[{"$task":"main"}],"t":"${task}"},"auth":{"in":"query","bk_username":null}},
		{"http":"POST /apigw/y/","body":"{bad","auth":{"in":"none"}}`, nil)
	if err := r.play(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`POST /apigw/operate_task/7/1/ {"scope":"project","action":"pause"}`,
		`POST /apigw/operate_node/1/7/ {"scope":"project","node_id":"n4","action":"skip_exg","flow_id":"l1"}`,
		`POST /apigw/node_callback/7/1/ {"scope":"project","node_id":"n1","callback_data":{"bit":1},"version":"v9"}`,
		`POST /apigw/modify_constants_for_task/7/1/ {"scope":"project","constants":{"${v}":1}}`,
		`GET /apigw/x/1/2/?a=1&bk_app_code=app&bk_app_secret=s&ids=%5B7%5D&t=%24%7Btask%7D `,
		`POST /apigw/y/ {bad`,
	} {
		if got := stub.asked[i+1]; got != want {
			t.Errorf("request %d:\n got %s\nwant %s", i+1, got, want)
		}
	}
}

// TestPlaceChildren sends the same flow to a server with a template store and to one without.
func TestPlaceChildren(t *testing.T) {
	t.Parallel()
	for _, inline := range []bool{false, true} {
		r, stub := stubRun(t, `,{"create":{"flow":[{"sub":"S","flow":["A"],"constants":{"${c}":"x"},"pass":{"${c}":"y"}}]},"name":"t"}`,
			map[string][]string{"create_template": {`{"result":true,"code":0,"message":"","trace_id":"t","data":{"template_id":41}}`}})
		r.server.inline = inline
		if err := r.play(t.Context()); err != nil {
			t.Fatal(err)
		}
		sent := stub.asked[len(stub.asked)-1]
		if stored := strings.Contains(sent, `"template_id":41`); stored == inline || len(stub.asked) != map[bool]int{false: 3, true: 2}[inline] {
			t.Errorf("inline %v: asked %v", inline, stub.asked)
		}
		if embedded := strings.Contains(sent, `"pipeline":`); embedded != inline || !strings.Contains(sent, `"value":"y"`) {
			t.Errorf("inline %v: sent %s", inline, sent)
		}
		if strings.Contains(sent, `"given"`) || strings.Contains(sent, `"child"`) {
			t.Errorf("inline %v: words of the notation were sent: %s", inline, sent)
		}
	}
}
