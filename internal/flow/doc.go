// Package flow knows pipeline trees: it reads them as callers send them, unfolds references to stored flows, checks
// them, leaves nodes out, and compiles them to the graph that the engine runs.
//
//	Parse → Clean → Expand → Select → Validate → Compile → Body, Skeleton, Echo
//
// Invariant: a tree that Validate accepts compiles, and everything that Compile returns is immutable, so that one graph
// and one skeleton serve all tasks of the same tree. Past Compile nobody handles the tree.
//
// The package is pure (no clock, no I/O, no random numbers) and imports the vocabulary of the root package only: never
// engine, store, expr or anything of the wire.
package flow
