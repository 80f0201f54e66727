package expr

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
)

var digests = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

func hashMembers() map[string]any {
	members := map[string]any{"new": &bound{func(m *machine, a arguments) (any, error) {
		if len(a.positional) == 0 {
			return nil, fail("new() needs a name")
		}
		name, _ := a.positional[0].(string)
		if digests[name] == nil {
			return nil, fail("unsupported hash type")
		}
		a.positional = a.positional[1:]
		return hasher(name)(m, a)
	}}}
	for name := range digests {
		members[name] = &bound{hasher(name)}
	}
	return members
}

// digest is a hash object that has been given its bytes.
type digest struct {
	name  string
	size  int
	block int
	sum   octets
}

func hasher(name string) builtinCall {
	return func(m *machine, a arguments) (any, error) {
		args, err := a.take(0, "string", "usedforsecurity")
		if err != nil {
			return nil, err
		}
		data, ok := args[0].(octets)
		if !ok && !absent(args[0]) {
			return nil, fail("Strings must be encoded before hashing")
		}
		if err := m.spend(1 + len(data)/itemSize/4); err != nil {
			return nil, err
		}
		h := digests[name]()
		h.Write([]byte(data))
		return &digest{name, h.Size(), h.BlockSize(), octets(h.Sum(nil))}, m.grow(len(data))
	}
}

func (d *digest) kind() string { return "_hashlib.HASH" }

func (d *digest) text(bool) (string, bool) { return "", false }

func (d *digest) member(name string) any {
	switch name {
	case "name":
		return d.name
	case "digest_size":
		return int64(d.size)
	case "block_size":
		return int64(d.block)
	case "digest":
		return &bound{func(_ *machine, a arguments) (any, error) {
			_, err := a.take(0)
			return d.sum, err
		}}
	case "hexdigest":
		return &bound{func(_ *machine, a arguments) (any, error) {
			_, err := a.take(0)
			return hex.EncodeToString([]byte(d.sum)), err
		}}
	default:
		return missing{}
	}
}
