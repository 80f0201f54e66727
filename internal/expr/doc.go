// Package expr renders ${…} templates and evaluates the conditions of gateways.
//
// A fragment is an expression of a closed subset of Python; its result is the text that Python would print. What is
// unknown, forbidden or fails stays in the text as it was written. Parser and evaluator are our own: values are the
// closed set of package stdops and a few that never leave a fragment; functions, methods and modules come from fixed
// tables, nothing is reached by reflection. Moment, zone and chance are given as an [Environment].
//
// Names are bound while the parser reads (scope.go): those that a comprehension or lambda defines live in frames, all
// others are references. Regular expressions are matched in linear time (matcher.go).
//
// Everything here is pure and bounded. A fragment has budgets of source, nesting, steps, time and size; one that is
// used up is a [*LimitError], the only error that a rendering has. Depth is counted before a parser goes deeper and size
// before memory is taken, so that no text can end the process.
//
// A condition is parsed before values are put in, so that data never changes its shape.
//
// The package imports the vocabulary and the standard library only.
package expr
