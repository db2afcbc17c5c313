package app

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"
	"unicode"
)

// knownKey says whether a dotted key is a setting. Entries of lists are numbered: operators.0.name.
func knownKey(key string) error {
	if describes(reflect.TypeFor[Config](), strings.Split(key, ".")) {
		return nil
	}
	return unknown(key)
}

// describes follows a path to a setting: a scalar or a list of texts. A section is none.
func describes(t reflect.Type, path []string) bool {
	if t.Kind() == reflect.Slice && len(path) > 0 && regexp.MustCompile(`^\d{1,2}$`).MatchString(path[0]) {
		return describes(t.Elem(), path[1:])
	}
	if t.Kind() == reflect.Slice {
		return len(path) == 0 && t.Elem().Kind() == reflect.String
	}
	if t.Kind() != reflect.Struct {
		return len(path) == 0
	}
	if len(path) == 0 {
		return false
	}
	index, known := keysOf(t)[path[0]]
	return known && describes(t.Field(index).Type, path[1:])
}

// settingKeys lists every key that a file can say, a section before its keys; entries of lists are written with [].
func settingKeys(t reflect.Type, path string) []string {
	switch {
	case t.Kind() == reflect.Struct:
		var keys []string
		if path != "" && !strings.HasSuffix(path, "[]") {
			keys = append(keys, path)
		}
		for i := range t.NumField() {
			below := t.Field(i).Tag.Get("yaml")
			if path != "" {
				below = path + "." + below
			}
			keys = append(keys, settingKeys(t.Field(i).Type, below)...)
		}
		return keys
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return append([]string{path}, settingKeys(t.Elem(), path+"[]")...)
	default:
		return []string{path}
	}
}

// keyMax is more than any key needs; what is longer is not compared letter by letter.
const keyMax = 100

// unknown refuses a key and names the nearest one that exists.
func unknown(key string) error {
	if len(key) > keyMax || strings.ContainsFunc(key, unicode.IsControl) {
		return fmt.Errorf("%s: is not a setting", shown(key))
	}
	plain := regexp.MustCompile(`\[\d+\]|\.\d+(\.|$)`).ReplaceAllString(key, "[]$1")
	nearest, least := "", math.MaxInt
	for _, candidate := range settingKeys(reflect.TypeFor[Config](), "") {
		if strings.HasPrefix(candidate, plain+".") || strings.HasPrefix(candidate, plain+"[") {
			return fmt.Errorf("%s: is a section; set one of its keys, such as %s", key, candidate)
		}
		d := distance(plain, candidate)
		// A key that only misses its section is nearer than its letters say.
		if strings.HasSuffix(candidate, "."+plain) {
			d = 1
		}
		if d < least {
			nearest, least = candidate, d
		}
	}
	return fmt.Errorf("%s: is not a setting; the nearest one is %s", key, nearest)
}

// distance is the number of letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
