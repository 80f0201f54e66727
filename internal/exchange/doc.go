// Package exchange reads and writes the files in which stored flows travel between installations (docs/spec/api.md 4.14):
// the bundle of bk-sops (.dat) and its YAML.
//
//	ReadBundle, ReadYAML → Set → Place → bodies to be stored        stored flows → WriteBundle, WriteYAML
//
// Invariant: the flows of a [Set] stand each after those that it refers to, and no reference leads out of the set but to
// flows that are stored here. References are found in the trees; what a file says about them elsewhere counts for nothing.
//
// The package is pure (no clock, no I/O, no random numbers: new ids are computed) and imports the vocabulary of the root
// package and flow, never store, service or anything of the API.
package exchange
