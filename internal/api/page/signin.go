package page

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/stdops/stdops"
)

// loginForm asks for a token; who is signed in already goes on at once.
func (p *pages) loginForm(w http.ResponseWriter, r *http.Request) {
	next := localPath(r.URL.Query().Get("next"))
	if _, err := p.caller(r); err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	p.render(w, r, http.StatusOK, newLogin(next, !p.service.HasAdmin(), ""))
}

func newLogin(next string, fresh bool, problem string) *loginView {
	return &loginView{frame: frame{Title: "Sign in", Forms: true}, Next: next, Fresh: fresh, Problem: problem}
}

// loginWithToken opens a session for the user of a token.
func (p *pages) loginWithToken(w http.ResponseWriter, r *http.Request) {
	if !p.readForm(w, r) {
		return
	}
	next := localPath(r.PostForm.Get("next"))
	session, _, err := p.service.SignInWithToken(r.Context(), strings.TrimSpace(r.PostForm.Get("token")))
	switch {
	case stdops.ErrorCode(err) == stdops.CodeUnauthenticated:
		p.render(w, r, http.StatusUnauthorized, newLogin(next, !p.service.HasAdmin(), "This token is unknown or has expired."))
	case err != nil:
		p.fail(w, r, err)
	default:
		http.SetCookie(w, p.cookie.With(session))
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
}

// linkForm shows what a sign-in link is for, with a button that uses it. Opening the page does not: programs that fetch
// links ahead of their reader would spend it.
func (p *pages) linkForm(w http.ResponseWriter, r *http.Request) {
	p.showLink(w, r, http.StatusOK, "")
}

func (p *pages) showLink(w http.ResponseWriter, r *http.Request, status int, problem string) {
	user, err := p.service.LoginLinkUser(r.Context(), r.PathValue("link"))
	if stdops.ErrorCode(err) == stdops.CodeUnauthenticated {
		p.render(w, r, http.StatusGone, &linkView{frame: frame{Title: "Sign in"}, Spent: true})
		return
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.render(w, r, status, &linkView{
		frame: frame{Title: "Sign in", Forms: true}, For: user, Problem: problem,
		Action: (&url.URL{Path: "/login/" + r.PathValue("link")}).String(), Next: localPath(r.URL.Query().Get("next")),
	})
}

// loginWithLink uses a sign-in link.
func (p *pages) loginWithLink(w http.ResponseWriter, r *http.Request) {
	if !p.readForm(w, r) {
		return
	}
	link := r.PathValue("link")
	name, err := p.service.LoginLinkUser(r.Context(), link)
	if err == nil && name == "" {
		name = strings.TrimSpace(r.PostForm.Get("name"))
	}
	var session string
	if err == nil {
		session, _, err = p.service.SignIn(r.Context(), link, name)
	}
	switch stdops.ErrorCode(err) {
	case stdops.CodeInvalid:
		p.showLink(w, r, http.StatusBadRequest, err.Error())
		return
	case stdops.CodeUnauthenticated:
		p.showLink(w, r, http.StatusGone, "")
		return
	default:
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	http.SetCookie(w, p.cookie.With(session))
	http.Redirect(w, r, localPath(r.PostForm.Get("next")), http.StatusSeeOther)
}

func (p *pages) logoutForm(w http.ResponseWriter, r *http.Request) {
	caller, err := p.caller(r)
	if err != nil {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	p.render(w, r, http.StatusOK, &logoutView{frame: frame{Title: "Sign out", Forms: true, User: caller.User}})
}

// logout ends the session on the server, not only in the browser.
func (p *pages) logout(w http.ResponseWriter, r *http.Request) {
	if session := p.cookie.Of(r); session != "" {
		if err := p.service.SignOut(r.Context(), session); err != nil {
			p.fail(w, r, err)
			return
		}
	}
	http.SetCookie(w, p.cookie.Dropped())
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// readForm reads the fields of a posted form and answers itself when it cannot.
func (p *pages) readForm(w http.ResponseWriter, r *http.Request) bool {
	if err := r.ParseForm(); err != nil {
		p.failWith(w, r, http.StatusBadRequest, "The form could not be read.")
		return false
	}
	return true
}
