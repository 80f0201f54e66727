// Package page serves the status page: the list of tasks and, for each task, its table of nodes, rendered on the server
// and signed in to with a browser.
//
// Invariants: a page carries no script and loads nothing but its own style sheet and icon, and its Content-Security-Policy
// says so; every text of a task goes through html/template; what a page shows was read through a [service.Access]. The
// addresses are those that answers of the API give as `url`, and stay when the page is replaced.
// The package imports api, service, status and the vocabulary; it knows neither engine nor store.
package page
