package expr

import "strings"

var patternFunctions map[string]builtinCall

var reModule = &namespace{name: "re"}

func init() { // functions of patterns give patterns and matches, which know these functions
	patternFunctions = map[string]builtinCall{
		"match": reFind(matchBegin), "search": reFind(matchAnywhere), "fullmatch": reFind(matchAll),
		"findall": reFindAll, "finditer": reFindIter, "split": reSplit, "sub": reSub(false), "subn": reSub(true),
	}
	reModule.members = functions(patternFunctions)
	reModule.members["compile"] = &bound{reCompile}
	reModule.members["escape"] = &bound{escapePattern}
	for name, flag := range map[string]int64{
		"I": flagIgnoreCase, "IGNORECASE": flagIgnoreCase, "M": flagMultiline, "MULTILINE": flagMultiline, "S": flagDotAll,
		"DOTALL": flagDotAll, "U": flagUnicode, "UNICODE": flagUnicode, "X": flagVerbose, "VERBOSE": flagVerbose,
		"A": flagASCII, "ASCII": flagASCII, "NOFLAG": 0,
	} {
		reModule.members[name] = flag
	}
}

const knownFlags = flagIgnoreCase | flagMultiline | flagDotAll | flagUnicode | flagVerbose | flagASCII

// patternArgument gives the pattern that v is, or that its text means.
func (m *machine) patternArgument(v, flags any) (*pattern, error) {
	set, err := countArgument(flags, 0)
	if err != nil {
		return nil, err
	}
	p, ok := v.(*pattern)
	switch {
	case ok && set != 0:
		return nil, fail("cannot process flags argument with a compiled pattern")
	case ok:
		return p, nil
	case set&^knownFlags != 0 || set&flagUnicode != 0 && set&flagASCII != 0:
		return nil, fail("flags that are not known here")
	}
	source, ok := v.(string)
	if !ok {
		return nil, fail("first argument must be string or compiled pattern")
	}
	return m.compilePattern(source, set)
}

func reCompile(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "pattern", "flags")
	if err != nil {
		return nil, err
	}
	p, err := m.patternArgument(args[0], args[1])
	if err != nil {
		return nil, err
	}
	return p, nil
}

// scan goes through the matches of a text, from left to right.
type scan struct {
	*matcher
	at int
}

// scan reads pattern, text and flags.
func (m *machine) scan(pattern, text, flags any) (*scan, error) {
	p, err := m.patternArgument(pattern, flags)
	if err != nil {
		return nil, err
	}
	s, err := textArgument(text)
	if err != nil {
		return nil, err
	}
	r, err := m.matcher(p, s)
	return &scan{matcher: r}, err
}

// nextMatch gives the next match. After an empty one, the next begins further on or is not empty.
func (s *scan) nextMatch() (*match, error) {
	found, err := s.find(s.at, matchAnywhere)
	if found == nil || err != nil {
		return nil, err
	}
	s.at, s.advance = found[1], found[0] == found[1]
	return &match{of: s.p, source: s.text, at: found}, nil
}

func reFind(kind matchKind) builtinCall {
	return func(m *machine, a arguments) (any, error) {
		args, err := a.take(2, "pattern", "string", "flags")
		if err != nil {
			return nil, err
		}
		s, err := m.scan(args[0], args[1], args[2])
		if err != nil {
			return nil, err
		}
		found, err := s.find(0, kind)
		if found == nil || err != nil {
			return nil, err
		}
		return &match{of: s.p, source: s.text, at: found}, nil
	}
}

// eachMatch calls do for every match.
func (m *machine) eachMatch(a arguments, do func(*match) error) error {
	args, err := a.take(2, "pattern", "string", "flags")
	if err != nil {
		return err
	}
	s, err := m.scan(args[0], args[1], args[2])
	if err != nil {
		return err
	}
	for {
		found, err := s.nextMatch()
		if err != nil || found == nil {
			return err
		}
		if err := m.grow(2 * itemSize); err != nil {
			return err
		}
		if err := do(found); err != nil {
			return err
		}
	}
}

// reFindAll gives the text of each match, or of its group, or those of its groups.
func reFindAll(m *machine, a arguments) (any, error) {
	all := []any{}
	err := m.eachMatch(a, func(found *match) error {
		if len(all) == maxSize/itemSize {
			return &LimitError{limitSize}
		}
		groups := found.groups("")
		switch len(groups) {
		case 0:
			all = append(all, found.part(0))
		case 1:
			all = append(all, groups[0])
		default:
			all = append(all, groups)
		}
		return m.growBy(len(groups), itemSize)
	})
	return all, err
}

func reFindIter(m *machine, a arguments) (any, error) {
	all := &sequence{}
	err := m.eachMatch(a, func(found *match) error {
		if len(all.items) == maxSize/itemSize {
			return &LimitError{limitSize}
		}
		all.items = append(all.items, found)
		return nil
	})
	return all, err
}

func reSplit(m *machine, a arguments) (any, error) {
	args, err := a.take(2, "pattern", "string", "maxsplit", "flags")
	if err != nil {
		return nil, err
	}
	most, err := countArgument(args[2], 0)
	if err != nil {
		return nil, err
	}
	s, err := m.scan(args[0], args[1], args[3])
	if err != nil {
		return nil, err
	}
	parts := []any{}
	last := 0
	for n := int64(0); most == 0 || n < most; n++ {
		found, err := s.nextMatch()
		if err != nil {
			return nil, err
		}
		if found == nil {
			break
		}
		parts = append(append(parts, s.text[last:found.at[0]]), found.groups(nil)...)
		if last = found.at[1]; len(parts) >= maxSize/itemSize {
			return nil, &LimitError{limitSize}
		}
		if err := m.growBy(2+len(s.p.names), itemSize); err != nil {
			return nil, err
		}
	}
	return append(parts, s.text[last:]), nil
}

// reSub is sub, or subn, which gives the number of replacements too.
func reSub(counted bool) builtinCall {
	return func(m *machine, a arguments) (any, error) {
		args, err := a.take(3, "pattern", "repl", "string", "count", "flags")
		if err != nil {
			return nil, err
		}
		most, err := countArgument(args[3], 0)
		if err != nil {
			return nil, err
		}
		s, err := m.scan(args[0], args[2], args[4])
		if err != nil {
			return nil, err
		}
		replacement, err := m.replacement(s.p, args[1])
		if err != nil {
			return nil, err
		}
		text, n, err := m.substitute(s, most, replacement)
		if counted {
			return tuple{text, n}, err
		}
		return text, err
	}
}

// substitute puts the replacement in place of each match, at most so many if most is not 0.
func (m *machine) substitute(s *scan, most int64, replacement func(*match) (string, error)) (text string, n int64, err error) {
	var b strings.Builder
	last := 0
	write := func(part string) error {
		if b.Len()+len(part) > maxSize {
			return &LimitError{limitSize}
		}
		b.WriteString(part)
		return m.grow(len(part))
	}
	for ; most == 0 || n < most; n++ {
		found, err := s.nextMatch()
		if err != nil {
			return "", 0, err
		}
		if found == nil {
			break
		}
		if err := write(s.text[last:found.at[0]]); err != nil {
			return "", 0, err
		}
		part, err := replacement(found)
		if err != nil {
			return "", 0, err
		}
		if err := write(part); err != nil {
			return "", 0, err
		}
		last = found.at[1]
	}
	err = write(s.text[last:])
	return b.String(), n, err
}
