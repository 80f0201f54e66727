package expr

import (
	"strings"
	"unicode"
)

// splitter is split, or rsplit when the cuts are counted from the right.
func splitter(fromRight bool) textMethod {
	return func(m *machine, s string, a arguments) (any, error) {
		args, err := a.take(0, "sep", "maxsplit")
		if err != nil {
			return nil, err
		}
		most, err := countArgument(args[1], -1)
		if err != nil {
			return nil, err
		}
		if most < 0 || most > int64(len(s)) {
			most = int64(len(s)) + 1
		}
		if err := m.read(len(s)); err != nil {
			return nil, err
		}
		if none(args[0]) {
			return m.splitBlanks(s, int(most), fromRight)
		}
		separator, err := textArgument(args[0])
		if err != nil {
			return nil, err
		}
		if separator == "" {
			return nil, fail("empty separator")
		}
		return m.splitAt(s, separator, int(most), fromRight)
	}
}

func (m *machine) splitAt(s, separator string, most int, fromRight bool) (any, error) {
	count := min(strings.Count(s, separator), most)
	parts, err := m.list(count + 1)
	if err != nil {
		return nil, err
	}
	if !fromRight {
		for _, part := range strings.SplitN(s, separator, count+1) {
			parts = append(parts, part)
		}
		return parts, nil
	}
	parts = parts[:count+1]
	for ; count > 0; count-- {
		i := strings.LastIndex(s, separator)
		parts[count], s = s[i+len(separator):], s[:i]
	}
	parts[0] = s
	return parts, nil
}

// splitBlanks cuts at runs of blanks; those at the ends give no empty parts.
func (m *machine) splitBlanks(s string, most int, fromRight bool) (any, error) {
	words := 0
	inWord := false
	for _, r := range s {
		if !isBlank(r) && !inWord {
			words++
		}
		inWord = !isBlank(r)
	}
	count := min(words, most+1)
	parts, err := m.list(count)
	if err != nil {
		return nil, err
	}
	parts = parts[:count]
	trim, rest := strings.TrimLeftFunc, strings.TrimRightFunc
	if fromRight {
		trim, rest = rest, trim
	}
	s = trim(s, isBlank)
	for i := range count {
		part := s
		switch {
		case i == count-1 && words > count:
		case i == count-1:
			part = rest(s, isBlank)
		case fromRight:
			end := strings.LastIndexFunc(s, isBlank)
			end += len(s[end:]) - len(strings.TrimLeftFunc(s[end:], isBlank))
			part, s = s[end:], trim(s[:end], isBlank)
		default:
			end := strings.IndexFunc(s, isBlank)
			part, s = s[:end], trim(s[end:], isBlank)
		}
		if fromRight {
			parts[count-1-i] = part
		} else {
			parts[i] = part
		}
	}
	return parts, nil
}

// lineEnds are the signs that end a line for Python, besides CR LF together.
const lineEnds = "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029"

func splitLines(m *machine, s string, a arguments) (any, error) {
	args, err := a.take(0, "keepends")
	if err != nil {
		return nil, err
	}
	keep := !absent(args[0]) && truth(args[0])
	if err := m.read(len(s)); err != nil {
		return nil, err
	}
	lines := []any{}
	for s != "" {
		end := strings.IndexAny(s, lineEnds)
		if end < 0 {
			end = len(s)
		}
		next := end + len(s[end:]) - len(strings.TrimPrefix(s[end:], "\r\n"))
		if next == end && end < len(s) {
			next = end + byteOffset(s[end:], 1)
		}
		if err := m.growBy(2, itemSize); err != nil {
			return nil, err
		}
		if len(lines) == maxSize/itemSize {
			return nil, &LimitError{limitSize}
		}
		if err := m.spend(1); err != nil {
			return nil, err
		}
		if keep {
			end = next
		}
		lines = append(lines, s[:end])
		s = s[next:]
	}
	return lines, nil
}

func parted(fromRight bool) textMethod {
	return func(m *machine, s string, a arguments) (any, error) {
		args, err := a.take(1, "-sep")
		if err != nil {
			return nil, err
		}
		separator, err := textArgument(args[0])
		if err != nil {
			return nil, err
		}
		if separator == "" {
			return nil, fail("empty separator")
		}
		search, absentParts := strings.Index, tuple{s, "", ""}
		if fromRight {
			search, absentParts = strings.LastIndex, tuple{"", "", s}
		}
		i := search(s, separator)
		if i < 0 {
			return absentParts, m.read(len(s))
		}
		return tuple{s[:i], separator, s[i+len(separator):]}, m.read(len(s))
	}
}

// window gives the part of s between two optional bounds, and how many code points stand before it. ok is false when
// the bounds lie so that not even the empty text is found between them.
func (m *machine) window(s string, start, stop any) (part string, before int, ok bool, err error) {
	if err := m.read(len(s)); err != nil {
		return "", 0, false, err
	}
	if none(start) && none(stop) {
		return s, 0, true, nil
	}
	length := runeCount(s)
	from, to, err := limits(start, stop, length)
	if err != nil {
		return "", 0, false, err
	}
	reversed := false
	if i, ok := v64(stop); ok {
		if i < 0 {
			i += int64(length)
		}
		reversed = i < int64(from)
	}
	if i, ok := v64(start); ok && i > int64(length) {
		reversed = true
	}
	return sliceRunes(s, from, to), from, !reversed, nil
}

// affixed is startswith or endswith. Several texts may be given as a tuple.
func affixed(has func(s, part string) bool) textMethod {
	return func(m *machine, s string, a arguments) (any, error) {
		args, err := a.take(1, "-part", "-start", "-end")
		if err != nil {
			return nil, err
		}
		part, _, ok, err := m.window(s, args[1], args[2])
		if err != nil {
			return nil, err
		}
		affixes, several := args[0].(tuple)
		if !several {
			affixes = tuple{args[0]}
		}
		for _, v := range affixes {
			affix, err := textArgument(v)
			if err != nil {
				return nil, err
			}
			if err := m.spend(1 + len(affix)/bytesPerStep); err != nil {
				return nil, err
			}
			if ok && has(part, affix) {
				return true, nil
			}
		}
		return false, nil
	}
}

// finder is find or rfind, or index or rindex when a text that is not there is a failure.
func finder(search func(s, part string) int, must bool) textMethod {
	return func(m *machine, s string, a arguments) (any, error) {
		args, err := a.take(1, "-sub", "-start", "-end")
		if err != nil {
			return nil, err
		}
		sub, err := textArgument(args[0])
		if err != nil {
			return nil, err
		}
		part, before, ok, err := m.window(s, args[1], args[2])
		if err != nil {
			return nil, err
		}
		if ok {
			if i := search(part, sub); i >= 0 {
				return int64(before + runeCount(part[:i])), nil
			}
		}
		if must {
			return nil, fail("substring not found")
		}
		return int64(-1), nil
	}
}

func countText(m *machine, s string, a arguments) (any, error) {
	args, err := a.take(1, "-sub", "-start", "-end")
	if err != nil {
		return nil, err
	}
	sub, err := textArgument(args[0])
	if err != nil {
		return nil, err
	}
	part, _, ok, err := m.window(s, args[1], args[2])
	if err != nil || !ok {
		return int64(0), err
	}
	return int64(strings.Count(part, sub)), nil
}

// every is a method that asks whether all code points are of a kind, and there is one.
func every(kind func(rune) bool) textMethod {
	return func(m *machine, s string, a arguments) (any, error) {
		if _, err := a.take(0); err != nil {
			return nil, err
		}
		all := strings.IndexFunc(s, func(r rune) bool { return !kind(r) }) < 0
		return s != "" && all, m.read(len(s))
	}
}

// cased is a method that asks whether there is a letter of one case and none of the other.
func cased(want, other func(rune) bool) textMethod {
	return func(m *machine, s string, a arguments) (any, error) {
		if _, err := a.take(0); err != nil {
			return nil, err
		}
		clean := !strings.ContainsFunc(s, func(r rune) bool { return other(r) || unicode.IsTitle(r) })
		return clean && strings.ContainsFunc(s, want), m.read(len(s))
	}
}

func isTitle(m *machine, s string, a arguments) (any, error) {
	if _, err := a.take(0); err != nil {
		return nil, err
	}
	found, inWord := false, false
	for _, r := range s {
		if isCased(r) {
			if unicode.IsLower(r) != inWord {
				return false, nil
			}
			found = true
		}
		inWord = isCased(r)
	}
	return found, m.read(len(s))
}
