package operate

import (
	"context"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Draft is what an operator says of a new sale.
type Draft struct {
	Name      string
	StartsAt  time.Time
	EndsAt    time.Time
	PayWithin time.Duration
	Items     []DraftItem
}

// DraftItem is what an operator says of an item.
type DraftItem struct {
	SKU          string
	Title        string
	PriceMinor   int64
	Currency     string
	Allotment    int64
	LimitPerUser int64
	OneTry       bool
}

// Create makes a draft. Nothing is sold before it is preloaded, so its window may lie anywhere.
func (s *Service) Create(ctx context.Context, actor string, draft Draft) (seckill.Sale, error) {
	sale := seckill.Sale{
		Name: draft.Name, State: seckill.SaleDraft, PayWithin: draft.PayWithin,
		StartsAt: wholeMilli(draft.StartsAt), EndsAt: wholeMilli(draft.EndsAt), Version: 1,
	}
	sale.Items = itemsOf(draft.Items)
	if err := validate(sale); err != nil {
		return seckill.Sale{}, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return seckill.Sale{}, err
	}
	sale.CreatedAt = now
	if sale.ID, err = s.nextID(); err != nil {
		return seckill.Sale{}, err
	}
	if err := s.nameItems(&sale, nil); err != nil {
		return seckill.Sale{}, err
	}
	act := seckill.Act{Actor: actor, Action: actionCreate, Target: sale.ID, After: snapshot(sale), At: now}
	if err := s.ports.Catalog.Create(ctx, sale, act); err != nil {
		return seckill.Sale{}, fmt.Errorf("create sale: %w", err)
	}
	s.ports.Log.Info("sale created", "sale", sale.ID, "actor", actor, "items", len(sale.Items))
	return sale, nil
}

// Delete removes a draft. version is what the sale's must be; 0 does not ask.
func (s *Service) Delete(ctx context.Context, actor string, id seckill.ID, version int64) error {
	sale, now, err := s.read(ctx, id)
	if err != nil {
		return err
	}
	if err := atVersion(sale, version); err != nil {
		return err
	}
	if sale.State != seckill.SaleDraft {
		return notDraft(sale)
	}
	act := seckill.Act{Actor: actor, Action: actionDelete, Target: id, Before: snapshot(sale), At: now}
	deleted, err := s.ports.Catalog.Delete(ctx, id, sale.Version, act)
	if err != nil {
		return fmt.Errorf("delete sale %s: %w", id, err)
	}
	if !deleted {
		return s.overtaken(ctx, id)
	}
	s.ports.Log.Info("sale deleted", "sale", id, "actor", actor)
	return nil
}

func notDraft(sale seckill.Sale) error {
	return conflict(sale, "", fmt.Sprintf("only a draft can be deleted and this sale is %s", sale.State))
}

// overtaken is what the loser of a race is told.
func (s *Service) overtaken(ctx context.Context, id seckill.ID) error {
	sale, _, err := s.read(ctx, id)
	if err != nil {
		return err
	}
	return conflict(sale, "", fmt.Sprintf(
		"somebody else changed this sale at the same moment; it is %s now, read it again", sale.State))
}

func (s *Service) nextID() (seckill.ID, error) {
	id, err := s.ports.IDs.Next(s.ports.Bucket())
	if err != nil {
		return 0, fmt.Errorf("make an id: %w", err)
	}
	return id, nil
}

// nameItems gives every item its id: the one its SKU had among known, or a new one.
func (s *Service) nameItems(sale *seckill.Sale, known []seckill.Item) error {
	ids := make(map[string]seckill.ID, len(known))
	for _, item := range known {
		ids[item.SKU] = item.ID
	}
	for i := range sale.Items {
		item := &sale.Items[i]
		item.Sale, item.ID = sale.ID, ids[item.SKU]
		if item.ID != 0 {
			continue
		}
		id, err := s.nextID()
		if err != nil {
			return err
		}
		item.ID = id
	}
	return nil
}

func itemsOf(drafts []DraftItem) []seckill.Item {
	items := make([]seckill.Item, len(drafts))
	for i, d := range drafts {
		items[i] = seckill.Item{
			SKU: d.SKU, Title: d.Title, PriceMinor: d.PriceMinor, Currency: d.Currency,
			Allotment: d.Allotment, LimitPerUser: d.LimitPerUser, OneTry: d.OneTry,
		}
	}
	return items
}

// wholeMilli is the precision of every store; cut here, so that what is compared is what will be stored.
func wholeMilli(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}
