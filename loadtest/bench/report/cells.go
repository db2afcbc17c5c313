package report

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Cells are measured values by the names that the cells of a page carry: a figure's own name, "side:accept" for the median of a side,
// and "spent:accept/api" for the processor time of a program for each answer of a side, in microseconds.
type Cells map[string]string

// Read adds what bench.json or scale.json holds.
func (c Cells) Read(text []byte) error {
	type valued struct{ Value *float64 }
	var found struct {
		Figures, Scale map[string]valued
		Sides          map[string]struct{ Median float64 }
		ProcessorTime  []Spent `json:"processor_time"`
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return fmt.Errorf("read the results: %w", err)
	}
	for _, figures := range []map[string]valued{found.Figures, found.Scale} {
		for name, f := range figures {
			if f.Value != nil {
				c[name] = shortest(*f.Value)
			}
		}
	}
	for name, s := range found.Sides {
		c["side:"+name] = shortest(s.Median)
	}
	for _, s := range found.ProcessorTime {
		if len(s.Rounds) == 0 {
			continue
		}
		program, _, _ := strings.Cut(s.Program, " ") // redis-server adds where it listens
		c["spent:"+s.Side+"/"+program] = shortest(s.Median())
	}
	return nil
}

// Fill writes the values into a page of Markdown: a cell `<!--name--> anything` keeps its name and gets its value. A cell whose
// value was not measured stays as it is.
func (c Cells) Fill(page string) (filled string, count int) {
	cell := cellForm()
	filled = cell.ReplaceAllStringFunc(page, func(old string) string {
		name := cell.FindStringSubmatch(old)[1]
		value, measured := c[name]
		if !measured {
			return old
		}
		count++
		return "<!--" + name + "--> " + value + " "
	})
	return filled, count
}

// Named are the figures that a page asks for; sides and processor time are not among them.
func Named(page string) (names []string) {
	for _, found := range cellForm().FindAllStringSubmatch(page, -1) {
		if name := found[1]; !strings.Contains(name, ":") {
			names = append(names, name)
		}
	}
	return names
}

func cellForm() *regexp.Regexp { return regexp.MustCompile(`<!--([a-z0-9_:/.-]+)-->[^|\n]*`) }
