package sops_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/store"
)

// badInput is a line of testdata/badinputs.jsonl: a hostile or broken request and what must be answered.
type badInput struct {
	Name, Endpoint, Method, Body, Expect, Cat string
	Headers                                   map[string]any
}

// waiting names the lines whose feature does not exist yet, with what they wait for.
var waiting = map[string]string{
	"gts-slowloris-header":      "played on the server: TestSlowSendersAreCutOff of package app",
	"auth-sse-no-auth":          "event streams of the native API",
	"callback-url-rebind":       "delivery of callback_url",
	"callback-url-redirect":     "delivery of callback_url",
	"approve-not-approver":      "the plugin bk_approve",
	"operate-pause-revoke-race": "played on the drivers: TestEngineTaskCommandsAtOnce of package engine",
}

func TestBadInputs(t *testing.T) {
	t.Parallel()
	shared := sync.OnceValue(func() *fixture { return newFixture(t) })
	for _, line := range badInputs(t) {
		t.Run(line.Name, func(t *testing.T) {
			if why := waiting[line.Name]; why != "" {
				t.Skip("waits for: " + why)
			}
			t.Parallel()
			f := shared
			if line.Cat == "api.command" { // such a line changes what others look at
				f = func() *fixture { return newFixture(t) }
			}
			if strings.HasPrefix(line.Name, "http-") { // such a line has a network of its own
				runInNetwork(t, line)
				return
			}
			f().run(t, line)
		})
	}
}

func badInputs(t *testing.T) []badInput {
	t.Helper()
	file, err := os.Open("testdata/badinputs.jsonl")
	must(t, err)
	defer file.Close()
	var lines []badInput
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var line badInput
		must(t, json.Unmarshal(scanner.Bytes(), &line))
		lines = append(lines, line)
	}
	must(t, scanner.Err())
	return lines
}

// fixture is two projects with an owner each: business 2 is project 1 of alice, business 3 is project 2 of bob. Symbolic
// ids and secrets of the lines are mapped to the real ones.
type fixture struct {
	*server
	symbols map[string]string
	numbers map[string]int64
	node    string // that waits for a callback in task 101
}

func newFixture(t *testing.T, plugins ...plugin.Plugin) *fixture {
	t.Helper()
	f := &fixture{server: setup(t, plugins...), symbols: map[string]string{}, numbers: map[string]int64{}}
	ctx, admin := t.Context(), service.LocalAdmin()
	trusted, err := f.svc.Authenticate(ctx, service.Credentials{AppCode: "trusted", AppSecret: "trusted-secret", Username: "root"})
	must(t, err)
	for _, code := range []string{"demo", "demo2", "disabled"} {
		f.symbols[code+"-secret"], err = f.svc.CreateApp(ctx, admin, service.NewApp{Code: code})
		must(t, err)
	}
	must(t, f.svc.DisableApp(ctx, admin, "disabled"))
	_, err = f.svc.RegisterProject(ctx, trusted, service.NewProject{Biz: 3, Name: "bob's"})
	must(t, err)
	for user, project := range map[string]stdops.ProjectID{"alice": 1, "bob": 2} {
		must(t, f.svc.CreateUser(ctx, admin, service.NewUser{Name: user}))
		must(t, f.svc.Grant(ctx, admin, user, service.Roles{project: service.Admin}))
		f.symbols["tok-"+user], _, err = f.svc.CreateToken(ctx, admin, service.NewToken{User: user, Name: "test"})
		must(t, err)
		f.symbols["@@demo-"+user+"@@"] = fmt.Sprintf(`{"bk_app_code":"demo","bk_app_secret":%q,"bk_token":%q}`,
			f.symbols["demo-secret"], f.symbols["tok-"+user])
	}
	link, _, err := f.svc.CreateLoginLink(ctx, admin, "alice")
	must(t, err)
	f.symbols["@@alice-session@@"], _, err = f.svc.SignIn(ctx, link, "alice")
	must(t, err)
	f.tasks(t, trusted)
	f.templates(t)
	return f
}

func (f *fixture) tasks(t *testing.T, trusted *service.Caller) {
	t.Helper()
	ctx := t.Context()
	access := map[string]*service.Access{}
	for _, biz := range []string{"2", "3"} {
		a, err := f.svc.Access(ctx, trusted, service.ProjectRef{ID: biz, Scope: service.ScopeBiz})
		must(t, err)
		access[biz] = a
	}
	create := func(symbol, biz string, start bool, activities ...string) *service.CreatedTask {
		created, err := f.svc.FastCreateTask(ctx, access[biz], service.NewTask{Name: "task " + symbol, Start: start}, chain(activities...))
		must(t, err)
		f.numbers[symbol] = int64(created.Task.ID)
		return created
	}
	waits := create("101", "2", true, "approve:callback_node")
	f.node = nodeNamed(waits.Tree, "approve")
	create("102", "2", true, "A")
	deleted := create("103", "2", false, "A")
	must(t, f.svc.DeleteTask(ctx, access["2"], deleted.Task.ID))
	create("104", "2", false, "A")
	create("105", "2", false, "A")
	foreign := create("201", "3", false, "A:callback_node")
	f.symbols["node_of_task_201"] = nodeNamed(foreign.Tree, "A")
	f.symbols["n_appr2"] = f.symbols["node_of_task_201"]
	f.symbols["n_appr"] = f.node
	f.await(f.numbers["102"], "FINISHED")
	var version string
	for version == "" {
		version = at(f.entry(f.numbers["101"]), "children", f.node).Text("version")
	}
	f.symbols[`"v1"`] = strconv.Quote(version)
}

func (f *fixture) templates(t *testing.T) {
	t.Helper()
	for symbol, project := range map[string]stdops.ProjectID{"11": 1, "21": 2} {
		body, err := chain("A").MarshalJSON()
		must(t, err)
		stored, err := f.store.CreateTemplate(t.Context(), store.Template{Project: project, Name: symbol, Creator: "root", Created: f.store.Now()}, body)
		must(t, err)
		f.numbers[symbol] = int64(stored.ID)
	}
}

// real puts real ids and secrets in the place of symbols.
func (f *fixture) real(text string) string {
	for _, symbol := range slices.Backward(sortedKeys(f.symbols)) { // n_appr2 before n_appr
		text = strings.ReplaceAll(text, symbol, f.symbols[symbol])
	}
	return symbolicID.ReplaceAllStringFunc(text, func(id string) string {
		if real, ok := f.numbers[id]; ok {
			return strconv.FormatInt(real, 10)
		}
		return id
	})
}

var symbolicID = regexp.MustCompile(`\b(10[1-5]|201|11|21)\b`)

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (f *fixture) run(t *testing.T, line badInput) {
	s := *f.server
	s.t = t
	if line.Body == "@@raw(TE.CL)@@" {
		f.smuggle(t, line)
		return
	}
	body := f.body(t, line.Body)
	header, times := f.header(line)
	if line.Name == "auth-flood" { // with a limit that no machine is too slow to exceed
		limits := stdops.DefaultLimits()
		limits.Rate = 5
		s.listen(t, limits)
	}
	if line.Body == "" && line.Method == "GET" {
		body = nil
	}
	answers := make([]answer, times)
	var all sync.WaitGroup
	connections := make(chan struct{}, 50)
	for i := range answers {
		connections <- struct{}{}
		all.Go(func() {
			answers[i] = s.send(line.Method, f.real(line.Endpoint), body, header)
			<-connections
		})
	}
	all.Wait()
	for _, a := range answers {
		f.harmless(t, a)
	}
	switch line.Name {
	case "start-x50-concurrent":
		onlyOne(t, answers)
	case "node-callback-replay":
		checkExpected(t, f, answers[0], "200 T")
		checkExpected(t, f, s.send(line.Method, f.real(line.Endpoint), body, header), "200 F 3599999")
	case "auth-flood":
		f.flooded(t, answers, line)
		if a := s.call(line.Method, line.Endpoint, anyTasks); !a.ok() {
			t.Errorf("another app: %s", a.raw)
		}
	case "create-idempotent-replay":
		checkExpected(t, f, answers[0], "200 T")
		rows := s.tasks()
		again := s.send(line.Method, f.real(line.Endpoint), body, header)
		if withoutTrace(again) != withoutTrace(answers[0]) || s.tasks() != rows {
			t.Errorf("%d tasks became %d; the second answer is %s", rows, s.tasks(), again.raw)
		}
	case "auth-username-crlf":
		checkExpected(t, f, answers[0], line.Expect)
		if log := s.log.String(); strings.Contains(log, "\nlevel=error") {
			t.Errorf("the log has a line that a caller wrote:\n%s", log)
		}
	default:
		if strings.Contains(line.Body, `"shell_script"`) {
			f.checkScript(t, &s, answers[0], line)
			return
		}
		f.check(t, &s, answers[0], line.Expect)
	}
}

// smuggle sends a request with both Transfer-Encoding and Content-Length, which disagree on where it ends. What one of
// them takes for a second request must not be answered.
func (f *fixture) smuggle(t *testing.T, line badInput) {
	t.Helper()
	const second = "GET /get_mini_app_list/2/ HTTP/1.1\r\nHost: a\r\n\r\n"
	header := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: a\r\nX-Bkapi-Authorization: %s\r\n", line.Method, line.Endpoint, f.symbols["@@demo-alice@@"])
	for _, framing := range []string{"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 60\r\n"} {
		connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", f.http.Listener.Addr().String())
		must(t, err)
		_, err = io.WriteString(connection, header+framing+"\r\n0\r\n\r\n"+second)
		must(t, err)
		text, err := io.ReadAll(connection)
		must(t, err)
		must(t, connection.Close())
		if !strings.HasPrefix(string(text), "HTTP/1.1 400 ") || strings.Count(string(text), "HTTP/1.1") != 1 || strings.Contains(string(text), "result") {
			t.Errorf("%q is answered %q", framing, text)
		}
	}
}

// harmless holds for every answer: no defect of ours, and nothing from inside.
func (f *fixture) harmless(t *testing.T, a answer) {
	t.Helper()
	if a.status >= 500 {
		t.Errorf("status %d: %.200s", a.status, a.raw)
	}
	for _, inner := range []string{"goroutine ", "SELECT ", "sqlite", "panic", f.symbols["demo-secret"], f.symbols["tok-alice"]} {
		if strings.Contains(a.raw, inner) {
			t.Errorf("the answer holds %q", inner)
		}
	}
}

// flooded wants some requests served and the others refused as the line says.
func (f *fixture) flooded(t *testing.T, answers []answer, line badInput) {
	t.Helper()
	served := 0
	for _, a := range answers {
		if a.status == http.StatusOK {
			served++
			continue
		}
		checkExpected(t, f, a, line.Expect)
		if a.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
		}
	}
	if served < 5 || served == len(answers) {
		t.Errorf("%d of %d were served", served, len(answers))
	}
}

func onlyOne(t *testing.T, answers []answer) {
	t.Helper()
	ok := 0
	for _, a := range answers {
		if a.ok() {
			ok++
		} else if a.code() != 3545000 {
			t.Errorf("refused with %d: %s", a.code(), a.message())
		}
	}
	if ok != 1 {
		t.Errorf("%d of %d were accepted", ok, len(answers))
	}
}

var (
	expectedHead  = regexp.MustCompile(`^(\d{3})(?:/\d{3})?(?: ([TF]))?(?: (\d{7}))?`)
	expectedText  = regexp.MustCompile(`msg~([^;(]+?)(?: \(|;|$)`)
	expectedField = regexp.MustCompile(`errors\.(\w+)\[0\]=(.+?)$`)
	expectedList  = regexp.MustCompile(`(missing|ids|id|data)=[\[{]?([\d,]*)`)
	failsLater    = regexp.MustCompile(`(?:node|gateway) FAILED|or FAILED`)
)

// check compares an answer with the words of a line; where it says so, the task is started and must fail or finish.
func (f *fixture) check(t *testing.T, s *server, a answer, expect string) {
	t.Helper()
	if strings.HasPrefix(expect, "validation") {
		expect = "200 T"
	}
	later := failsLater.MatchString(expect)
	if !later || !a.ok() {
		checkExpected(t, f, a, expect)
		return
	}
	id, _ := a.data().Get("task_id")
	s.start(id.(int64))
	s.await(id.(int64), "FAILED")
	if from := strings.LastIndex(expect, "msg~"); from >= 0 {
		got := s.call("GET", fmt.Sprintf("/get_task_status/%d/2/?with_ex_data=1", id), nil)
		want := strings.TrimSuffix(expectedText.FindStringSubmatch(expect[from:])[1], " after 100 runs")
		if !strings.Contains(got.raw, want) {
			t.Errorf("the failed node does not say %q: %v", want, at(got.data(), "ex_data"))
		}
	}
}

func checkExpected(t *testing.T, f *fixture, a answer, expect string) {
	t.Helper()
	var heads []string
	for alternative := range strings.SplitSeq(expect, " or ") {
		head := expectedHead.FindStringSubmatch(alternative)
		if head == nil {
			continue
		}
		heads = append(heads, head[0])
		status, _ := strconv.Atoi(head[1])
		if a.status == status && (head[2] == "" || a.ok() == (head[2] == "T")) && (head[3] == "" || head[3] == strconv.FormatInt(a.code(), 10)) ||
			strings.Contains(head[0], "/") && a.ok() {
			checkDetails(t, f, a, expect)
			return
		}
	}
	t.Errorf("status %d, result %v, code %d, message %.300q; want %q", a.status, a.ok(), a.code(), a.message(), heads)
}

func checkDetails(t *testing.T, f *fixture, a answer, expect string) {
	t.Helper()
	if text := expectedText.FindStringSubmatch(expect); text != nil && !a.ok() && !strings.Contains(a.message(), text[1]) {
		t.Errorf("message %.300q does not hold %q", a.message(), text[1])
	}
	if strings.Contains(expect, "Allow: POST") && a.header.Get("Allow") != "POST" {
		t.Errorf("Allow is %q", a.header.Get("Allow"))
	}
	if field := expectedField.FindStringSubmatch(expect); field != nil {
		texts, _ := at(a.body, "errors").Get(field[1])
		if diff := cmp.Diff([]any{field[2]}, texts); diff != "" {
			t.Errorf("errors.%s (-want +got)\n%s", field[1], diff)
		}
	}
	for _, list := range expectedList.FindAllStringSubmatch(expect, -1) {
		checkList(t, f, a, list[1], list[2])
	}
}

// checkList compares the ids of the entries, or those that are missing, whatever their order.
func checkList(t *testing.T, f *fixture, a answer, what, ids string) {
	t.Helper()
	var want, got []string
	for id := range strings.SplitSeq(ids, ",") {
		if id != "" {
			want = append(want, f.real(id))
		}
	}
	key := "data"
	if what == "missing" {
		key = "missing"
	}
	value, _ := a.body.Get(key)
	list, _ := value.([]any)
	for _, item := range list {
		if entry, ok := item.(*stdops.Object); ok {
			item, _ = entry.Get("id")
		}
		got = append(got, fmt.Sprint(item))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

// header gives the headers of a request and how often it is sent at the same time. A line that brings credentials, or
// says that there are none, goes without those of demo and alice.
func (f *fixture) header(line badInput) (http.Header, int) {
	header, times := http.Header{"X-Bkapi-Authorization": {f.symbols["@@demo-alice@@"]}}, 1
	for key, value := range line.Headers {
		switch key {
		case "@@noauth", "X-Bkapi-JWT":
			header.Del("X-Bkapi-Authorization")
		case "@@parallel":
			times, _ = strconv.Atoi(value.(string))
		case "@@burst":
			burst, _, _ := strings.Cut(value.(string), "/")
			times, _ = strconv.Atoi(burst)
		}
	}
	for key, value := range line.Headers {
		if strings.HasPrefix(key, "@@") {
			continue
		}
		var texts []string
		switch v := value.(type) {
		case string:
			texts = []string{f.real(v)}
		case []any:
			for _, item := range v {
				texts = append(texts, f.real(item.(string)))
			}
		}
		header[http.CanonicalHeaderKey(key)] = texts
	}
	return header, times
}

// body expands the macros of a body: innermost text is kept as it is.
func (f *fixture) body(t *testing.T, text string) any {
	t.Helper()
	if tree := treeMacro.FindStringSubmatch(text); tree != nil {
		return stdops.NewObject("name", "large", "pipeline_tree", f.largeTree(t, tree[1]))
	}
	text = strings.ReplaceAll(text, "@@data_dir@@", f.dir)
	text = strings.ReplaceAll(text, "head -c 10G", "head -c 64M") // the same, in less time
	var out bytes.Buffer
	for {
		from := strings.Index(text, "@@")
		if from < 0 {
			out.WriteString(f.real(text))
			return out.Bytes()
		}
		length := strings.Index(text[from+2:], "@@")
		out.WriteString(f.real(text[:from]))
		expandMacro(t, &out, text[from+2:from+2+length])
		text = text[from+length+4:]
	}
}

var treeMacro = regexp.MustCompile(`^@@tree\((.*)\)@@$`)

func expandMacro(t *testing.T, out *bytes.Buffer, macro string) {
	t.Helper()
	name, args, _ := strings.Cut(strings.TrimSuffix(macro, ")"), "(")
	switch name {
	case "repeat":
		times, text, _ := strings.Cut(args, ",")
		n, err := strconv.Atoi(times)
		must(t, err)
		out.WriteString(strings.Repeat(text, n))
	case "hex":
		raw, err := hex.DecodeString(strings.ReplaceAll(args, ",", ""))
		must(t, err)
		out.Write(raw)
	case "gzip_zeros":
		n, err := strconv.Atoi(args)
		must(t, err)
		out.Write(bytes.Repeat(zippedMegabyte(t), n>>20)) // a gzip text may consist of several, one behind the other
	default:
		t.Fatalf("unknown macro %q", macro)
	}
}

func zippedMegabyte(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, err := zip.Write(make([]byte, 1<<20))
	must(t, err)
	must(t, zip.Close())
	return b.Bytes()
}
