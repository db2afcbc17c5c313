package httpapi_test

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func mug(sale seckill.ID) seckill.Item {
	return seckill.Item{
		ID: itemID, Sale: sale, SKU: "MUG-1", Title: "Enamel mug", PriceMinor: 1290, Currency: "EUR", Allotment: 1000, LimitPerUser: 2,
	}
}

func drop(state seckill.SaleState) seckill.Sale {
	return seckill.Sale{
		ID: saleID, Name: "Spring drop", State: state, StartsAt: noon().Add(-time.Hour), EndsAt: noon().Add(time.Hour),
		PayWithin: 15 * time.Minute, Version: 3, CreatedAt: noon().Add(-2 * time.Hour), Items: []seckill.Item{mug(saleID)},
	}
}

func queued() seckill.Reservation {
	return seckill.Reservation{ID: reservationID, Item: itemID, User: "ada", Quantity: 1, State: seckill.ReservationQueued}
}

// fakePurchases accepts everything unless told otherwise.
type fakePurchases struct {
	mu       sync.Mutex
	requests []purchase.Request
	waits    []time.Duration

	buy    func(ctx context.Context, request purchase.Request) (purchase.Receipt, error)
	status func(ctx context.Context, wait time.Duration) (seckill.Reservation, error)
	mine   []seckill.Reservation
	sales  []seckill.Sale
	unread bool
	// left is what is available; nil: not known.
	left *int64
}

func newFakePurchases() *fakePurchases {
	left := int64(417)
	return &fakePurchases{
		buy: func(_ context.Context, request purchase.Request) (purchase.Receipt, error) {
			r := queued()
			r.Item, r.User, r.Quantity = request.Item, request.User, request.Quantity
			return purchase.Receipt{Reservation: r}, nil
		},
		status: func(context.Context, time.Duration) (seckill.Reservation, error) { return queued(), nil },
		mine:   []seckill.Reservation{queued()},
		sales:  []seckill.Sale{drop(seckill.SaleLive)},
		left:   &left,
	}
}

func (f *fakePurchases) refuse(err error) {
	f.buy = func(context.Context, purchase.Request) (purchase.Receipt, error) { return purchase.Receipt{}, err }
}

func (f *fakePurchases) Buy(ctx context.Context, request purchase.Request) (purchase.Receipt, error) {
	f.mu.Lock()
	f.requests = append(f.requests, request)
	f.mu.Unlock()
	return f.buy(ctx, request)
}

func (f *fakePurchases) Status(ctx context.Context, _ seckill.UserID, _, _ seckill.ID, wait time.Duration) (seckill.Reservation, error) {
	f.mu.Lock()
	f.waits = append(f.waits, wait)
	f.mu.Unlock()
	return f.status(ctx, wait)
}

func (f *fakePurchases) Mine(context.Context, seckill.UserID, seckill.ID) ([]seckill.Reservation, error) {
	return f.mine, nil
}

func (f *fakePurchases) View(item seckill.ID) (purchase.ItemView, bool) {
	for _, sale := range f.sales {
		for _, known := range sale.Items {
			if known.ID != item {
				continue
			}
			view := purchase.ItemView{Item: known, Sale: sale}
			if f.left != nil {
				view.Available, view.Known = *f.left, true
			}
			return view, true
		}
	}
	return purchase.ItemView{}, false
}

func (f *fakePurchases) Sales() ([]seckill.Sale, bool) { return f.sales, !f.unread }
func (f *fakePurchases) ServerTime() time.Time         { return noon() }

type fakeAccounts struct{ err error }

func (f *fakeAccounts) Register(_ context.Context, username, _ string) (seckill.Account, error) {
	return seckill.Account{ID: 7301444403200001, User: seckill.UserID(username)}, f.err
}

func (f *fakeAccounts) Login(context.Context, string, string) (identity.Grant, error) {
	return identity.Grant{Token: "a.b.c", ExpiresIn: time.Hour}, f.err
}

// fakeOperations remembers what it was asked and answers with the spring drop.
type fakeOperations struct {
	err   error
	asked string
	actor string
	// version is what the act was meant for.
	version int64
	draft   operate.Draft
	patch   operate.Patch
	query   seckill.SaleQuery
	dryRun  bool
	page    operate.Page
	fakeCorrections
}

func (f *fakeOperations) answer(asked, actor string) (operate.SaleReport, error) {
	f.asked, f.actor = asked, actor
	return operate.SaleReport{
		Sale: drop(seckill.SaleLive), Now: noon(),
		Stocks: map[seckill.ID]seckill.Stock{itemID: {State: seckill.StockOpen, Allotted: 1200}},
		Checks: []operate.Check{{Item: itemID, OK: true, Detail: "sent to epoch 1"}},
	}, f.err
}

func (f *fakeOperations) Create(_ context.Context, actor string, draft operate.Draft) (seckill.Sale, error) {
	f.asked, f.actor, f.draft = "create", actor, draft
	return drop(seckill.SaleDraft), f.err
}

func (f *fakeOperations) Get(context.Context, seckill.ID) (operate.SaleReport, error) {
	report, err := f.answer("get", "")
	report.Checks = nil
	return report, err
}

func (f *fakeOperations) List(_ context.Context, query seckill.SaleQuery) (operate.Page, error) {
	f.query = query
	return f.page, f.err
}

func (f *fakeOperations) Update(_ context.Context, actor string, _ seckill.ID, patch operate.Patch) (operate.SaleReport, error) {
	f.patch, f.version = patch, patch.Version
	return f.answer("update", actor)
}

func (f *fakeOperations) Delete(_ context.Context, actor string, _ seckill.ID, version int64) error {
	f.asked, f.actor, f.version = "delete", actor, version
	return f.err
}

func (f *fakeOperations) Preload(_ context.Context, actor string, _ seckill.ID, dryRun bool) (operate.SaleReport, error) {
	f.dryRun = dryRun
	return f.answer("preload", actor)
}

func (f *fakeOperations) Turn(_ context.Context, turn operate.Turn) (operate.SaleReport, error) {
	f.dryRun, f.version = false, turn.Version
	return f.answer(strings.TrimPrefix(string(turn.Act), "sale."), turn.Actor)
}

func (f *fakeOperations) Stats(_ context.Context, id seckill.ID) (operate.SaleStats, error) {
	return operate.SaleStats{
		Sale: id, State: seckill.SaleLive, Now: noon(),
		Items: []operate.ItemStats{{
			Item: mug(id), Stock: seckill.Stock{State: seckill.StockOpen, Allotted: 1000, Lent: 420, Claimed: 580},
			Orders: map[seckill.OrderState]seckill.OrderCount{
				seckill.OrderUnpaid: {Orders: 560, Units: 560}, seckill.OrderPaid: {Orders: 10, Units: 10},
				seckill.OrderRefunding: {Orders: 2, Units: 4}, seckill.OrderRefunded: {Orders: 3, Units: 6},
				seckill.OrderCancelled: {Orders: 5, Units: 7},
			},
			Redis: &seckill.LentState{Live: true, Available: 417, Epoch: 1, Unsettled: 1},
		}},
		Queue: &seckill.QueueState{Ready: 3, Age: 20 * time.Millisecond},
	}, f.err
}

type fakeAudit struct {
	sale   *seckill.ID
	report audit.Report
	err    error
}

func (f *fakeAudit) Run(_ context.Context, sale *seckill.ID) (audit.Report, error) {
	f.sale = sale
	report := f.report
	report.Sale = sale
	return report, f.err
}
