package stdops_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// longestPage bounds the pages that everybody is asked to read, in lines.
var longestPage = map[string]int{"README.md": 150, "CONTRIBUTING.md": 120, "docs/architecture.md": 200}

// pages gives the documents of the repository with their texts.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && file != ".") {
			return fs.SkipDir
		}
		if filepath.Ext(file) == ".md" {
			text, err := os.ReadFile(file)
			found[filepath.ToSlash(file)] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestPageLength keeps the pages short that everybody is asked to read.
func TestPageLength(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for file, longest := range longestPage {
		if lines := strings.Count(all[file], "\n"); lines == 0 || lines > longest {
			t.Errorf("%s has %d lines, it may have 1 to %d", file, lines, longest)
		}
	}
}

var (
	packageRow = regexp.MustCompile("(?m)^\\| (`[^|]*`) \\|[^|]*\\| ?([^|]*?) ?\\|$")
	quoted     = regexp.MustCompile("`([^`]+)`")
)

// TestArchitecturePage holds the table of packages in docs/architecture.md to the import table.
func TestArchitecturePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Packages and what they may import\n")
	section, _, _ = strings.Cut(section, "\n## ")
	told := map[string]string{}
	for _, row := range packageRow.FindAllStringSubmatch(section, -1) {
		for _, name := range quoted.FindAllStringSubmatch(row[1], -1) {
			told[name[1]] = row[2]
		}
	}
	for name, imports := range edges {
		var list []string
		for to := range imports {
			list = append(list, strings.TrimPrefix(to, "internal/"))
		}
		slices.Sort(list)
		row, found := told[name]
		got := strings.Split(row, ", ")
		slices.Sort(got)
		if !found || row != "everything" && strings.Join(got, ", ") != strings.Join(list, ", ") {
			t.Errorf("docs/architecture.md says that %s imports %q, the import table says %q", name, row, strings.Join(list, ", "))
		}
	}
	for name := range told {
		if _, known := edges[name]; !known {
			t.Errorf("docs/architecture.md has a row for %s, which the import table does not have", name)
		}
	}
}

var createdTable = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)

// TestDataModelPage finds tables that docs/data-model.md does not tell about.
func TestDataModelPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/data-model.md")
	if err != nil {
		t.Fatal(err)
	}
	migrations, err := filepath.Glob("internal/store/migrations/*/*.sql")
	if err != nil || len(migrations) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	for _, file := range migrations {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range createdTable.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(string(page), "`"+table[1]+"`") {
				t.Errorf("docs/data-model.md does not tell about the table %s of %s", table[1], file)
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#:\s]+)(?:#[^)]*)?\)`)

// TestLinks follows the links between documents.
func TestLinks(t *testing.T) {
	t.Parallel()
	for file, text := range pages(t) {
		if file == "THIRD_PARTY_NOTICES.md" {
			continue // the words of others
		}
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), found[1])); err != nil {
				t.Errorf("%s has a link to %s: %v", file, found[1], err)
			}
		}
	}
}

var (
	madeTarget = regexp.MustCompile("`(?:[A-Z_]+=\\S+ )*make ([a-z ]+)`")
	ruleTarget = regexp.MustCompile(`(?m)^([a-z]+):`)
)

// TestMadeTargets finds documents that speak of targets which the Makefile does not have.
func TestMadeTargets(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, found := range ruleTarget.FindAllStringSubmatch(string(makefile), -1) {
		targets = append(targets, found[1])
	}
	for file, text := range pages(t) {
		for _, found := range madeTarget.FindAllStringSubmatch(text, -1) {
			for _, target := range strings.Fields(found[1]) {
				if !slices.Contains(targets, target) {
					t.Errorf("%s speaks of make %s, which the Makefile does not have", file, target)
				}
			}
		}
	}
}

var changelogStart = regexp.MustCompile(`\A(Added|Changed|Fixed): \S[^\n]*\.\n(\n[^\n]|\z)`)

// TestChangelog holds the files of changes to the form that changelog/README.md gives.
func TestChangelog(t *testing.T) {
	t.Parallel()
	for file, text := range pages(t) {
		if strings.HasPrefix(file, "changelog/unreleased/") && !changelogStart.MatchString(text) {
			t.Errorf("%s does not begin with one sentence of the form \"Added: ….\", \"Changed: ….\" or \"Fixed: ….\"", file)
		}
	}
}

var citation = regexp.MustCompile(`docs/[a-z/-]+\.md`)

// TestCitations finds comments that cite documents which are not there.
func TestCitations(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".go" {
			return err
		}
		source, err := os.ReadFile(file)
		for _, cited := range citation.FindAllString(string(source), -1) {
			if _, err := os.Stat(cited); err != nil {
				t.Errorf("%s cites %s: %v", file, cited, err)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
