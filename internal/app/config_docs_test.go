package app_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/seckill-dev/seckill/internal/app"
)

var update = flag.Bool("update", false, "write what is generated from the configuration: make docs")

const (
	exampleFile  = "../../seckill.example.yaml"
	settingsFile = "../../docs/settings.md"
	readmeFile   = "../../README.md"
)

// TestDocs holds what people read about settings to the structs that hold them. `make docs` writes it anew.
func TestDocs(t *testing.T) {
	t.Parallel()
	t.Run("the example file is what the structs say", func(t *testing.T) {
		t.Parallel()
		golden(t, exampleFile, exampleText(allSettings(t)))
	})
	t.Run("the example file says the defaults", func(t *testing.T) {
		t.Parallel()
		config, err := app.Load(app.LoadOptions{File: exampleFile})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(app.Defaults(), config); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("the table of settings is what the structs say", func(t *testing.T) {
		t.Parallel()
		golden(t, settingsFile, tableText(t, allSettings(t)))
	})
	t.Run("every environment variable of the table is one", func(t *testing.T) {
		t.Parallel()
		for _, s := range leaves(allSettings(t)) {
			_, err := app.Load(app.LoadOptions{Env: []string{s.variable() + "=?"}})
			if err != nil && strings.Contains(err.Error(), "is not a setting") {
				t.Error(err)
			}
		}
	})
}

func golden(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, string(content)); diff != "" {
		t.Errorf("%s is not what internal/app/config*.go says; run make docs\n%s", filepath.Base(file), diff)
	}
}

func leaves(settings []setting) (found []setting) {
	for _, s := range settings {
		if len(s.below) == 0 {
			found = append(found, s)
		}
		found = append(found, leaves(s.below)...)
	}
	return found
}

const exampleHead = `# Every setting of seckill, with its default. Copy to seckill.yaml, keep what you change, and start with
# ` + "`seckill up --config seckill.yaml`" + `. An unknown key or a wrong value stops the start with one sentence that names it.
#
# Each setting is also an environment variable: SECKILL_ and the key in capitals, two underscores between levels, so
# SECKILL_LIMITS__PER_USER_PER_SECOND=5 or SECKILL_OPERATORS__0__KEY_FILE=/run/secrets/ada. A list from the environment
# replaces the file's. Flags override the environment, the environment overrides this file.
#
# Written by ` + "`make docs`" + ` from internal/app/config*.go.
`

func exampleText(settings []setting) string {
	var text strings.Builder
	text.WriteString(exampleHead)
	for _, s := range settings {
		text.WriteString("\n")
		writeExample(&text, s, "")
	}
	return text.String()
}

func writeExample(text *strings.Builder, s setting, indent string) {
	for _, line := range append(append([]string{}, s.prose...), s.sample...) {
		fmt.Fprintf(text, "%s# %s\n", indent, line)
	}
	if !s.section {
		fmt.Fprintf(text, "%s%s: %s\n", indent, s.name(), s.value)
		return
	}
	fmt.Fprintf(text, "%s%s:\n", indent, s.name())
	for _, below := range s.below {
		writeExample(text, below, indent+"  ")
	}
}

const tableHead = `<!-- Written by make docs from internal/app/config*.go: change the comments there. -->
# Settings

A setting comes from its default, a YAML file (` + "`--config`, or `SECKILL_CONFIG`" + `), an environment variable or a flag; each
overrides the ones before it. ` + "`seckill config print`" + ` shows what is in force, secrets redacted. An unknown key or a wrong value
stops the start with one sentence that names it. [` + "`seckill.example.yaml`" + `](../seckill.example.yaml) is the same list as a file.

` + "*needed*: a start with `backend: services` is refused without it. Entries of lists are numbered in the environment, from 0;" + `
a list from there replaces the file's. Where a secret can be written or named by its file, one of the two is enough.
`

func tableText(t *testing.T, settings []setting) string {
	t.Helper()
	needed := neededKeys(t)
	var text strings.Builder
	text.WriteString(tableHead)
	var plain []setting
	for _, s := range settings {
		if len(s.below) == 0 {
			plain = append(plain, s)
		}
	}
	writeTable(&text, "The process", nil, plain, needed)
	for _, s := range settings {
		if len(s.below) > 0 {
			writeTable(&text, "`"+s.key+"`", s.prose, s.below, needed)
		}
	}
	return text.String()
}

func writeTable(text *strings.Builder, title string, prose []string, settings []setting, needed map[string]bool) {
	fmt.Fprintf(text, "\n## %s\n\n", title)
	if len(prose) > 0 {
		fmt.Fprintf(text, "%s\n\n", strings.Join(prose, " "))
	}
	text.WriteString("| setting and its variable | default | meaning |\n|---|---|---|\n")
	writeRows(text, settings, needed)
}

func writeRows(text *strings.Builder, settings []setting, needed map[string]bool) {
	for _, s := range settings {
		name, value := "`"+s.key+"`", "`"+s.value+"`"
		if len(s.below) == 0 {
			name += "<br>`" + s.variable() + "`"
		}
		switch {
		case s.section:
			value = ""
		case needed[s.key]:
			value += " *needed*"
		}
		fmt.Fprintf(text, "| %s | %s | %s |\n", name, strings.TrimSpace(value), strings.Join(s.prose, " "))
		writeRows(text, s.below, needed)
	}
}

// servicesFile is the minimal file for servers that the README shows.
func servicesFile(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile(readmeFile)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(backend: services\n.*?)```").FindSubmatch(content)
	if block == nil {
		t.Fatal("the README shows no file that begins with backend: services")
	}
	return block[1]
}

// neededKeys finds out what a start with servers is refused without: it leaves out one key after the other of the
// minimal file.
func neededKeys(t *testing.T) map[string]bool {
	t.Helper()
	needed := make(map[string]bool)
	var full map[string]any
	if err := yaml.Unmarshal(servicesFile(t), &full); err != nil {
		t.Fatal(err)
	}
	leaveOut(full, "", func(key string) {
		text, err := yaml.Marshal(full)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := loadText(t, string(text)); err != nil {
			needed[key] = true
		}
	})
	return needed
}

// leaveOut tries what is missing without each key below a node. Of a list it looks at the first entry.
func leaveOut(node map[string]any, path string, try func(key string)) {
	for name, value := range node {
		delete(node, name)
		try(path + name)
		node[name] = value
		switch below := value.(type) {
		case map[string]any:
			leaveOut(below, path+name+".", try)
		case []any:
			if first, is := below[0].(map[string]any); is {
				leaveOut(first, path+name+"[].", try)
			}
		}
	}
}
