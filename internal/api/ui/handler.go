package ui

import (
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/stdops/stdops/internal/api"
)

// UI serves the app.
type UI struct {
	files   map[string]*file
	page    *file
	screens *http.ServeMux
	browser *api.Browser
}

// screens are the addresses at which the app has a screen; each counts with and without a slash at its end.
var screens = []string{
	"/", "/taskflow/home/list/{project}", "/taskflow/execute/{project}", "/board/{project}", "/start/{project}",
	"/login", "/login/{link}", "/logout",
}

// page is the file that is served at all of them.
const page = "index.html"

// New makes the handler of an app that was built into files, on a server that is reached under publicURL.
func New(files fs.FS, publicURL string) (*UI, error) {
	all, err := readFiles(files)
	if err != nil {
		return nil, err
	}
	u := &UI{files: all, screens: http.NewServeMux(), browser: api.NewBrowser(publicURL)}
	if u.page, err = newPage(all[page], publicURL); err != nil {
		return nil, err
	}
	delete(all, page)
	for _, path := range screens {
		u.screens.HandleFunc(strings.TrimSuffix(path, "/")+"/{$}", u.screen)
		if path != "/" {
			u.screens.HandleFunc(path, u.screen)
		}
	}
	u.screens.HandleFunc("/", u.nothing)
	return u, nil
}

// baseTag is where the page says below which address the app is reached. All its other addresses are relative to that.
var baseTag = regexp.MustCompile(`<base href="[^"]*" ?/?>`)

func newPage(built *file, publicURL string) (*file, error) {
	if built == nil {
		return nil, fmt.Errorf("the app has no %s", page)
	}
	u, err := url.Parse(publicURL)
	if err != nil {
		return nil, fmt.Errorf("public URL: %w", err)
	}
	if n := len(baseTag.FindAll(built.plain, 2)); n != 1 {
		return nil, fmt.Errorf("%s of the app has not one <base>", page)
	}
	base := `<base href="` + html.EscapeString(strings.TrimRight(u.EscapedPath(), "/")) + `/" />`
	made, err := newFile(page, baseTag.ReplaceAllLiteral(built.plain, []byte(base)))
	if err != nil {
		return nil, err
	}
	made.cache = keepNothing // it names the files of one version, and stands at addresses that hold sign-in links
	return made, nil
}

// Addresses gives the patterns of all addresses that the handler is to be mounted at.
func (u *UI) Addresses() []string {
	list := []string{"/{$}", "/taskflow/", "/board/", "/start/", "/login", "/login/", "/logout", "/logout/"}
	for name := range u.files {
		if folder, _, inside := strings.Cut(name, "/"); inside {
			name = folder + "/"
		}
		list = append(list, "/"+name)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// contentPolicy forbids all that the app does not need.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"font-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

// ServeHTTP answers one request.
func (u *UI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "This address can only be read.")
		return
	case !u.knows(r):
		refuse(w, http.StatusMisdirectedRequest,
			"This server is not reached under the name of this request. Use its own address, or start it with --public-url.")
		return
	}
	if f := u.files[strings.TrimPrefix(r.URL.Path, "/")]; f != nil {
		f.send(w, r, http.StatusOK)
		return
	}
	if path := r.URL.Path; strings.Contains(path, "//") || strings.Contains(path, "/.") {
		u.nothing(w, r) // the table of screens would lead on to a cleaned address
		return
	}
	u.screens.ServeHTTP(w, r)
}

// knows reports whether a request names a host of this server: pages that somebody else lets point here get nothing.
func (u *UI) knows(r *http.Request) bool {
	var refusal *api.Refusal
	err := u.browser.CheckOrigin(r)
	return !errors.As(err, &refusal) || refusal.Status != http.StatusMisdirectedRequest
}

// screen serves the page where the app has a screen.
func (u *UI) screen(w http.ResponseWriter, r *http.Request) {
	if project := r.PathValue("project"); project != "" && strings.Trim(project, "0123456789") != "" {
		u.nothing(w, r)
		return
	}
	u.page.send(w, r, http.StatusOK)
}

// nothing says that there is nothing at an address: to people by the page of the app, which says so in its own words.
func (u *UI) nothing(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept")
	if AsPage(r) && !strings.HasPrefix(r.URL.Path, "/"+assets) {
		u.page.send(w, r, http.StatusNotFound)
		return
	}
	refuse(w, http.StatusNotFound, "There is nothing at this address.")
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Cache-Control", keepNothing)
	w.Header().Set("Content-Type", contentTypes[".txt"])
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// AsPage reports whether a browser asks for something to show to somebody, not a program or a page for what it needs.
func AsPage(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	for _, line := range r.Header.Values("Accept") {
		for kind := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(kind, ";")
			if strings.EqualFold(strings.TrimSpace(name), "text/html") {
				return true
			}
		}
	}
	return false
}
