package expr

import (
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stdops/stdops"
)

// Flags of regular expressions, by their numbers in Python.
const (
	flagIgnoreCase = 2
	flagMultiline  = 8
	flagDotAll     = 16
	flagUnicode    = 32
	flagVerbose    = 64
	flagASCII      = 256
)

const (
	maxPattern = 10_000  // instructions of a pattern
	maxThreads = 256_000 // places that all threads of a match can keep
)

// pattern is a compiled regular expression. It is matched in linear time, so that back references and looks around are
// refused (docs/spec/engine.md 6.4.2).
type pattern struct {
	source string
	flags  int64
	prog   *syntax.Prog
	names  []string // of the groups; "" for one without a name
	prefix string   // that every match begins with
}

// compilePattern gives the pattern of a text; the same one is compiled once.
func (m *machine) compilePattern(source string, flags int64) (*pattern, error) {
	key := patternKey{source, flags}
	if p := m.patterns[key]; p != nil {
		return p, m.spend(1)
	}
	if len(source) > maxSource {
		return nil, &LimitError{limitSize}
	}
	if err := m.spend(10 + len(source)); err != nil {
		return nil, err
	}
	t := &patternReader{m: m, source: source, flags: flags | flagUnicode}
	size, err := t.read()
	if err != nil {
		return nil, err
	}
	const bytesPerInstruction = 100
	if err := m.grow(size*bytesPerInstruction + t.out.Len()); err != nil {
		return nil, err
	}
	p := &pattern{source: source, flags: t.flags, names: t.names}
	if p.prog, err = compileProgram(t.out.String(), t.flags); err != nil {
		return nil, &LimitError{limitSize} // what was read is well formed, so that it is too large
	}
	if len(p.prog.Inst) > maxPattern || len(p.prog.Inst)*p.places() > maxThreads {
		return nil, &LimitError{limitSize}
	}
	p.prefix, _ = p.prog.Prefix()
	if m.patterns == nil {
		m.patterns = map[patternKey]*pattern{}
	}
	m.patterns[key] = p
	return p, nil
}

type patternKey struct {
	source string
	flags  int64
}

func compileProgram(text string, flags int64) (*syntax.Prog, error) {
	mode := syntax.Perl &^ syntax.OneLine
	if flags&flagIgnoreCase != 0 {
		mode |= syntax.FoldCase
	}
	tree, err := syntax.Parse(text, mode)
	if err != nil {
		return nil, err
	}
	return syntax.Compile(tree.Simplify())
}

// places gives how many offsets a match has: two for each group and for all of it.
func (p *pattern) places() int { return 2 * (len(p.names) + 1) }

func (p *pattern) kind() string { return "re.Pattern" }

var flagNames = []struct {
	flag int64
	name string
}{
	{flagIgnoreCase, "re.IGNORECASE"},
	{flagMultiline, "re.MULTILINE"},
	{flagDotAll, "re.DOTALL"},
	{flagVerbose, "re.VERBOSE"},
	{flagASCII, "re.ASCII"},
}

func (p *pattern) text(bool) (string, bool) {
	const shown = 200
	var set []string
	for _, f := range flagNames {
		if p.flags&f.flag != 0 {
			set = append(set, f.name)
		}
	}
	text := "re.compile(" + cutTo(string(appendQuoted(nil, cutTo(p.source, shown))), shown)
	if set != nil {
		text += ", " + strings.Join(set, "|")
	}
	return text + ")", true
}

func (p *pattern) member(name string) any {
	switch name {
	case "pattern":
		return p.source
	case "flags":
		if p.flags&flagASCII != 0 {
			return p.flags &^ flagUnicode
		}
		return p.flags
	case "groups":
		return int64(len(p.names))
	case "groupindex":
		index := &stdops.Object{}
		for i, name := range p.names {
			if name != "" {
				index.Set(name, int64(i+1))
			}
		}
		return index
	}
	call := patternFunctions[name]
	if call == nil {
		return missing{}
	}
	return &bound{func(m *machine, a arguments) (any, error) {
		a.positional = append([]any{p}, a.positional...)
		return call(m, a)
	}}
}

// group gives the number of a group by its number or name.
func (p *pattern) group(v any) (int, error) {
	if name, ok := v.(string); ok {
		for i, other := range p.names {
			if other == name && name != "" {
				return i + 1, nil
			}
		}
	}
	if n, ok := v64(v); ok && n >= 0 && n <= int64(len(p.names)) {
		return int(n), nil
	}
	return 0, fail("no such group")
}

// flagsHere gives what holds at a place of a text, of the things that a pattern can ask for without reading on. The end
// of a line is meant where the pattern has lines, otherwise the end of the text or the line end before it.
func (p *pattern) flagsHere(text string, at int) (here syntax.EmptyOp) {
	before, _ := utf8.DecodeLastRuneInString(text[:at])
	after, _ := utf8.DecodeRuneInString(text[at:])
	if at == 0 {
		here |= syntax.EmptyBeginText | syntax.EmptyBeginLine
	} else if before == '\n' {
		here |= syntax.EmptyBeginLine
	}
	if at == len(text) {
		here |= syntax.EmptyEndText | syntax.EmptyEndLine
	} else if after == '\n' && (p.flags&flagMultiline != 0 || at == len(text)-1) {
		here |= syntax.EmptyEndLine
	}
	if (at > 0 && p.isWord(before)) != (at < len(text) && p.isWord(after)) {
		return here | syntax.EmptyWordBoundary
	}
	if text == "" {
		return here // \B does not match there for Python up to 3.13
	}
	return here | syntax.EmptyNoWordBoundary
}

func (p *pattern) isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return syntax.IsWordChar(r)
	}
	return p.flags&flagASCII == 0 && (unicode.IsLetter(r) || unicode.IsNumber(r))
}

// escapePattern is re.escape.
func escapePattern(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "pattern")
	if err != nil {
		return nil, err
	}
	s, err := textArgument(args[0])
	if err != nil {
		return nil, err
	}
	if err := m.grow(2 * len(s)); err != nil {
		return nil, err
	}
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String(), nil
}

// appendCode writes a code point as part of a pattern of Go.
func appendCode(b *strings.Builder, r rune) {
	b.WriteString(`\x{`)
	b.WriteString(strconv.FormatInt(int64(r), 16))
	b.WriteByte('}')
}
