package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Marks keeps heartbeats and marks on each shard, in one table: item 0 is the heartbeat.
type Marks struct{ *Store }

var _ seckill.Marks = Marks{}

const heartbeatItem = 0

type markRow struct {
	Incarnation seckill.ID `gorm:"column:incarnation;primaryKey"`
	Item        seckill.ID `gorm:"column:item;primaryKey"`
	Epoch       int64      `gorm:"column:epoch"`
	Sold        int64      `gorm:"column:sold"`
	Begun       int64      `gorm:"column:begun"`
	Gone        int64      `gorm:"column:gone"`
}

func (markRow) TableName() string { return "marks" }

// beatInsert writes marks and heartbeat at once. Within an epoch a mark never falls, and an older epoch's never replaces
// a newer one's; sold is decided before epoch, since some databases assign in order. A heartbeat never goes back, and who
// has left stays gone: an incarnation is never used again.
func beatInsert(d dialect) insert {
	return insert{
		into: "marks (incarnation, item, epoch, sold, begun, gone)",
		row:  "(?,?,?,?,?,?)",
		known: d.upsert("incarnation, item",
			"sold = CASE WHEN "+d.incoming("epoch")+" > marks.epoch THEN "+d.incoming("sold")+
				" WHEN "+d.incoming("epoch")+" = marks.epoch AND "+d.incoming("sold")+" > marks.sold THEN "+d.incoming("sold")+
				" ELSE marks.sold END, "+
				highest(d, "epoch")+", "+highest(d, "begun")+", "+highest(d, "gone")),
	}
}

// highest sets a column of marks to the greater of what is there and what comes.
func highest(d dialect, column string) string {
	return column + " = CASE WHEN " + d.incoming(column) + " > marks." + column +
		" THEN " + d.incoming(column) + " ELSE marks." + column + " END"
}

// Now implements seckill.Marks.
func (m Marks) Now(ctx context.Context, shard int) (time.Time, error) { return m.now(ctx, shard) }

// Beat implements seckill.Marks. One statement, unless a process has more marks than one carries: then one transaction.
func (m Marks) Beat(ctx context.Context, shard int, beat seckill.Beat) error {
	rows := beatRows(beat)
	write := func(tx *gorm.DB) error {
		err := beatInsert(m.dialect).run(tx, rows)
		return err
	}
	begin := m.alone
	if len(rows) > rowsMax {
		begin = m.inTx
	}
	if err := begin(ctx, shard, write); err != nil {
		return fmt.Errorf("beat on shard %d: %w", shard, repeatable(err))
	}
	return nil
}

// beatRows are sorted by item, the heartbeat first.
func beatRows(beat seckill.Beat) [][]any {
	marks := slices.SortedFunc(slices.Values(beat.Marks), func(a, b seckill.Mark) int { return cmp.Compare(a.Item, b.Item) })
	rows := make([][]any, 0, len(marks)+1)
	rows = append(rows, []any{beat.Incarnation, heartbeatItem, 0, 0, toMilli(beat.Begun), flag(beat.Left)})
	for _, mark := range marks {
		rows = append(rows, []any{beat.Incarnation, mark.Item, mark.Epoch, mark.Sold, 0, 0})
	}
	return rows
}

// Heartbeats implements seckill.Marks.
func (m Marks) Heartbeats(ctx context.Context, shard int, since time.Time) ([]seckill.Heartbeat, error) {
	var rows []markRow
	err := m.read(ctx, shard, func(db *gorm.DB) error {
		return db.Where("item = ? AND begun > ?", heartbeatItem, toMilli(since)).Order("incarnation").Find(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read the heartbeats on shard %d: %w", shard, err)
	}
	beats := make([]seckill.Heartbeat, len(rows))
	for i, row := range rows {
		beats[i] = seckill.Heartbeat{Incarnation: row.Incarnation, Begun: fromMilli(row.Begun), Left: row.Gone != 0}
	}
	return beats, nil
}

// Highest implements seckill.Marks.
func (m Marks) Highest(ctx context.Context, item seckill.ID, epoch int64) (int64, error) {
	var sold int64
	err := m.read(ctx, m.router.home(item), func(db *gorm.DB) error {
		return db.Model(&markRow{}).Where("item = ? AND epoch = ?", item, epoch).Select("COALESCE(MAX(sold), 0)").Scan(&sold).Error
	})
	if err != nil {
		return 0, fmt.Errorf("read the highest mark of item %s: %w", item, err)
	}
	return sold, nil
}

// Forget implements seckill.Marks. The list of processes is read in the statement that deletes, so that one that beats
// again in between keeps what it wrote; it is a derived table because MySQL reads no table that it deletes from.
func (m Marks) Forget(ctx context.Context, shard int, before time.Time) error {
	_, err := m.exec(ctx, shard, "DELETE FROM marks WHERE incarnation IN (SELECT incarnation FROM"+
		" (SELECT incarnation FROM marks WHERE item = ? AND begun < ?) AS silent)", heartbeatItem, toMilli(before))
	if err != nil {
		return fmt.Errorf("forget old marks on shard %d: %w", shard, err)
	}
	return nil
}
