package sqlstore

import (
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

type saleRow struct {
	ID        seckill.ID        `gorm:"column:id;primaryKey"`
	Name      string            `gorm:"column:name"`
	State     seckill.SaleState `gorm:"column:state"`
	StartsAt  int64             `gorm:"column:starts_at"`
	EndsAt    int64             `gorm:"column:ends_at"`
	PayWithin int64             `gorm:"column:pay_within"`
	Version   int64             `gorm:"column:version"`
	CreatedAt int64             `gorm:"column:created_at;autoCreateTime:false"`
}

func (saleRow) TableName() string { return "sales" }

func (r saleRow) sale() seckill.Sale {
	return seckill.Sale{
		ID: r.ID, Name: r.Name, State: r.State, StartsAt: fromMilli(r.StartsAt), EndsAt: fromMilli(r.EndsAt),
		PayWithin: time.Duration(r.PayWithin) * time.Millisecond, Version: r.Version, CreatedAt: fromMilli(r.CreatedAt),
	}
}

type itemRow struct {
	ID           seckill.ID `gorm:"column:id;primaryKey"`
	Sale         seckill.ID `gorm:"column:sale"`
	SKU          string     `gorm:"column:sku"`
	Title        string     `gorm:"column:title"`
	PriceMinor   int64      `gorm:"column:price_minor"`
	Currency     string     `gorm:"column:currency"`
	Allotment    int64      `gorm:"column:allotment"`
	LimitPerUser int64      `gorm:"column:limit_per_user"`
	OneTry       bool       `gorm:"column:one_try"`
}

func (itemRow) TableName() string { return "items" }

func (r itemRow) item() seckill.Item { return seckill.Item(r) }

type actRow struct {
	ID     seckill.ID `gorm:"column:id;primaryKey"`
	Actor  string     `gorm:"column:actor"`
	Action string     `gorm:"column:action"`
	Target seckill.ID `gorm:"column:target"`
	Before string     `gorm:"column:before_json"`
	After  string     `gorm:"column:after_json"`
	At     int64      `gorm:"column:at"`
}

func (actRow) TableName() string { return "audit_log" }

func (r actRow) act() seckill.Act {
	return seckill.Act{
		ID: r.ID, Actor: r.Actor, Action: r.Action, Target: r.Target, Before: r.Before, After: r.After, At: fromMilli(r.At),
	}
}

// withItems reads the items of the sales that rows are.
func withItems(tx *gorm.DB, rows []saleRow) ([]seckill.Sale, error) {
	sales := make([]seckill.Sale, len(rows))
	at := make(map[seckill.ID]int, len(rows))
	ids := make([]seckill.ID, len(rows))
	for i, row := range rows {
		sales[i], at[row.ID], ids[i] = row.sale(), i, row.ID
	}
	if len(ids) == 0 {
		return sales, nil
	}
	var items []itemRow
	if err := tx.Where("sale IN ?", ids).Order("sale, position").Find(&items).Error; err != nil {
		return nil, err
	}
	for _, item := range items {
		sale := &sales[at[item.Sale]]
		sale.Items = append(sale.Items, item.item())
	}
	return sales, nil
}
