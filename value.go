package stdops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"unicode/utf8"
)

// A value of a variable, an input or an output is one of
//
//	nil  bool  int64  *big.Int  float64  string  []any  *Object
//
// int64 for whole numbers written without fraction and exponent, *big.Int for those beyond 64 bits. The two kinds of
// number stay apart because texts made of them differ (1 and 1.0), as in the Python of bk-sops.

// Object is a JSON object that keeps the order of its keys. The zero value is empty and ready for use.
//
// Most objects of a flow have a handful of keys, and a tree has tens of thousands of such objects: so the index is made
// only where it is faster than to look at each key.
type Object struct {
	keys   []string
	values []any          // in the order of the keys
	index  map[string]int // where each key stands; nil for a small object
}

// fewKeys is how many keys an object may have without an index.
const fewKeys = 16

// NewObject makes an object of key, value, key, value and so on.
func NewObject(pairs ...any) *Object {
	o := &Object{keys: make([]string, 0, len(pairs)/2), values: make([]any, 0, len(pairs)/2)}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// Len gives the number of keys; a nil object has none.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.keys)
}

// Keys gives the keys in order. The caller must not change the slice.
func (o *Object) Keys() []string {
	if o == nil {
		return nil
	}
	return o.keys
}

// Get gives the value of key; ok is false when there is none.
func (o *Object) Get(key string) (value any, ok bool) {
	if o == nil {
		return nil, false
	}
	i := o.find(key)
	if i < 0 {
		return nil, false
	}
	return o.values[i], true
}

// Text gives the value of key when it is a string, else "".
func (o *Object) Text(key string) string {
	v, _ := o.Get(key)
	s, _ := v.(string)
	return s
}

// Set gives key a value; a new key goes to the end.
func (o *Object) Set(key string, value any) {
	if i := o.find(key); i >= 0 {
		o.values[i] = value
		return
	}
	o.keys, o.values = append(o.keys, key), append(o.values, value)
	switch {
	case o.index != nil:
		o.index[key] = len(o.keys) - 1
	case len(o.keys) > fewKeys:
		o.reindex()
	}
}

// Delete removes key. A slice that Keys gave before is left as it is.
func (o *Object) Delete(key string) {
	i := o.find(key)
	if i < 0 {
		return
	}
	o.keys, o.values = slices.Delete(slices.Clone(o.keys), i, i+1), slices.Delete(o.values, i, i+1)
	o.reindex()
}

// Clone gives a copy whose keys can be changed; nested values are shared, so they must not be changed in place.
func (o *Object) Clone() *Object {
	if o.Len() == 0 {
		return &Object{}
	}
	c := &Object{keys: slices.Clone(o.keys), values: slices.Clone(o.values)}
	c.reindex()
	return c
}

// find gives the place of a key, -1 when there is none.
func (o *Object) find(key string) int {
	if o.index == nil {
		return slices.Index(o.keys, key)
	}
	if i, ok := o.index[key]; ok {
		return i
	}
	return -1
}

func (o *Object) reindex() {
	o.index = nil
	if len(o.keys) <= fewKeys {
		return
	}
	o.index = make(map[string]int, len(o.keys))
	for i, key := range o.keys {
		o.index[key] = i
	}
}

// MarshalJSON writes the object with its keys in order.
func (o *Object) MarshalJSON() ([]byte, error) { return AppendJSON(nil, o) }

// UnmarshalJSON reads the object and keeps the order of its keys.
func (o *Object) UnmarshalJSON(data []byte) error {
	v, err := DecodeValue(data)
	if err != nil {
		return err
	}
	obj, ok := v.(*Object)
	if !ok {
		return errors.New("not a JSON object")
	}
	*o = *obj
	return nil
}

// Truth reads a value as Python does in a condition: null, false, zero and everything empty is false.
func Truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case *big.Int:
		return v.Sign() != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case *Object:
		return v.Len() > 0
	default:
		return true
	}
}

// EncodeValue writes a value as JSON text.
func EncodeValue(v any) ([]byte, error) { return AppendJSON(nil, v) }

// ValueText gives a text as it is and any other value as JSON text, "" for one that has none.
func ValueText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	text, err := EncodeValue(v)
	if err != nil {
		return ""
	}
	return string(text)
}

// AppendJSON appends the JSON text of a value. Values that are none of ours go through encoding/json.
func AppendJSON(b []byte, v any) ([]byte, error) {
	return appendJSON(slices.Grow(b, roughSize(v)), v)
}

// roughSize gives about how many bytes the JSON text of a value has, so that the text need not move while it grows: that
// would take several times its size.
func roughSize(v any) int {
	switch v := v.(type) {
	case string:
		return len(v) + 2
	case []any:
		size := 2
		for _, item := range v {
			size += 1 + roughSize(item)
		}
		return size
	case *Object:
		size := 2
		for i, key := range v.Keys() {
			size += len(key) + 4 + roughSize(v.values[i])
		}
		return size
	case int64:
		return 6 // most are small
	default:
		return 5
	}
}

func appendJSON(b []byte, v any) ([]byte, error) {
	var err error
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case *big.Int:
		return v.Append(b, 10), nil
	case float64:
		return appendFloat(b, v)
	case string:
		return AppendQuoted(b, v), nil
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendJSON(b, item); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case *Object:
		if v == nil {
			return append(b, "null"...), nil
		}
		b = append(b, '{')
		for i, k := range v.keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(AppendQuoted(b, k), ':')
			if b, err = appendJSON(b, v.values[i]); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	default:
		text, err := json.Marshal(v)
		return append(b, text...), err
	}
}

// appendFloat keeps a whole float recognisable as one (1.0), so that it is read back as a float.
func appendFloat(b []byte, f float64) ([]byte, error) {
	text, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("number %v has no JSON form", f)
	}
	b = append(b, text...)
	if !bytes.ContainsAny(text, ".eE") {
		b = append(b, ".0"...)
	}
	return b, nil
}

const hexDigits = "0123456789abcdef"

// AppendQuoted appends s as a JSON string. The signs < > & are escaped, so that an answer can stand in a page, and
// bytes that are no UTF-8 become U+FFFD.
func AppendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0x7f {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029' {
			b = append(b, s[start:i]...)
			b = append(b, '\\', 'u', hexDigits[r>>12], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
			start = i + size
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
