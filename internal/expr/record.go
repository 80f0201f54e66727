package expr

import "strings"

// record is a tuple whose items have names too: struct_time, and what isocalendar() gives.
type record struct {
	name   string // as Python writes it
	fields []string
	items  tuple
	hidden map[string]any // attributes that are no items
}

func (r *record) kind() string { return r.name }

func (r *record) member(name string) any {
	for i, field := range r.fields {
		if field == name {
			return r.items[i]
		}
	}
	if value, ok := r.hidden[name]; ok {
		return value
	}
	return missing{}
}

// text writes the items, which are small numbers, with their names.
func (r *record) text(bool) (string, bool) {
	var b strings.Builder
	b.WriteString(r.name)
	for i, field := range r.fields {
		b.WriteString([]string{"(", ", "}[min(i, 1)])
		b.WriteString(field)
		b.WriteByte('=')
		b.WriteString(Text(r.items[i]))
	}
	b.WriteByte(')')
	return b.String(), true
}

// plain gives the tuple that a record is; other values are given back.
func plain(v any) any {
	if r, ok := v.(*record); ok {
		return r.items
	}
	return v
}
