package main

import (
	"bytes"
	"fmt"
	"strings"
)

const preface = `# Third-party notices

stdops itself comes under the MIT licence (LICENSE). Its program contains the following works of others; below the table
stand their licence files word for word. The file is generated: change nothing here by hand, run ` + "`make notices`" + `.

Works under MPL-2.0 are part of it as their authors published them: the source of each is at https:// and its name in the
table, in the version beside it.

SQLite, compiled into github.com/ncruces/go-sqlite3-wasm, is in the public domain.

| work | version | licence | copyright |
|---|---|---|---|
`

// notices gives the text of the notices: a table of all linked modules, then their licence files, equal ones once.
func notices(modules []*module) []byte {
	var b bytes.Buffer
	b.WriteString(preface)
	owners := map[string][]string{}
	var texts []string
	for _, m := range modules {
		if !m.linked {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", m.Path, m.Version, strings.Join(m.licences, ", "), cell(m.copyright))
		for i, text := range m.texts {
			text = tidy(text)
			if owners[text] == nil {
				texts = append(texts, text)
			}
			owners[text] = append(owners[text], m.Path+" ("+m.files[i]+")")
		}
	}
	for _, text := range texts {
		fmt.Fprintf(&b, "\n## %s\n\n````\n%s\n````\n", strings.Join(owners[text], ", "), text)
	}
	return b.Bytes()
}

func cell(lines []string) string {
	return strings.ReplaceAll(strings.Join(lines, "<br>"), "|", "\\|")
}

// tidy takes carriage returns and blanks at line ends away, and empty lines around the text.
func tidy(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r\f")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
