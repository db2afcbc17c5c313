package sqlstore

import (
	"slices"
	"strings"

	"gorm.io/gorm"
)

// rowsMax is how many rows one hand-written statement carries; 200-500 are fastest, more only holds locks longer.
const rowsMax = 500

// insert is a hand-written multi-row INSERT.
type insert struct {
	into  string // "claims (id, item)"
	row   string // "(?, ?)", one value list
	known string // what happens to rows whose key exists, for example dialect.skipKnown; "" fails
}

// run writes rows in statements of at most rowsMax. Rows sorted by key keep two overlapping batches from deadlocking;
// sorting is the caller's part. It returns how many rows were written, which skipped ones are not.
func (i insert) run(tx *gorm.DB, rows [][]any) (written int64, err error) {
	for chunk := range slices.Chunk(rows, rowsMax) {
		// Past gorm, which would parse a statement of thousands of parameters byte by byte.
		result, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, i.statement(len(chunk)), slices.Concat(chunk...)...)
		if err != nil {
			return written, err
		}
		count, err := result.RowsAffected()
		if err != nil {
			return written, err
		}
		written += count
	}
	return written, nil
}

func (i insert) statement(rows int) string {
	return "INSERT INTO " + i.into + " VALUES " + valueRows(i.row, rows) + i.known
}

// valueRows is "(?,?),(?,?)": the value lists of a multi-row INSERT. row is one list, for example "(?,?)".
func valueRows(row string, count int) string {
	return strings.TrimSuffix(strings.Repeat(row+",", count), ",")
}
