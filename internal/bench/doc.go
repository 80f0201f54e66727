// Package bench measures a real server against the least that could do the same work: a bare handler that writes as many
// bytes, the bare SQL statements with their rows scanned, a writer that stores the same rows without an engine. Both sides
// run in turns in one process, so that what counts are ratios and not the speed of a machine (docs/performance.md).
//
// Its invariant: what is measured is the server as it is shipped, access log included, at its own doors, which are its
// address and its store; and the engine made of the parts that the server makes it of, on a store that notes what it is
// given. The workload is the same in every run, and both sides are checked to do the same. Nothing but the command
// imports this package, and it must not import what lies behind those doors: api, status.
package bench
