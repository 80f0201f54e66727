// Package watch tells callers of tasks that have changed: who watches which tasks, what each of them has been told, and what
// is new since. However many watch a task, a change of it is read once, together with all others of the last moment, and
// encoded once.
//
// Invariant: every watcher ends up with the newest revision of each task that it watches and is never given an older one
// than before, whatever is lost between the store and here: what is heard of changes are hints, what counts are revisions
// that were read. A watcher that reads slowly holds nobody up and costs no more memory: it has a mark for each of its
// tasks, not a queue. The package knows neither HTTP nor SQL, and imports the vocabulary only.
package watch
