package operate

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Patch is what an operator wants changed; nil stays as it is.
type Patch struct {
	// Version is what the sale's must be; 0 does not ask.
	Version   int64
	Name      *string
	StartsAt  *time.Time
	EndsAt    *time.Time
	PayWithin *time.Duration
	// Items replaces the items of a draft as a whole; a SKU that stays keeps its id.
	Items []DraftItem
	// Limits sets the limits of items that exist.
	Limits []LimitChange
}

// ItemsHint says what is meant by whoever changes items of a sale that is no draft any more.
const ItemsHint = "limits change with limits (seckill admin sales edit SALE --limit ITEM=N)," +
	" units with POST /admin/v1/items/{item_id}/stock (seckill admin stock ITEM --add N or --take N)"

// LimitChange is a new limit for one item.
type LimitChange struct {
	Item         seckill.ID
	LimitPerUser int64
}

// Update edits a sale: a draft in every way, later only what is safe while shoppers buy. The change is sent to Redis at
// once.
func (s *Service) Update(ctx context.Context, actor string, id seckill.ID, patch Patch) (SaleReport, error) {
	sale, now, err := s.read(ctx, id)
	if err != nil {
		return SaleReport{}, err
	}
	if err := atVersion(sale, patch.Version); err != nil {
		return SaleReport{}, err
	}
	next, err := s.patched(sale, patch, now)
	if err != nil {
		return SaleReport{}, err
	}
	if reflect.DeepEqual(sale, next) {
		return s.report(ctx, id, nil)
	}
	before, after := difference(sale, next)
	act := seckill.Act{Actor: actor, Action: actionUpdate, Target: id, Before: before, After: after, At: now}
	changed, err := s.ports.Catalog.Update(ctx, next, act)
	if err != nil {
		return SaleReport{}, fmt.Errorf("update sale %s: %w", id, err)
	}
	if !changed {
		return SaleReport{}, s.overtaken(ctx, id)
	}
	s.ports.Log.Info("sale updated", "sale", id, "actor", actor, "changes", after)
	if sale.State == seckill.SaleDraft {
		return s.report(ctx, id, nil)
	}
	return s.report(ctx, id, s.carryAll(ctx, sale.Items))
}

// patched is the sale as it should become, or why it must not.
func (s *Service) patched(sale seckill.Sale, patch Patch, now time.Time) (seckill.Sale, error) {
	if patch.isEmpty() {
		return seckill.Sale{}, seckill.InvalidField("body", "says nothing to change")
	}
	if patch.Items != nil && patch.Limits != nil {
		return seckill.Sale{}, seckill.InvalidField("limits", "cannot be sent along with items; say the limits there")
	}
	next := sale
	next.Items = slices.Clone(sale.Items)
	patch.head(&next)
	if err := applyLimits(next.Items, patch.Limits); err != nil {
		return seckill.Sale{}, err
	}
	if sale.State != seckill.SaleDraft {
		return next, safe(sale, next, patch, now)
	}
	if patch.Items != nil {
		next.Items = itemsOf(patch.Items)
	}
	if err := validate(next); err != nil {
		return seckill.Sale{}, err
	}
	return next, s.nameItems(&next, sale.Items)
}

func (p Patch) isEmpty() bool {
	p.Version = 0
	return reflect.ValueOf(p).IsZero()
}

func (p Patch) head(sale *seckill.Sale) {
	if p.Name != nil {
		sale.Name = *p.Name
	}
	if p.StartsAt != nil {
		sale.StartsAt = wholeMilli(*p.StartsAt)
	}
	if p.EndsAt != nil {
		sale.EndsAt = wholeMilli(*p.EndsAt)
	}
	if p.PayWithin != nil {
		sale.PayWithin = *p.PayWithin
	}
}

func applyLimits(items []seckill.Item, limits []LimitChange) error {
	named := make(map[seckill.ID]bool, len(limits))
	for i, change := range limits {
		at := slices.IndexFunc(items, func(item seckill.Item) bool { return item.ID == change.Item })
		if at < 0 {
			return seckill.InvalidField(fmt.Sprintf("limits[%d].item_id", i), "this sale has no item "+change.Item.String())
		}
		if named[change.Item] {
			return seckill.InvalidField(fmt.Sprintf("limits[%d].item_id", i), "this item is named twice")
		}
		named[change.Item] = true
		if err := validateLimit(fmt.Sprintf("limits[%d].limit_per_user", i), change.LimitPerUser); err != nil {
			return err
		}
		items[at].LimitPerUser = change.LimitPerUser
	}
	return nil
}

// safe refuses what cannot be changed any more once shoppers rely on it.
func safe(sale, next seckill.Sale, patch Patch, now time.Time) error {
	if isOver(sale, now) {
		return conflict(sale, "", fmt.Sprintf("this sale is %s: it ended at %s", seckill.SaleEnded, stamp(sale.EndsAt)))
	}
	if patch.Items != nil {
		return conflict(sale, "items", fmt.Sprintf("only a draft's items can be replaced and this sale is %s; %s", sale.State, ItemsHint))
	}
	if next.PayWithin != sale.PayWithin {
		return conflict(sale, "pay_within_seconds", fmt.Sprintf("can only be changed in a draft and this sale is %s", sale.State))
	}
	if err := validateHead(next); err != nil {
		return err
	}
	if !next.StartsAt.Equal(sale.StartsAt) {
		if !now.Before(sale.StartsAt) {
			return conflict(sale, "starts_at", fmt.Sprintf("this sale is %s: it started at %s", sale.State, stamp(sale.StartsAt)))
		}
		if next.StartsAt.Before(now) {
			return seckill.InvalidField("starts_at", "must not be in the past, it is "+stamp(now))
		}
	}
	if !next.EndsAt.Equal(sale.EndsAt) && next.EndsAt.Before(now) {
		return seckill.InvalidField("ends_at", "must not be in the past, it is "+stamp(now)+"; to stop now, end the sale")
	}
	return nil
}

// isOver holds from the end of the window on, also while no keeper has written it down yet.
func isOver(sale seckill.Sale, now time.Time) bool {
	return sale.State == seckill.SaleEnded || !now.Before(sale.EndsAt)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
