package engine

import (
	"crypto/sha256"
	"math/rand/v2"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/expr"
)

// environment gives what an expression sees of the world: the moment at which the attempt of the node began, and chance
// that depends on the attempt and on what is rendered. Both are stored, so that what is rendered again after a crash
// comes out as before.
func (v *scope) environment(label string) expr.Environment {
	env := expr.Environment{Now: v.now, Zone: v.info.Zone}
	own := v.node(v.at)
	if own == nil {
		return env
	}
	if !own.Started.IsZero() {
		env.Now = own.Started
	}
	env.Random = &chance{version: own.Version, label: label}
	return env
}

// chance gives the same numbers for the same attempt and label. Few expressions ask, so that it is made when they do.
type chance struct {
	version stdops.Version
	label   string
	source  *rand.ChaCha8
}

// Uint64 gives the next number.
func (c *chance) Uint64() uint64 {
	if c.source == nil {
		c.source = rand.NewChaCha8(sha256.Sum256([]byte(string(c.version) + " " + c.label)))
	}
	return c.source.Uint64()
}
