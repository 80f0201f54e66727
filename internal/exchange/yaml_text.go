package exchange

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/stdops/stdops"
)

// Bounds of a YAML text. Each of the signs below may begin a value, and a value costs several hundred bytes while it is
// read, so they are counted first.
const (
	longestYAML = 4 << 20 // bytes
	mostSigns   = 200_000
	yamlSigns   = ",:[]{}?\n"
)

// documents reads the documents of a stream. What YAML can do beyond plain data is refused: anchors, aliases, tags, merge
// keys, keys that are no texts, and a key twice.
func documents(text string) ([]*yaml.Node, error) {
	if len(text) > longestYAML {
		return nil, invalid("the YAML has more than %d bytes", longestYAML)
	}
	if !utf8.ValidString(text) {
		return nil, invalid("the YAML is no UTF-8")
	}
	signs := 0
	for i := range len(text) {
		if strings.IndexByte(yamlSigns, text[i]) >= 0 {
			signs++
		}
	}
	if signs > mostSigns {
		return nil, invalid("the YAML has more than %d values and lines", mostSigns)
	}
	loader, err := yaml.NewLoader(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read YAML: %w", err)
	}
	var all []*yaml.Node
	for {
		document := &yaml.Node{}
		err := loader.Load(document)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, syntaxError(err)
		}
		if len(document.Content) != 1 {
			continue
		}
		if err := checkPlain(document.Content[0], 0); err != nil {
			return nil, err
		}
		all = append(all, document.Content[0])
	}
}

// syntaxError says what is no YAML, and where.
func syntaxError(err error) error {
	var wrong *yaml.LoadError
	if !errors.As(err, &wrong) {
		return invalid("no YAML: %.200s", err)
	}
	mark := wrong.Mark
	if mark.Line == 0 {
		mark = wrong.ContextMark
	}
	return invalid("line %d, column %d: %.200s", max(mark.Line, 1), max(mark.Column, 1), wrong.Message)
}

// wrongAt says what is wrong with a value, and where.
func wrongAt(n *yaml.Node, format string, args ...any) error {
	return invalid("line %d, column %d: %s", n.Line, n.Column, fmt.Sprintf(format, args...))
}

func checkPlain(n *yaml.Node, depth int) error {
	switch {
	case depth > stdops.MaxDepth:
		return wrongAt(n, "nesting deeper than %d", stdops.MaxDepth)
	case n.Kind == yaml.AliasNode:
		return wrongAt(n, "aliases are not allowed")
	case n.Anchor != "":
		return wrongAt(n, "anchors are not allowed")
	case n.Style&yaml.TaggedStyle != 0:
		return wrongAt(n, "tags are not allowed")
	case n.Kind == yaml.MappingNode:
		if err := checkKeys(n); err != nil {
			return err
		}
	case n.Kind == yaml.ScalarNode:
		_, err := scalar(n)
		return err
	}
	for _, inner := range n.Content {
		if err := checkPlain(inner, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func checkKeys(n *yaml.Node) error {
	seen := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode:
			return wrongAt(key, "a key must be a text")
		case key.Value == "<<" && plainStyle(key):
			return wrongAt(key, "merge keys are not allowed")
		case seen[key.Value] != nil:
			return wrongAt(key, "the key %q is there already, in line %d", stdops.Short(key.Value), seen[key.Value].Line)
		}
		seen[key.Value] = key
	}
	return nil
}

func plainStyle(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
}

var (
	yamlWords = map[string]any{
		"": nil, "~": nil, "null": nil, "Null": nil, "NULL": nil,
		"true": true, "True": true, "TRUE": true, "false": false, "False": false, "FALSE": false,
	}
	yamlWhole   = regexp.MustCompile(`^[-+]?[0-9]+$`)
	yamlBased   = regexp.MustCompile(`^0(o[0-7]+|x[0-9a-fA-F]+)$`)
	yamlFloat   = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	yamlNoFloat = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
)

const longestNumber = 4300 // digits, as in JSON

// scalar gives the value of a scalar by the core schema of YAML 1.2.
func scalar(n *yaml.Node) (any, error) {
	text := n.Value
	if !plainStyle(n) {
		return text, nil
	}
	if word, known := yamlWords[text]; known {
		return word, nil
	}
	if len(text) > longestNumber {
		return text, nil
	}
	switch {
	case yamlWhole.MatchString(text):
		return whole(text, 10), nil
	case yamlBased.MatchString(text):
		return whole(text[2:], map[byte]int{'o': 8, 'x': 16}[text[1]]), nil
	case yamlFloat.MatchString(text):
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, wrongAt(n, "number beyond what can be kept")
		}
		return f, nil
	case yamlNoFloat.MatchString(text):
		return nil, wrongAt(n, "%s is no number that can be kept", text)
	default:
		return text, nil
	}
}

func whole(digits string, base int) any {
	number, _ := new(big.Int).SetString(digits, base)
	if number.IsInt64() {
		return number.Int64()
	}
	return number
}

// value gives what a node holds as one of our values. The node was checked.
func value(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		o := &stdops.Object{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			o.Set(n.Content[i].Value, value(n.Content[i+1]))
		}
		return o
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = value(item)
		}
		return list
	default:
		v, _ := scalar(n)
		return v
	}
}

// field gives the value under a key of a mapping, nil when there is none; null counts as none.
func field(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			found := n.Content[i+1]
			if v, _ := scalar(found); found.Kind == yaml.ScalarNode && v == nil {
				return nil
			}
			return found
		}
	}
	return nil
}

// need is [field] for a key that must be there with a value of that kind.
func need(n *yaml.Node, key string, kind yaml.Kind) (*yaml.Node, error) {
	found := field(n, key)
	if found == nil {
		return nil, wrongAt(n, "%s is required", key)
	}
	return found, ofKind(found, key, kind)
}

// may is [field] for a key that has a value of that kind when it is there.
func may(n *yaml.Node, key string, kind yaml.Kind) (*yaml.Node, error) {
	found := field(n, key)
	if found == nil {
		return nil, nil
	}
	return found, ofKind(found, key, kind)
}

func ofKind(n *yaml.Node, key string, kind yaml.Kind) error {
	if n.Kind == kind {
		return nil
	}
	return wrongAt(n, "%s must be %s", stdops.Short(key), map[yaml.Kind]string{
		yaml.MappingNode: "an object", yaml.SequenceNode: "a list", yaml.ScalarNode: "a text",
	}[kind])
}

// textAt gives the text under a key, "" when there is none.
func textAt(n *yaml.Node, key string) string {
	found := field(n, key)
	if found == nil || found.Kind != yaml.ScalarNode {
		return ""
	}
	return found.Value
}

// pairs gives the keys and values of a mapping, which may be nil.
func pairs(n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n == nil {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}
