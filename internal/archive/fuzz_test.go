package archive_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/archive"
)

// FuzzExport: what is taken for an export of a sale says so in its first line; what may be a part of one begins as one, and
// every beginning of a part is a part.
func FuzzExport(f *testing.F) {
	const export = `{"table":"sale","row":{"sale":"7301444403200010","name":"Spring drop"}}` + "\n" + `{"table":"item","row":{}}` + "\n"
	for _, seed := range []string{export, export[:5], "", "{", `{"table":"item","row":{}}`, `{"table":"sale","row":{"sale":"x"}}`, `{"table":"sale","row":null}`, `{"Table":"sale","Row":{"Sale":"5"}}`, "\x00", `{"table":"salt"`} {
		f.Add(seed)
	}
	const begin = `{"table":"sale",`
	f.Fuzz(func(t *testing.T, text string) {
		if sale := archive.SaleOf(strings.NewReader(text)); sale != 0 {
			var first struct {
				Table string `json:"table"`
			}
			if err := json.NewDecoder(strings.NewReader(text)).Decode(&first); err != nil || first.Table != "sale" || sale < 0 || !strings.Contains(text, sale.String()) {
				t.Fatalf("%q is taken for an export of %d, %v", text, sale, err)
			}
		}
		is := archive.Begins(strings.NewReader(text))
		if want := strings.HasPrefix(text, begin) || strings.HasPrefix(begin, text); is != want {
			t.Fatalf("%q begins an export: %t", text, is)
		}
		if is && !archive.Begins(strings.NewReader(text[:len(text)/2])) {
			t.Fatalf("%q is no part of an export, but %q is", text[:len(text)/2], text)
		}
	})
}
