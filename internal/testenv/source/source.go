// Package source reads what Go files say, for tests that hold documents and tables to the tests they name.
package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Package is what the files of a folder say: which test functions there are, and every text, where the names of their parts are.
type Package struct{ Tests, Texts map[string]bool }

// Read reads the files of a folder whose names end so: ".go" for all, "_test.go" for tests. Functions are tests only there.
func Read(folder, suffix string) (Package, error) {
	p := Package{make(map[string]bool), make(map[string]bool)}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return p, err
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), suffix) {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return p, err
		}
		p.add(file, strings.HasSuffix(path, "_test.go"))
	}
	return p, nil
}

func (p Package) add(file *ast.File, tests bool) {
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			if tests && node.Recv == nil && strings.HasPrefix(node.Name.Name, "Test") {
				p.Tests[node.Name.Name] = true
			}
		case *ast.BasicLit:
			if text, err := strconv.Unquote(node.Value); err == nil && node.Kind == token.STRING {
				p.Texts[text] = true
			}
		}
		return true
	})
}
