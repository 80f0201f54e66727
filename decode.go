package stdops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep JSON texts may nest.
const MaxDepth = 512

// JSONError says what is wrong with a JSON text and where.
type JSONError struct {
	Offset int64
	What   string
}

// Error gives what is wrong and the byte offset.
func (e *JSONError) Error() string { return fmt.Sprintf("%s at byte %d", e.What, e.Offset) }

// DecodeValue reads one JSON text strictly: no duplicate keys, no invalid UTF-8, nothing after the value, nesting of at
// most [MaxDepth]. Its error is a [*JSONError].
func DecodeValue(data []byte) (any, error) { return Decoding{}.Decode(bytes.NewBuffer(data)) }

// DecodeExact is [DecodeValue] with every number kept as written, as a [json.Number].
func DecodeExact(data []byte) (any, error) {
	return Decoding{Exact: true}.Decode(bytes.NewBuffer(data))
}

// Decoding says how JSON text is read.
type Decoding struct {
	Exact  bool // keep every number as written, as a [json.Number]
	Values int  // at most so many values and keys; 0 means any number
	Repeat bool // of equal keys of an object the last one counts; else they are refused
}

// shortText is what decoders are used again for: what they keep of a larger one would not be small.
const shortText = 64 << 10

var decoders = sync.Pool{New: func() any { return new(jsontext.Decoder) }}

// Decode reads one JSON text as [DecodeValue] does, while it comes: it holds what it has made of the text, never the text.
// Its error is a [*JSONError], or what from failed with.
func (o Decoding) Decode(from io.Reader) (any, error) {
	source := &source{Reader: from}
	d := decoder{number: number, left: o.Values, most: o.Values}
	if o.Exact {
		d.number = func(raw string) (any, error) { return json.Number(raw), nil }
	}
	if text, ok := from.(*bytes.Buffer); ok { // that the library reads in place
		d.whole = true
		d.dec = new(jsontext.Decoder)
		if text.Len() <= shortText {
			d.dec = decoders.Get().(*jsontext.Decoder)
			defer decoders.Put(d.dec)
			defer d.dec.Reset(&bytes.Buffer{}) // it holds the text
		}
		d.dec.Reset(text, jsontext.AllowDuplicateNames(o.Repeat))
	} else {
		d.dec = jsontext.NewDecoder(source, jsontext.AllowDuplicateNames(o.Repeat))
	}
	v, err := d.value()
	if err == nil {
		err = d.end(source)
	}
	switch {
	case source.err != nil:
		return nil, source.err
	case err != nil:
		return nil, d.explain(err)
	}
	return v, nil
}

// source remembers how a reader failed, to tell that from what is wrong with a text.
type source struct {
	io.Reader
	err error
}

// Read reads on.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

type decoder struct {
	dec        *jsontext.Decoder
	number     func(string) (any, error)
	left, most int  // values that may come; most is 0 for any number
	whole      bool // nothing comes behind what the decoder holds
}

// end makes sure that nothing but space follows the value.
func (d *decoder) end(from io.Reader) error {
	offset, rest := d.dec.InputOffset(), d.dec.UnreadBuffer()
	for {
		if text := bytes.TrimLeft(rest, " \t\r\n"); len(text) > 0 {
			return &JSONError{Offset: offset + int64(len(rest)-len(text)), What: "text after the value"}
		}
		if d.whole {
			return nil
		}
		offset += int64(len(rest))
		rest = make([]byte, 512)
		n, err := from.Read(rest)
		rest = rest[:n]
		if n == 0 && err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

var errTooDeep = fmt.Errorf("nesting deeper than %d", MaxDepth)

// count takes note of one more value or key.
func (d *decoder) count() error {
	if d.left--; d.left < 0 && d.most > 0 {
		return fmt.Errorf("more than %d values", d.most)
	}
	return nil
}

func (d *decoder) value() (any, error) {
	if err := d.count(); err != nil {
		return nil, err
	}
	token, err := d.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	if d.dec.StackDepth() > MaxDepth {
		return nil, errTooDeep
	}
	switch token.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return token.String(), nil
	case '0':
		return d.number(token.String())
	case '[':
		list := []any{}
		for d.dec.PeekKind() != ']' {
			item, err := d.value()
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err := d.dec.ReadToken()
		return list, err
	default:
		object := &Object{}
		for d.dec.PeekKind() != '}' {
			key, err := d.dec.ReadToken()
			if err != nil {
				return nil, err
			}
			name := key.String()
			if err := d.count(); err != nil {
				return nil, err
			}
			item, err := d.value()
			if err != nil {
				return nil, err
			}
			object.Set(name, item)
		}
		_, err := d.dec.ReadToken()
		return object, err
	}
}

func (d *decoder) explain(err error) error {
	offset, what := d.dec.InputOffset(), err.Error()
	var known *JSONError
	var syntax *jsontext.SyntacticError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &syntax):
		offset, what = syntax.ByteOffset, syntax.Err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		what = "unexpected end"
	}
	return &JSONError{Offset: offset, What: what}
}

// longestNumber is how many digits a whole number may have, as many as Python reads.
const longestNumber = 4300

var errNumber = errors.New("number beyond what can be kept")

// number reads the text of a JSON number into int64, *big.Int or float64.
func number(raw string) (any, error) {
	if i, err := strconv.ParseInt(raw, 10, 64); err == nil {
		return i, nil
	}
	if len(raw) > longestNumber {
		return nil, errNumber
	}
	if whole, ok := new(big.Int).SetString(raw, 10); ok {
		return whole, nil
	}
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return nil, errNumber
	}
	return f, nil
}
