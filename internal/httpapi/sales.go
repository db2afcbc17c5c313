package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// archiveReadsMax bounds the SQL that strangers can cause by asking for sales that are not in the cache.
const archiveReadsMax = 16

// listSales shows the cached sales: all that are not drafts and did not end long ago.
func (s *shoppers) listSales(_ context.Context, c *gin.Context) error {
	asked, err := queryOf(c)
	if err != nil {
		return err
	}
	state, err := asked.state([]seckill.SaleState{seckill.SaleScheduled, seckill.SaleLive, seckill.SalePaused, seckill.SaleEnded})
	if err != nil {
		return err
	}
	page, err := asked.page()
	if err != nil {
		return err
	}
	sales, known := s.purchases.Sales()
	if !known {
		return catalogUnread()
	}
	part, next := cut(inState(sales, state, s.purchases.ServerTime()), page, func(sale seckill.Sale) seckill.ID { return sale.ID }, newestFirst)
	list := api.SaleList{Data: make([]api.Sale, len(part)), Next: next}
	for i, sale := range part {
		list.Data[i] = s.wireSale(sale)
	}
	return s.reply(c, http.StatusOK, list)
}

func inState(sales []seckill.Sale, state seckill.SaleState, now time.Time) []seckill.Sale {
	if state == "" {
		return sales
	}
	var chosen []seckill.Sale // a new slice: the cached one is shared
	for _, sale := range sales {
		if sale.StateAt(now) == state {
			chosen = append(chosen, sale)
		}
	}
	return chosen
}

func newestFirst(a, b seckill.ID) bool { return a > b }
func oldestFirst(a, b seckill.ID) bool { return a < b }

func (s *shoppers) getSale(ctx context.Context, c *gin.Context) error {
	id, err := pathID(c, "sale_id")
	if err != nil {
		return err
	}
	sale, err := s.findSale(ctx, id)
	if err != nil {
		return err
	}
	return s.reply(c, http.StatusOK, s.wireSale(sale))
}

func (s *shoppers) getItem(ctx context.Context, c *gin.Context) error {
	id, err := pathID(c, "item_id")
	if err != nil {
		return err
	}
	if view, cached := s.purchases.View(id); cached {
		return s.reply(c, http.StatusOK, s.wireItem(view.Sale, view.Item))
	}
	var item seckill.Item
	err = s.fromArchive(func() error {
		item, err = s.archive.Item(ctx, id)
		return err
	})
	if err != nil {
		return notFoundOr(err, "item", id)
	}
	sale, err := s.findSale(ctx, item.Sale)
	if err != nil {
		return notFoundOr(err, "item", id)
	}
	return s.reply(c, http.StatusOK, s.wireItem(sale, item))
}

// findSale looks into the cache, then into the archive. A draft does not exist for shoppers.
func (s *shoppers) findSale(ctx context.Context, id seckill.ID) (seckill.Sale, error) {
	sales, _ := s.purchases.Sales()
	for _, sale := range sales {
		if sale.ID == id {
			return sale, nil
		}
	}
	var sale seckill.Sale
	err := s.fromArchive(func() (err error) {
		sale, err = s.archive.Sale(ctx, id)
		return err
	})
	if err == nil && sale.State == seckill.SaleDraft {
		err = seckill.ErrNotFound
	}
	if err != nil {
		return seckill.Sale{}, notFoundOr(err, "sale", id)
	}
	return sale, nil
}

func (s *shoppers) fromArchive(read func() error) error {
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
		return read()
	default:
		return seckill.BusyFor(retryAfterDefault, "too many look-ups of sales that are not running")
	}
}

func notFoundOr(err error, noun string, id seckill.ID) error {
	if errors.Is(err, seckill.ErrNotFound) || seckill.ReasonOf(err) == seckill.NotFound {
		return seckill.Refuse(seckill.NotFound, fmt.Sprintf("there is no %s %s", noun, id))
	}
	return err
}

func catalogUnread() error {
	return seckill.BusyFor(retryAfterDefault, "the catalog has not been read yet")
}

func (s *shoppers) wireSale(sale seckill.Sale) api.Sale {
	now := s.purchases.ServerTime().UTC()
	wire := api.Sale{
		ID: sale.ID.String(), Name: sale.Name, State: api.SaleState(sale.StateAt(now)), StartsAt: sale.StartsAt.UTC(),
		EndsAt: sale.EndsAt.UTC(), ServerTime: now, Items: make([]api.Item, len(sale.Items)),
	}
	for i, item := range sale.Items {
		wire.Items[i] = s.wireItem(sale, item)
	}
	return wire
}

// wireItem leaves available out while it is not known.
func (s *shoppers) wireItem(sale seckill.Sale, item seckill.Item) api.Item {
	wire := api.Item{
		ID: item.ID.String(), SaleID: item.Sale.String(), Sku: item.SKU, Title: item.Title, PriceMinor: item.PriceMinor,
		Currency: item.Currency, LimitPerUser: item.LimitPerUser, OneTry: item.OneTry,
		State: api.SaleState(sale.StateAt(s.purchases.ServerTime())),
	}
	if view, cached := s.purchases.View(item.ID); cached && view.Known {
		wire.Available = &view.Available
	}
	return wire
}
