package sqlstore

import (
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/sqlitefile"
)

// rowsMax is how many rows one hand-written statement carries; 200-500 are fastest, more only holds locks longer.
const rowsMax = 500

// insert is a hand-written multi-row INSERT.
type insert struct {
	into  string // "claims (id, item)"
	row   string // "(?, ?)", one value list
	known string // what happens to rows whose key exists, for example dialect.skipKnown; "" fails
	// usual are further columns, of runPlain: leaveOut says that all rows have in them what is the default on a server. A
	// value that is not there does not have to be read, which is most of what a short value costs.
	usual    string
	leaveOut bool
}

// run writes rows in statements of at most rowsMax. Rows sorted by key keep two overlapping batches from deadlocking;
// sorting is the caller's part.
func (i insert) run(tx *gorm.DB, rows [][]any) error {
	for chunk := range slices.Chunk(rows, rowsMax) {
		if _, err := execPlain(tx, i.statement(len(chunk)), slices.Concat(chunk...)); err != nil {
			return err
		}
	}
	return nil
}

func (i insert) statement(rows int) string {
	return i.head() + valueRows(i.row, rows) + i.known
}

// head is the statement up to its rows.
func (i insert) head() string {
	into := i.into
	if i.usual != "" && !i.leaveOut {
		into = strings.TrimSuffix(into, ")") + ", " + i.usual + ")"
	}
	return "INSERT INTO " + into + " VALUES "
}

// valueRows is "(?,?),(?,?)": the value lists of a multi-row INSERT. row is one list, for example "(?,?)".
func valueRows(row string, count int) string {
	return strings.TrimSuffix(strings.Repeat(row+",", count), ",")
}

// runPlain is run for the hot batches, in transactions only: row writes one value list. It returns how many rows were
// written, which skipped ones are not. The usual columns' values come last, after v.whole.
func (i insert) runPlain(tx *gorm.DB, rows int, row func(v *values, n int)) (written int64, err error) {
	compose := insert.plain
	if tx.Name() == sqlitefile.Driver {
		i.leaveOut = false // it has no defaults: they cannot be given to a table that exists
		compose = insert.kept
	}
	for from := 0; from < rows; from += rowsMax {
		statement, args := compose(i, from, min(from+rowsMax, rows), row)
		count, err := execPlain(tx, statement, args)
		if err != nil {
			return written, err
		}
		written += count
	}
	return written, nil
}

// plain has the values in the statement itself, since parameters would cost the worker more than all else it does.
func (i insert) plain(from, to int, row func(v *values, n int)) (statement string, args []any) {
	v := &values{text: make([]byte, 0, rowBytes*(1+to-from)), whole: !i.leaveOut}
	v.text = append(v.text, i.head()...)
	for n := from; n < to; n++ {
		v.begin(n > from)
		row(v, n)
		v.text = append(v.text, ')')
	}
	return string(append(v.text, i.known...)), v.args
}

// kept is for a connection that keeps its statements.
func (i insert) kept(from, to int, row func(v *values, n int)) (statement string, args []any) {
	v := &values{apart: true, whole: true}
	for n := from; n < to; n++ {
		row(v, n)
	}
	columns := len(v.args) / (to - from)
	i.row = "(" + valueRows("?", columns) + ")"
	return i.statement(1), []any{manyRows{insert: i, columns: columns, values: v.args}}
}

// execPlain goes past gorm, which would parse a statement of thousands of values byte by byte.
func execPlain(tx *gorm.DB, statement string, args []any) (changed int64, err error) {
	result, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, statement, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// rowBytes is room for most rows.
const rowBytes = 160

// values writes lists of values into a statement.
type values struct {
	text []byte
	args []any
	more bool // the next value is not the first of its list
	// apart says that the statement is written already: all values are arguments.
	apart bool
	// whole says that the usual columns' values are wanted too.
	whole bool
}

// begin opens a list, after a comma if it is not the first one.
func (v *values) begin(another bool) {
	if another {
		v.text = append(v.text, ',')
	}
	v.text = append(v.text, '(')
	v.more = false
}

func (v *values) comma() {
	if v.more {
		v.text = append(v.text, ',')
	}
	v.more = true
}

func (v *values) number(n int64) {
	if v.apart {
		v.args = append(v.args, n)
		return
	}
	v.comma()
	v.text = strconv.AppendInt(v.text, n, 10)
}

// string writes a text as it is if nothing in it could mean anything to a database, which is how ids, hashes and our own
// words are. Any other becomes a parameter.
func (v *values) string(text string) {
	if v.apart {
		v.args = append(v.args, text)
		return
	}
	v.comma()
	if !isPlain(text) {
		v.text = append(v.text, '?')
		v.args = append(v.args, text)
		return
	}
	v.text = append(v.text, '\'')
	v.text = append(v.text, text...)
	v.text = append(v.text, '\'')
}

// isPlain says whether a text is made of letters, digits and _ . : @ - only.
func isPlain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '_', c == '.', c == ':', c == '@', c == '-':
		default:
			return false
		}
	}
	return true
}

// listPlain is "(1,2)" of keys.
func listPlain[K any](keys []K, write func(v *values, key K)) (list string, args []any) {
	v := &values{}
	v.begin(false)
	for _, key := range keys {
		write(v, key)
	}
	return string(append(v.text, ')')), v.args
}
