// Package api holds what all HTTP families of the server share: the envelope and its one table of codes, the reading of
// bodies and credentials, the rules for browsers, the outermost handler with ids, access log and recovery, and the listener
// that refuses what no handler can see.
//
// Invariant: every answer is an envelope with the five keys result, data, code, message and trace_id, whatever went
// wrong; inner texts of defects, SQL and secrets never reach an answer or a log line (docs/spec/api.md 2 and 3).
// The package imports service and the vocabulary; it knows neither engine nor store.
package api
