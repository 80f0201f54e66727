// Package store keeps everything that must survive: tasks, their nodes, templates, projects and identities.
//
// All SQL of the system is here, as literal statements beside the methods that run them. What one dialect does in its
// own way (connections, the batch commit, lists of ids) is in dialect.go, sqlite*.go and postgres*.go; every other
// statement is written for SQLite and PostgreSQL alike: parameters are $1, $2, … in the order in which they first appear.
//
// On SQLite one process has the store for itself and one transaction writes at a time. On PostgreSQL many processes have
// it open. Administrative writes take one lock there, so that what they read stays as it is (write in transaction.go); the
// few that are made all the time (commits, new tasks, logs) say how they are right without it.
//
// Invariants. A task changes only through [Store.Commit] and the few methods that say so, each of which raises its
// revision in the same transaction, so that (task, revision) names exactly one content. Whatever a method has returned
// without error is on disk. A read shows one moment: no answer mixes two revisions of a task. No method finds a task by
// its number alone, a project goes with it.
//
// The package knows no wire format and takes no decision about a task. It must not import flow, engine or anything
// above them.
package store
