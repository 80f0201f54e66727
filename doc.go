// Package stdops is the vocabulary of the system: tasks, node states, status values, ids and the domain error.
//
// Everything here is a value. The package does no I/O and imports no other package of this module, so that every
// room of the building can speak the same words. The picture of how the rooms fit together is docs/architecture.md.
package stdops
