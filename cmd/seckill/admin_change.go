package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// loggedMax bounds how much of an act a table shows, in characters; --json has all of it.
const loggedMax = 200

// inLine is as many changes as fit in a line, and how many do not.
func inLine(changes []string) string {
	line, shown := "", 0
	for _, change := range changes {
		if shown > 0 && len([]rune(line))+len([]rune(change)) > loggedMax {
			break
		}
		if shown++; shown > 1 {
			line += ", "
		}
		line += change
	}
	if cut := []rune(line); len(cut) > loggedMax {
		line = string(cut[:loggedMax]) + "…"
	}
	if more := len(changes) - shown; more > 0 {
		line += fmt.Sprintf(", and %d more", more)
	}
	return line
}

// changesOf says what an act changed, field by field; of what it made, what that is, and of what it removed, what that was.
func changesOf(act api.Act) []string {
	if len(act.After) == 0 {
		removed := said(act.Before)
		if len(removed) > 0 {
			removed[0] = "was " + removed[0]
		}
		return removed
	}
	var changes []string
	fresh := maps.Clone(act.After)
	for _, key := range slices.Sorted(maps.Keys(act.After)) {
		if before, known := act.Before[key]; known {
			changes = append(changes, differences(key, before, act.After[key])...)
			delete(fresh, key)
		}
	}
	return append(changes, said(fresh)...)
}

// said are fields that nothing was before. What is not so is left out.
func said(fields map[string]any) []string {
	var texts []string
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if fields[key] != false {
			texts = append(texts, key+": "+plain(fields[key]))
		}
	}
	return texts
}

// differences are what two values of a field differ in, down to what they are made of.
func differences(path string, before, after any) []string {
	if was, isObject := before.(map[string]any); isObject {
		if is, stillObject := after.(map[string]any); stillObject {
			return objectDifferences(path, was, is)
		}
	}
	was, wasList := named(before)
	is, isList := named(after)
	if wasList && isList {
		return listDifferences(path, was, is)
	}
	return difference(path, plain(before), plain(after))
}

func difference(path, before, after string) []string {
	if before == after {
		return nil
	}
	return []string{path + ": " + before + " -> " + after}
}

// objectDifferences writes amounts as people read them, which takes their currency, too.
func objectDifferences(path string, before, after map[string]any) []string {
	var changes []string
	for _, key := range slices.Sorted(maps.Keys(merged(before, after))) {
		name, isAmount := strings.CutSuffix(key, "_minor")
		was, isWas := amount(before, key)
		is, isIs := amount(after, key)
		switch {
		case isAmount && isWas && isIs:
			changes = append(changes, difference(path+"."+name, was, is)...)
		case key == "currency" && before["price_minor"] != nil: // shown with the price
		default:
			changes = append(changes, differences(path+"."+key, before[key], after[key])...)
		}
	}
	return changes
}

// listDifferences goes by the names of what is in two lists.
func listDifferences(path string, before, after map[string]any) []string {
	var changes []string
	for _, name := range slices.Sorted(maps.Keys(merged(before, after))) {
		was, known := before[name]
		is, stays := after[name]
		switch {
		case !known:
			changes = append(changes, path+": "+name+" added")
		case !stays:
			changes = append(changes, path+": "+name+" removed")
		default:
			changes = append(changes, differences(name, was, is)...)
		}
	}
	return changes
}

func merged(before, after map[string]any) map[string]any {
	all := maps.Clone(before)
	maps.Copy(all, after)
	return all
}

// amount is a number of minor units with its currency, which stands beside it.
func amount(fields map[string]any, key string) (string, bool) {
	minor, isNumber := fields[key].(float64)
	currency, isText := fields["currency"].(string)
	return seckill.Amount(int64(minor), currency), isNumber && isText
}

// named are the elements of a list by their SKU, if each has one.
func named(value any) (map[string]any, bool) {
	list, isList := value.([]any)
	elements := make(map[string]any, len(list))
	for _, element := range list {
		fields, _ := element.(map[string]any)
		sku, isText := fields["sku"].(string)
		if !isText {
			return nil, false
		}
		elements[sku] = element
	}
	return elements, isList
}

// plain writes a value without what only programs need: no quotes around a word, moments as in every table, and of things
// that have a name that.
func plain(value any) string {
	if elements, isNamed := named(value); isNamed {
		return strings.Join(slices.Sorted(maps.Keys(elements)), " ")
	}
	text, isText := value.(string)
	if !isText {
		return asJSON(value)
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return moment(at)
	}
	if quoted := strconv.Quote(text); quoted != `"`+text+`"` || text == "" || strings.ContainsAny(text, " ,:") {
		return quoted
	}
	return text
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}
