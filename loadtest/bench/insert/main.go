// Command insert is the ceiling of settling: multi-row inserts of the rows that a purchase leaves - one claim, one order -
// into the product's own tables, with a commit to disk per batch, and nothing around them: no stock row, no look-ups, no
// marks, no events. Its rows are made beforehand, batch by batch, beside the database's work.
package main

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	batch   = 500 // as many as the product's worker gathers
	writers = 4   // transactions at once; fewer were slower on two cores
	tables  = 16

	claimColumns = "INSERT INTO claims (id, item, user_id, quantity, key_hash, epoch, state, reason, first_id, ordered, created_at) VALUES "
	orderColumns = "INSERT INTO orders_%02d (id, item, user_id, quantity, price_minor, currency, state, pay_by, created_at, paid_at, version) VALUES "
)

// Settings are read from the file that --settings names.
type Settings struct {
	DSN string
	For time.Duration
}

func main() {
	file := flag.String("settings", "", "a JSON file")
	flag.Parse()
	if err := run(context.Background(), *file); err != nil {
		fmt.Fprintln(os.Stderr, "insert:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string) error {
	text, err := os.ReadFile(file) //nolint:gosec // the bench names it
	if err != nil {
		return err
	}
	var settings Settings
	if err := json.Unmarshal(text, &settings); err != nil {
		return err
	}
	db, err := open(settings.DSN)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // the process ends
	i := &inserter{db: db, begun: time.Now()}
	failures := make([]error, writers)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() { failures[w] = i.write(ctx, i.begun.Add(settings.For)) })
	}
	all.Wait()
	took := time.Since(i.begun)
	if err := errors.Join(failures...); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{"Count": float64(i.batches.Load() * batch), "Seconds": took.Seconds()})
}

func open(dsn string) (*sql.DB, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	config.InterpolateParams = true // one round trip per statement, as the product has it
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// inserter writes batches of the next users.
type inserter struct {
	db      *sql.DB
	begun   time.Time
	batches atomic.Int64
}

func (i *inserter) write(ctx context.Context, until time.Time) error {
	for time.Now().Before(until) {
		rows := i.rows(i.batches.Add(1) - 1)
		if err := i.insert(ctx, rows); err != nil {
			return err
		}
	}
	return nil
}

// row is one purchase.
type row struct {
	id   seckill.ID
	user seckill.UserID
}

// rows are the purchases of a batch, sorted as the product sorts them. Sixteen share a made-up millisecond, so that no id is
// made twice.
func (i *inserter) rows(number int64) []row {
	rows := make([]row, batch)
	for n := range rows {
		count := number*batch + int64(n)
		user := seckill.UserID(fmt.Sprintf("user-%07d", count))
		rows[n] = row{seckill.ComposeID(i.begun.UnixMilli()+count/16, user.Bucket(), 0, int(count%16)), user}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.id, b.id) })
	return rows
}

// insert is one transaction.
func (i *inserter) insert(ctx context.Context, rows []row) error {
	tx, err := i.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := insertClaims(ctx, tx, rows); err != nil {
		return err
	}
	var byTable [tables][]row
	for _, r := range rows {
		number := r.id.Bucket() % tables
		byTable[number] = append(byTable[number], r)
	}
	for number, some := range byTable {
		if err := insertOrders(ctx, tx, number, some); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func insertClaims(ctx context.Context, tx *sql.Tx, rows []row) error {
	args := make([]any, 0, 4*len(rows))
	for _, r := range rows {
		args = append(args, int64(r.id), string(r.user), r.id.String(), r.id.Time().UnixMilli())
	}
	_, err := tx.ExecContext(ctx, claimColumns+values("(?,1,?,1,?,1,'held','',0,1,?)", len(rows)), args...)
	return err
}

func insertOrders(ctx context.Context, tx *sql.Tx, table int, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	args := make([]any, 0, 4*len(rows))
	for _, r := range rows {
		milli := r.id.Time().UnixMilli()
		args = append(args, int64(r.id), string(r.user), milli+time.Hour.Milliseconds(), milli)
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf(orderColumns, table)+values("(?,1,?,1,4999,'EUR','unpaid',?,?,0,1)", len(rows)), args...)
	return err
}

func values(row string, count int) string {
	return strings.TrimSuffix(strings.Repeat(row+",", count), ",")
}
