// Package status projects what is stored of a task into what callers see: a tree of typed values with derived states,
// names and elapsed times.
//
// It is a pure function of skeleton, states and a moment: no clock, no SQL, no JSON keys. A value that it returns shares
// nothing with its arguments. The rules are those of docs/spec/api.md 1.9, 1.10 and 1.14. The package imports the
// vocabulary only.
package status
