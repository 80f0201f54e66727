// Package client speaks the native API of stdops (/api/v1). Its types are the wire types of that API, declared here once
// for both sides: the server encodes what the client decodes.
//
// Invariant: it can be used outside of this module's repository, so it imports nothing but the standard library.
package client
