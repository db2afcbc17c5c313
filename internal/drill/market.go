package drill

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
	"github.com/seckill-dev/seckill/internal/crowd"
)

const (
	// waveLasts is for how long shoppers come to one sale.
	waveLasts = 20 * time.Second
	// wavesMax bounds the sales whose crowds are not done; a market that is behind waits.
	wavesMax = 8
	// payWithin is short: orders that nobody pays are part of it.
	payWithin = 12
	// stands is how many items a sale has; every second one may be bought twice.
	stands      = 4
	priceMinor  = 1999
	saleLasts   = 24 * time.Hour
	insistAgain = 200 * time.Millisecond
	// callWithin bounds one call of an operator: who is frozen answers nobody, and the end of a sale may take seconds.
	callWithin = 15 * time.Second
)

// How shoppers of the market behave.
const (
	shopperConcurrency = 96
	shopperPatience    = 4 * time.Minute
	closeWithin        = 2 * time.Minute // a shard may be away when an order's time is over
	retryAfterMax      = time.Second
)

// market sells without a break.
type market struct {
	config   Config
	stage    *stage
	ledger   *ledger
	timeline *timeline
	name     string

	// crowds are those of all sales; give up ends them early.
	crowds sync.WaitGroup
	waves  chan struct{}
	giveUp context.CancelFunc

	mu       sync.Mutex
	sales    []string // all of them, in order
	ended    map[string]bool
	reports  []crowd.Report
	failures []string
}

func newMarket(config Config, s *stage, l *ledger, t *timeline, name string) *market {
	return &market{
		config: config, stage: s, ledger: l, timeline: t, name: name, waves: make(chan struct{}, wavesMax), ended: make(map[string]bool),
	}
}

// run opens one sale after the other until ctx ends. While one sells, the next is made ready.
func (m *market) run(ctx context.Context, until time.Time) {
	crowds, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	m.giveUp = giveUp
	next := m.prepare(ctx, 0)
	for wave := 0; ; wave++ {
		var sale api.AdminSale
		select {
		case sale = <-next:
		case <-ctx.Done():
			return
		}
		next = m.prepare(ctx, wave+1)
		lasts := min(waveLasts, time.Until(until))
		if ctx.Err() != nil || lasts < time.Second {
			return
		}
		select {
		case m.waves <- struct{}{}:
		case <-ctx.Done():
			return
		}
		m.open(crowds, sale, wave, lasts)
		select {
		case <-time.After(lasts):
		case <-ctx.Done():
			return
		}
	}
}

// prepare makes a sale and returns it when every door shows it.
func (m *market) prepare(ctx context.Context, wave int) <-chan api.AdminSale {
	ready := make(chan api.AdminSale, 1)
	m.crowds.Go(func() {
		items := make([]api.NewItem, stands)
		for i := range items {
			shoppers := m.shoppers(waveLasts)
			items[i] = newItem(fmt.Sprintf("W%d-%d", wave, i), int64(1+i%2), int64(float64(shoppers)*(0.9+0.35*float64(i%2))))
		}
		sale, err := m.put(ctx, fmt.Sprintf("%s wave %d", m.name, wave), items)
		if err == nil {
			ready <- sale
		}
	})
	return ready
}

// shoppers is how many come to one item meanwhile.
func (m *market) shoppers(lasts time.Duration) int {
	return max(1, int(m.config.Rate*lasts.Seconds()/stands))
}

func newItem(sku string, limit, units int64) api.NewItem {
	price := int64(priceMinor)
	return api.NewItem{Sku: sku, Title: "Drill " + sku, PriceMinor: &price, Currency: "EUR", Allotment: max(1, units), LimitPerUser: limit}
}

// put creates and preloads a sale, whatever happens meanwhile.
func (m *market) put(ctx context.Context, name string, items []api.NewItem) (api.AdminSale, error) {
	now := time.Now().UTC()
	sale, err := insist(ctx, m.stage.desks, func(ctx context.Context, desk *adminclient.Client) (api.AdminSale, error) {
		return desk.CreateSale(ctx, api.NewSale{Name: name, StartsAt: now, EndsAt: now.Add(saleLasts), Items: items, PayWithinSeconds: payWithin})
	})
	if err != nil {
		return sale, err
	}
	m.mu.Lock()
	m.sales = append(m.sales, sale.ID)
	m.mu.Unlock()
	loaded, err := insist(ctx, m.stage.desks, func(ctx context.Context, desk *adminclient.Client) (api.AdminSale, error) {
		return desk.Preload(ctx, sale.ID, 0, false)
	})
	if err != nil {
		return sale, err
	}
	for _, through := range m.stage.doors {
		if err := awaitShown(ctx, through.url+"/v1/sales/"+sale.ID); err != nil {
			return sale, err
		}
	}
	return loaded, nil
}

// insist has one operator after the other try until it is done or cannot be. What an answer was lost of may be done twice.
func insist[T any](ctx context.Context, desks []*adminclient.Client, do func(context.Context, *adminclient.Client) (T, error)) (T, error) {
	for n := 0; ; n++ {
		bounded, cancel := context.WithTimeout(ctx, callWithin)
		answer, err := do(bounded, desks[n%len(desks)])
		cancel()
		var passing interface{ Passing() bool }
		if err == nil || !errors.As(err, &passing) || !passing.Passing() {
			return answer, err
		}
		select {
		case <-time.After(insistAgain):
		case <-ctx.Done():
			return answer, errors.Join(ctx.Err(), err)
		}
	}
}

// awaitShown returns when something is there for shoppers: each api reads the catalog in its own time.
func awaitShown(ctx context.Context, url string) error {
	for !isShown(ctx, url) {
		select {
		case <-time.After(insistAgain):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func isShown(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// open lets a crowd come for each item, and ends the sale when they are gone.
func (m *market) open(ctx context.Context, sale api.AdminSale, wave int, lasts time.Duration) {
	m.ledger.note(entry{Event: fmt.Sprintf("sale %s: wave %d", sale.ID, wave)})
	m.crowds.Go(func() {
		defer func() { <-m.waves }()
		var visitors sync.WaitGroup
		for i, item := range sale.Items {
			visitors.Go(func() {
				m.visit(ctx, sale.ID, item.ID, fmt.Sprintf("%s-w%d-%d", m.name, wave, i), uint64(wave*stands+i), lasts)
			})
		}
		visitors.Wait()
		m.end(ctx, sale.ID)
	})
}

// visit plays one crowd.
func (m *market) visit(ctx context.Context, sale, item, name string, number uint64, lasts time.Duration) {
	var urls []string
	for _, through := range m.stage.doors {
		urls = append(urls, through.url)
	}
	report, err := crowd.Run(ctx, crowd.Config{
		BaseURLs: urls, Sale: sale, Item: item, Name: name, Seed: m.config.Seed<<20 + number + 1, Mint: m.stage.keys.Mint,
		Shoppers: m.shoppers(lasts), Concurrency: shopperConcurrency, Spread: lasts, Patience: shopperPatience,
		RetryAfterMax: retryAfterMax, CloseWithin: closeWithin, AllowRejected: m.config.Pairs, Quiet: true, Ledger: &pen{to: m.ledger},
		Mix: crowd.Mix{Pay: 56, Abandon: 8, Cancel: 12, Late: 6, Twice: 6, Again: 12},
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.failures = append(m.failures, fmt.Sprintf("the crowd %s: %v", name, err))
		return
	}
	m.reports = append(m.reports, report)
}

// end ends a sale, so that the keepers need not go on with it. It is no matter if that fails.
func (m *market) end(ctx context.Context, sale string) {
	_, err := insist(ctx, m.stage.desks, func(ctx context.Context, desk *adminclient.Client) (api.AdminSale, error) {
		return desk.End(ctx, sale, 0)
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended[sale] = err == nil
}

// finish waits until all crowds have gone home, and sends them if that takes too long, or at once.
func (m *market) finish(ctx context.Context, atOnce bool) {
	gone := make(chan struct{})
	go func() {
		m.crowds.Wait()
		close(gone)
	}()
	if atOnce && m.giveUp != nil {
		m.giveUp()
	}
	select {
	case <-gone:
		return
	case <-ctx.Done():
	}
	if m.giveUp != nil {
		m.giveUp()
	}
	<-gone
}

// result is what the crowds saw.
func (m *market) result() (reports []crowd.Report, failures []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reports, m.failures
}
