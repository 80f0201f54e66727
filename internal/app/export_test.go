package app

import "github.com/stdops/stdops/internal/store"

// WithStore lets change decide on what disk and with which settings the store of a server is opened.
func WithStore(o Options, change func(*store.Options)) Options {
	o.store = change
	return o
}
