package page

import (
	"embed"
	"html/template"
	"io"
)

//go:embed templates
var templateFiles embed.FS

// view is the data of one page; name is the file of its template.
type view interface{ name() string }

// frame is what all pages have around their content.
type frame struct {
	Title   string
	User    string // "" when nobody is signed in
	Project *crumb // nil outside of a project
	Refresh int    // seconds until the page asks for itself again; 0 never
	Forms   bool   // the page has a form that posts
}

// crumb leads to the list of a project.
type crumb struct {
	Name, URL string
}

// views are the parsed templates, by the name of the view.
type views map[string]*template.Template

// parseViews parses the templates. They are part of the program: one that does not parse is found by any test.
func parseViews() views {
	base := template.Must(template.New("frame.html").Funcs(template.FuncMap{
		"asset": assetURL,
	}).ParseFS(templateFiles, "templates/frame.html", "templates/parts.html"))
	all := views{}
	for _, name := range []string{"task", "list", "projects", "login", "link", "logout", "problem"} {
		page := template.Must(base.Clone())
		all[name] = template.Must(page.ParseFS(templateFiles, "templates/"+name+".html"))
	}
	return all
}

func (all views) write(w io.Writer, v view) error {
	return all[v.name()].ExecuteTemplate(w, "frame.html", v)
}

type problemView struct {
	frame
	Text string
}

func (*problemView) name() string { return "problem" }

type loginView struct {
	frame
	Next    string
	Fresh   bool // nobody can have a token yet
	Problem string
}

func (*loginView) name() string { return "login" }

type linkView struct {
	frame
	Action  string
	Next    string
	For     string // whom the link signs in; "" when it makes an administrator
	Problem string
	Spent   bool
}

func (*linkView) name() string { return "link" }

type logoutView struct{ frame }

func (*logoutView) name() string { return "logout" }
