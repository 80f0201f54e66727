package page

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stdops/stdops"
)

// step is one page that the browser visits.
type step struct {
	Path      string `json:"path"`
	Width     int    `json:"width"`
	Refreshes int    `json:"refreshes"` // how often the page has to ask for itself again
}

// seen is what the browser saw of one page.
type seen struct {
	URL        string `json:"url"`
	Title      string `json:"title"`
	Wide       int    `json:"wide"`
	Rows       int    `json:"rows"`
	Text       string `json:"text"`
	Row        string `json:"row"`
	Background string `json:"background"`
	Image      bool   `json:"image"`
	Scripts    int    `json:"scripts"`
}

// chromium finds the browser. Without one the test is not run, other than in CI.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const advice = "no Chromium is installed: apt-get install -y chromium"
	if os.Getenv("CI") == "true" {
		t.Fatal(advice)
	}
	t.Skip(advice)
	return ""
}

// browse serves the pages under a public name, over plain http as in a company's network, and lets the browser visit
// them. The policy against framing is loosened for the probe, nothing else.
func (b *bundle) browse(listener net.Listener, browser string, steps []step, flags ...string) []seen {
	b.t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /probe", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/probe.html") })
	mux.HandleFunc("GET /steps", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"token": b.token, "steps": steps})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		b.handler.ServeHTTP(framed{w}, r)
	})
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: mux}}
	server.Start()
	defer server.Close()

	flags = append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir=" + b.t.TempDir(),
		"--host-resolver-rules=MAP ops.example 127.0.0.1", "--no-proxy-server", "--window-size=1400,1000",
		"--virtual-time-budget=30000", "--dump-dom",
	}, flags...)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	b.must(err)
	command := exec.CommandContext(b.t.Context(), browser, append(flags, "http://ops.example:"+port+"/probe")...)
	dom, err := command.Output()
	if err != nil {
		b.t.Fatalf("run %s: %v", browser, err)
	}
	result := regexp.MustCompile(`<pre id="seen">([A-Za-z0-9+/=]*)</pre>`).FindSubmatch(dom)
	if result == nil {
		b.t.Fatalf("the browser did not get to the end: %s", dom)
	}
	text, err := base64.StdEncoding.DecodeString(string(result[1]))
	b.must(err)
	var all []seen
	if err := json.Unmarshal(text, &all); err != nil {
		b.t.Fatalf("the browser failed: %s", text)
	}
	return all
}

// framed lets pages of the same server show a page in a frame.
type framed struct{ http.ResponseWriter }

func (w framed) WriteHeader(status int) {
	policy := w.Header().Get("Content-Security-Policy")
	w.Header().Set("Content-Security-Policy", strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors 'self'", 1))
	w.ResponseWriter.WriteHeader(status)
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	browser := chromium(t)
	listen := func() net.Listener {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return listener
	}
	listener := listen()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b := setup(t, "http://ops.example:"+port).people()
	a := b.access()
	deploy := b.deploying(a, "Deploy shop 4.12", strings.Repeat("broken/", 200))
	wide := b.deploying(a, strings.Repeat("W", 10_000), strings.Repeat("<", 10_000))
	large := b.create(a, "A thousand nodes", chain(1000, func(i int) string { return fmt.Sprintf("step %d", i) }))
	steps := []step{
		{taskAddress{1, deploy.ID}.with(), 1280, 2},
		{taskAddress{1, deploy.ID}.with("pause", "1"), 375, 0},
		{taskAddress{1, wide.ID}.with("pause", "1"), 375, 0},
		{taskAddress{1, wide.ID}.with("pause", "1"), 800, 0},
		{"/taskflow/home/list/1/?pause=1", 375, 0},
		{taskAddress{1, large.ID}.with("pause", "1"), 1280, 0},
	}
	all := b.browse(listener, browser, steps)
	if len(all) != len(steps)+1 {
		t.Fatalf("%d of %d pages", len(all), len(steps)+1)
	}
	list, task, phone, nodes := all[0], all[1], all[2], all[6]
	if list.URL != "/taskflow/home/list/1/" || list.Rows != 3 || !strings.Contains(list.Text, "Deploy shop 4.12") {
		t.Errorf("after signing in: %+v", list)
	}
	if task.Rows != 13 || task.Row != "table-row" || !strings.Contains(task.Text, "waits for a callback") || task.Title != "Failed · Deploy shop 4.12 · stdops" {
		t.Errorf("task: %+v", task)
	}
	if phone.Rows != 13 || phone.Row != "flex" {
		t.Errorf("task on a phone: %+v", phone)
	}
	if nodes.Rows != 1002 {
		t.Errorf("%d lines of a thousand nodes", nodes.Rows)
	}
	for i, s := range all {
		if i > 0 && s.Wide > steps[i-1].Width {
			t.Errorf("%s, %d wide, needs %d", s.URL, steps[i-1].Width, s.Wide)
		}
		if s.Background != "rgb(246, 247, 249)" || !s.Image || s.Scripts != 0 {
			t.Errorf("%s: background %s, image %v, %d scripts", s.URL, s.Background, s.Image, s.Scripts)
		}
	}
}

func TestBrowserDark(t *testing.T) {
	t.Parallel()
	browser := chromium(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	b := setup(t, "http://ops.example:"+port).people()
	task := b.story(b.create(b.access(), "dark", chain(1, func(int) string { return "step" }))).
		enter("step", stdops.NodeState{State: stdops.StateRunning, Started: at(-1)}).told()
	all := b.browse(listener, browser, []step{{taskAddress{1, task.ID}.with(), 1280, 0}}, "--blink-settings=preferredColorScheme=0")
	for _, s := range all {
		if s.Background != "rgb(15, 19, 24)" || s.Rows == 0 {
			t.Errorf("%s: background %s, %d lines", s.URL, s.Background, s.Rows)
		}
	}
}
