// Package engine runs tasks. A task that has work is driven by one driver, which turns one crank:
//
//	decide(state, events, now) → delta
//
// decide is pure: it reads the state of the task, its graph and the events (operator commands, results of calls, due
// times) and returns what is to be stored, which calls are to begin and what each command is answered. Deltas of all
// tasks go to one group-commit writer; only after the commit are they applied to memory, calls started and callers
// answered. So nothing is ever shown, and nothing happens outside, that a crash could take back.
//
// States of a node (transition.go is the whole truth):
//
//	          ┌───────── re-entry ─────────┐
//	          ▼                            │
//	(none) → RUNNING ───────────────→ FINISHED
//	  │        │  ▲                        ▲
//	  │        ▼  │                        │ skip
//	  │     FAILED ─┼──── retry ─→ READY   │
//	  │        └────┼──────────────────────┘
//	  └→ SUSPENDED ─┴→ READY → RUNNING
//
// A FAILED node whose child task goes on is RUNNING again, as the same attempt (tell.go).
//
// The package knows trees only as compiled graphs, storage only as the interfaces that it declares, and nothing of HTTP.
package engine
