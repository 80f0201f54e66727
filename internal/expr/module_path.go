package expr

import "strings"

// pathMembers gives what os.path does with texts alone. What asks the file system is not there.
func pathMembers() map[string]any {
	members := functions(map[string]builtinCall{
		"join": pathJoin, "commonprefix": pathPrefix,
		"basename": ofPath(func(p string) any { _, base := pathSplit(p); return base }),
		"dirname":  ofPath(func(p string) any { dir, _ := pathSplit(p); return dir }),
		"split":    ofPath(func(p string) any { dir, base := pathSplit(p); return tuple{dir, base} }),
		"splitext": ofPath(func(p string) any { root, ext := pathExtension(p); return tuple{root, ext} }),
		"isabs":    ofPath(func(p string) any { return strings.HasPrefix(p, "/") }),
		"normpath": ofPath(func(p string) any { return pathNormal(p) }),
		"normcase": ofPath(func(p string) any { return p }),
	})
	members["sep"], members["extsep"], members["curdir"], members["pardir"] = "/", ".", ".", ".."
	return members
}

// ofPath is a function of one path.
func ofPath(apply func(string) any) builtinCall {
	return func(m *machine, a arguments) (any, error) {
		args, err := a.take(1, "p")
		if err != nil {
			return nil, err
		}
		path, err := textArgument(args[0])
		if err != nil {
			return nil, err
		}
		if err := m.grow(2 * len(path)); err != nil {
			return nil, err
		}
		return apply(path), nil
	}
}

func pathJoin(m *machine, a arguments) (any, error) {
	if len(a.named) > 0 || len(a.positional) == 0 {
		return nil, fail("join() takes paths")
	}
	var b strings.Builder
	ends := false // in a slash
	for i, v := range a.positional {
		part, err := textArgument(v)
		if err != nil {
			return nil, err
		}
		if err := m.grow(len(part) + 1); err != nil {
			return nil, err
		}
		if strings.HasPrefix(part, "/") {
			b.Reset()
		} else if i > 0 && b.Len() > 0 && !ends {
			b.WriteByte('/')
		}
		b.WriteString(part)
		if b.Len() > maxSize {
			return nil, &LimitError{limitSize}
		}
		ends = strings.HasSuffix(b.String(), "/")
	}
	return b.String(), nil
}

func pathSplit(path string) (dir, base string) {
	i := strings.LastIndexByte(path, '/') + 1
	dir, base = path[:i], path[i:]
	if trimmed := strings.TrimRight(dir, "/"); trimmed != "" {
		dir = trimmed
	}
	return dir, base
}

// pathExtension cuts at the last point; points at the begin of a name belong to it.
func pathExtension(path string) (root, ext string) {
	name := strings.LastIndexByte(path, '/') + 1
	point := strings.LastIndexByte(path, '.')
	if point < name || strings.Trim(path[name:point], ".") == "" {
		return path, ""
	}
	return path[:point], path[point:]
}

func pathNormal(path string) string {
	if path == "" {
		return "."
	}
	root := path[:len(path)-len(strings.TrimLeft(path, "/"))]
	if len(root) != 2 { // two slashes are a root of their own, three are one
		root = root[:min(len(root), 1)]
	}
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		switch {
		case part == "" || part == ".":
		case part != ".." || root == "" && len(parts) == 0 || len(parts) > 0 && parts[len(parts)-1] == "..":
			parts = append(parts, part)
		case len(parts) > 0:
			parts = parts[:len(parts)-1]
		}
	}
	normal := root + strings.Join(parts, "/")
	if normal == "" {
		return "."
	}
	return normal
}

// pathPrefix gives what all texts of a list begin with.
func pathPrefix(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "-m")
	if err != nil {
		return nil, err
	}
	items, err := m.items(args[0])
	if err != nil || len(items) == 0 {
		return "", err
	}
	var prefix []rune
	for i, v := range items {
		s, err := textArgument(v)
		if err != nil {
			return nil, err
		}
		if err := m.grow(4 * len(s)); err != nil {
			return nil, err
		}
		runes := []rune(s)
		if i == 0 {
			prefix = runes
		}
		n := 0
		for n < min(len(prefix), len(runes)) && prefix[n] == runes[n] {
			n++
		}
		prefix = prefix[:n]
	}
	return string(prefix), nil
}
