package expr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stdops/stdops"
)

// match is what a pattern has found.
type match struct {
	of     *pattern
	source string
	at     []int // offsets of begin and end, of all and of each group; -1 for one that has no part in it
}

func (f *match) kind() string { return "re.Match" }

// text shows the match, the first signs of it.
func (f *match) text(bool) (string, bool) {
	const shown = 50
	quoted := cutTo(string(appendQuoted(nil, cutTo(f.source[f.at[0]:f.at[1]], shown))), shown)
	return fmt.Sprintf("<re.Match object; span=(%d, %d), match=%s>", f.place(0), f.place(1), quoted), true
}

func (f *match) member(name string) any {
	switch name {
	case "string":
		return f.source
	case "re":
		return f.of
	default:
		return method(matchMethods, f, name)
	}
}

// part gives the text of a group, None when it has no part in the match.
func (f *match) part(group int) any {
	if f.at[2*group] < 0 || f.at[2*group+1] < 0 {
		return nil
	}
	return f.source[f.at[2*group]:f.at[2*group+1]]
}

// groups gives the texts of the groups.
func (f *match) groups(otherwise any) tuple {
	groups := make(tuple, len(f.of.names))
	for i := range groups {
		if groups[i] = f.part(i + 1); groups[i] == nil {
			groups[i] = otherwise
		}
	}
	return groups
}

// place gives an offset in code points.
func (f *match) place(i int) int64 {
	if f.at[i] < 0 {
		return -1
	}
	return int64(runeCount(f.source[:f.at[i]]))
}

var matchMethods = map[string]func(*machine, *match, arguments) (any, error){
	"group": matchGroup,
	"groups": func(m *machine, f *match, a arguments) (any, error) {
		otherwise, err := m.matchDefault(f, a)
		return f.groups(otherwise), err
	},
	"groupdict": func(m *machine, f *match, a arguments) (any, error) {
		otherwise, err := m.matchDefault(f, a)
		groups, dict := f.groups(otherwise), &stdops.Object{}
		for i, name := range f.of.names {
			if name != "" {
				dict.Set(name, groups[i])
			}
		}
		return dict, err
	},
	"start": matchPlace(func(f *match, g int) any { return f.place(2 * g) }),
	"end":   matchPlace(func(f *match, g int) any { return f.place(2*g + 1) }),
	"span":  matchPlace(func(f *match, g int) any { return tuple{f.place(2 * g), f.place(2*g + 1)} }),
	"expand": func(m *machine, f *match, a arguments) (any, error) {
		args, err := a.take(1, "template")
		if err != nil {
			return nil, err
		}
		template, err := textArgument(args[0])
		if err != nil {
			return nil, err
		}
		replacement, err := m.template(f.of, template)
		if err != nil {
			return nil, err
		}
		return replacement(f)
	},
}

func (m *machine) matchDefault(f *match, a arguments) (any, error) {
	args, err := a.take(0, "default")
	if err != nil {
		return nil, err
	}
	if absent(args[0]) {
		args[0] = nil
	}
	return args[0], m.payObject(len(f.of.names))
}

func matchGroup(m *machine, f *match, a arguments) (any, error) {
	if len(a.named) > 0 {
		return nil, fail("group() takes no keyword arguments")
	}
	if len(a.positional) == 0 {
		return f.part(0), nil
	}
	parts, err := m.list(len(a.positional))
	if err != nil {
		return nil, err
	}
	for _, v := range a.positional {
		group, err := f.of.group(v)
		if err != nil {
			return nil, err
		}
		parts = append(parts, f.part(group))
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return tuple(parts), nil
}

func matchPlace(place func(*match, int) any) func(*machine, *match, arguments) (any, error) {
	return func(m *machine, f *match, a arguments) (any, error) {
		args, err := a.take(0, "-group")
		if err != nil {
			return nil, err
		}
		group := 0
		if !absent(args[0]) {
			if group, err = f.of.group(args[0]); err != nil {
				return nil, err
			}
		}
		return place(f, group), m.read(2 * len(f.source))
	}
}

// replacement gives what stands in place of a match: what a function makes of it, or a template.
func (m *machine) replacement(p *pattern, v any) (func(*match) (string, error), error) {
	template, ok := v.(string)
	if ok {
		return m.template(p, template)
	}
	return func(f *match) (string, error) {
		made, err := m.call(v, arguments{positional: []any{f}})
		if err != nil {
			return "", err
		}
		return textArgument(made)
	}, nil
}

// templatePart is a text, or the group whose text stands there.
type templatePart struct {
	text  string
	group int // -1 for a text
}

// template reads the replacement of sub: \1, \g<name> and the escapes of control characters mean something in it.
func (m *machine) template(p *pattern, s string) (func(*match) (string, error), error) {
	var parts []templatePart
	if err := m.grow(len(s)); err != nil {
		return nil, err
	}
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			break
		}
		if err := m.grow(3 * itemSize); err != nil {
			return nil, err
		}
		part, used, err := p.templateEscape(s[i+1:])
		if err != nil {
			return nil, err
		}
		parts = append(parts, templatePart{s[:i], -1}, part)
		s = s[i+1+used:]
	}
	parts = append(parts, templatePart{s, -1})
	return func(f *match) (string, error) { return m.expand(parts, f) }, nil
}

func (m *machine) expand(parts []templatePart, f *match) (string, error) {
	if len(parts) == 1 {
		return parts[0].text, nil
	}
	if err := m.spend(len(parts)); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, part := range parts {
		text := part.text
		if part.group >= 0 {
			text, _ = f.part(part.group).(string)
		}
		if b.Len()+len(text) > maxSize {
			return "", &LimitError{limitSize}
		}
		b.WriteString(text)
	}
	return b.String(), m.grow(b.Len())
}

// templateEscape reads what stands behind a backslash.
func (p *pattern) templateEscape(s string) (part templatePart, used int, err error) {
	part.group = -1
	octal := octalDigits(s)
	switch {
	case s == "":
		return part, 0, errPattern
	case s[0] == 'g':
		name, _, ok := strings.Cut(strings.TrimPrefix(s[1:], "<"), ">")
		if !ok || !strings.HasPrefix(s[1:], "<") {
			return part, 0, errPattern
		}
		part.group, err = p.group(groupName(name))
		return part, len("g<>") + len(name), err
	case s[0] == '0' || octal == 3:
		n := octal
		code, err := strconv.ParseUint(s[:n], 8, 32)
		if err != nil || code > 0xff {
			return part, 0, errPattern
		}
		part.text = string(rune(code))
		return part, n, nil
	case isDigit(s[0]):
		n := 1
		if len(s) > 1 && isDigit(s[1]) {
			n = 2
		}
		number, _ := strconv.ParseInt(s[:n], 10, 64)
		part.group, err = p.group(number)
		return part, n, err
	}
	if r, ok := codeEscapes[s[0]]; ok {
		part.text = string(r)
		return part, 1, nil
	}
	switch c := s[0] | 0x20; {
	case s[0] == 'b':
		part.text = "\b"
	case s[0] == '\\':
		part.text = `\`
	case 'a' <= c && c <= 'z':
		return part, 0, errPattern
	default: // the backslash stays
		part.text = `\`
		return part, 0, nil
	}
	return part, 1, nil
}

// groupName gives a name, or the number that it is.
func groupName(name string) any {
	if n, err := strconv.ParseInt(name, 10, 64); err == nil && strings.Trim(name, "0123456789") == "" {
		return n
	}
	return name
}
