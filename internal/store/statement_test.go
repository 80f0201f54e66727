package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// SQLite numbers named parameters by where they first appear, PostgreSQL by their name. A statement means the same to
// both as long as $1, $2, … first appear in that order.
func TestStatements_name_parameters_in_order(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "postgres") {
			continue
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			text := sqlText(e)
			if got := parameters(text); len(got) > 0 {
				seen++
				if !inTurn(got) {
					t.Errorf("%s: parameters first appear as %v", set.Position(n.Pos()), got)
				}
				return false
			}
			return true
		})
	}
	if seen < 40 {
		t.Errorf("only %d statements found", seen)
	}
}

// sqlText joins the string literals of a concatenation; what stands between them has no parameters, or, as an argument
// of a call, brings them along.
func sqlText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, _ := strconv.Unquote(e.Value)
			return text
		}
	case *ast.BinaryExpr:
		return sqlText(e.X) + sqlText(e.Y)
	case *ast.CallExpr:
		if name, ok := e.Fun.(*ast.Ident); ok && name.Name == "anyOf" {
			return sqlText(e.Args[0])
		}
	}
	return ""
}

var parameter = regexp.MustCompile(`\$\d+`)

// parameters lists the parameters of a statement in the order of their first appearance.
func parameters(text string) []string {
	var names []string
	for _, name := range parameter.FindAllString(text, -1) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func inTurn(names []string) bool {
	for i, name := range names {
		if name != "$"+strconv.Itoa(i+1) {
			return false
		}
	}
	return true
}
