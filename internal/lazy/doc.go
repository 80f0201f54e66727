// Package lazy computes the values of constants whose kind (custom_type) says how (docs/spec/engine.md 6.5): a choice
// of several options becomes one text, a moment the time in some form.
//
// A kind that is not here has the value that stands in the tree. Everything is a function of its arguments: the moment,
// the zone and what the person chose. It imports the vocabulary, and expr for the forms of Python.
package lazy
