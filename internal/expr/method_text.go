package expr

import (
	"strings"
	"unicode"
)

type textMethod = func(m *machine, s string, a arguments) (any, error)

var textMethods = map[string]textMethod{
	"upper": changed(strings.ToUpper), "lower": changed(strings.ToLower), "casefold": changed(strings.ToLower),
	"title": changed(title), "capitalize": changed(capitalize), "swapcase": changed(swapCase),

	"strip": stripped(true, true), "lstrip": stripped(true, false), "rstrip": stripped(false, true),
	"removeprefix": without(strings.TrimPrefix), "removesuffix": without(strings.TrimSuffix),
	"replace": replace, "join": joinTexts, "zfill": zeroFill,
	"ljust": padded(0, 1), "rjust": padded(1, 0), "center": padded(1, 1),

	"split": splitter(false), "rsplit": splitter(true), "splitlines": splitLines,
	"partition": parted(false), "rpartition": parted(true),

	"startswith": affixed(strings.HasPrefix), "endswith": affixed(strings.HasSuffix),
	"find": finder(strings.Index, false), "rfind": finder(strings.LastIndex, false),
	"index": finder(strings.Index, true), "rindex": finder(strings.LastIndex, true),
	"count": countText, "encode": encodeText,

	"isdigit": every(unicode.IsDigit), "isdecimal": every(unicode.IsDigit), "isnumeric": every(unicode.IsNumber),
	"isalpha": every(unicode.IsLetter), "isspace": every(isBlank),
	"isalnum": every(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }),
	"isupper": cased(unicode.IsUpper, unicode.IsLower), "islower": cased(unicode.IsLower, unicode.IsUpper),
	"istitle": isTitle,
}

// changed is a method without arguments that gives a text about as long.
func changed(change func(string) string) textMethod {
	return func(m *machine, s string, a arguments) (any, error) {
		if _, err := a.take(0); err != nil {
			return nil, err
		}
		if err := m.grow(len(s)); err != nil {
			return nil, err
		}
		result := change(s)
		return result, m.grow(max(len(result)-len(s), 0))
	}
}

// title begins every word with a capital; whatever has no case ends a word.
func title(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		first := !inWord
		inWord = isCased(r)
		if first {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, s)
}

func isCased(r rune) bool { return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) }

func capitalize(s string) string {
	first := true
	return strings.Map(func(r rune) rune {
		if first {
			first = false
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, s)
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// stripped cuts blanks, or the signs that were given, off the ends.
func stripped(left, right bool) textMethod {
	return func(m *machine, s string, a arguments) (any, error) {
		args, err := a.take(0, "-chars")
		if err != nil {
			return nil, err
		}
		if err := m.read(len(s)); err != nil {
			return nil, err
		}
		cuts := isBlank
		if !none(args[0]) {
			signs, err := textArgument(args[0])
			if err != nil {
				return nil, err
			}
			set := make(map[rune]bool)
			for _, r := range signs {
				set[r] = true
			}
			if err := m.read(len(signs) * itemSize); err != nil {
				return nil, err
			}
			cuts = func(r rune) bool { return set[r] }
		}
		if left {
			s = strings.TrimLeftFunc(s, cuts)
		}
		if right {
			s = strings.TrimRightFunc(s, cuts)
		}
		return s, nil
	}
}

func without(trim func(s, part string) string) textMethod {
	return func(m *machine, s string, a arguments) (any, error) {
		args, err := a.take(1, "-part")
		if err != nil {
			return nil, err
		}
		part, err := textArgument(args[0])
		if err != nil {
			return nil, err
		}
		return trim(s, part), m.read(len(part))
	}
}

func replace(m *machine, s string, a arguments) (any, error) {
	args, err := a.take(2, "-old", "-new", "count")
	if err != nil {
		return nil, err
	}
	before, err := textArgument(args[0])
	if err != nil {
		return nil, err
	}
	after, err := textArgument(args[1])
	if err != nil {
		return nil, err
	}
	most, err := countArgument(args[2], -1)
	if err != nil {
		return nil, err
	}
	if err := m.read(len(s)); err != nil {
		return nil, err
	}
	count := strings.Count(s, before)
	if most >= 0 {
		count = int(min(most, int64(count)))
	}
	if added := len(after) - len(before); added > 0 && count > (maxSize-min(len(s), maxSize))/added {
		return nil, &LimitError{limitSize}
	}
	if err := m.grow(len(s) + count*(len(after)-len(before))); err != nil {
		return nil, err
	}
	return strings.Replace(s, before, after, count), m.spend(count / itemSize)
}

// joinTexts is s.join(parts).
func joinTexts(m *machine, s string, a arguments) (any, error) {
	args, err := a.take(1, "-parts")
	if err != nil {
		return nil, err
	}
	items, err := m.items(args[0])
	if err != nil {
		return nil, err
	}
	size, parts := 0, make([]string, len(items))
	for i, item := range items {
		part, ok := item.(string)
		if !ok {
			return nil, fail("sequence item %d: expected str instance, %s found", i, typeName(item))
		}
		if i > 0 {
			size += len(s)
		}
		if size += len(part); size > maxSize {
			return nil, &LimitError{limitSize}
		}
		parts[i] = part
	}
	if err := m.grow(size); err != nil {
		return nil, err
	}
	return strings.Join(parts, s), nil
}

func zeroFill(m *machine, s string, a arguments) (any, error) {
	args, err := a.take(1, "-width")
	if err != nil {
		return nil, err
	}
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign = s[:1]
	}
	zeros, err := m.fill(s, args[0], "0")
	return sign + zeros + s[len(sign):], err
}

// fill gives what s lacks to a width, made of one sign.
func (m *machine) fill(s string, width any, sign string) (string, error) {
	want, err := countArgument(width, 0)
	if err != nil {
		return "", err
	}
	lacking := want - int64(runeCount(s))
	if lacking <= 0 {
		return "", m.read(len(s))
	}
	if lacking > maxSize {
		return "", &LimitError{limitSize}
	}
	if err := m.grow(len(s) + int(lacking)*len(sign)); err != nil {
		return "", err
	}
	return strings.Repeat(sign, int(lacking)), nil
}

// padded fills on the left and on the right, by shares.
func padded(left, right int) textMethod {
	return func(m *machine, s string, a arguments) (any, error) {
		args, err := a.take(1, "-width", "-fillchar")
		if err != nil {
			return nil, err
		}
		sign := " "
		if !absent(args[1]) {
			if sign, err = textArgument(args[1]); err != nil || runeCount(sign) != 1 {
				return nil, fail("the fill character must be exactly one character long")
			}
		}
		filling, err := m.fill(s, args[0], sign)
		if err != nil {
			return nil, err
		}
		lacking := len(filling) / len(sign)
		before := lacking * left / (left + right)
		if left == right && lacking%2 == 1 { // Python puts the odd one in front when the width is odd
			width, _ := v64(args[0])
			before += int(width & 1)
		}
		return filling[:before*len(sign)] + s + filling[before*len(sign):], nil
	}
}
