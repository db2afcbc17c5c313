package contract

import (
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func moneyCases() []tillCase {
	return []tillCase{
		{"shows an audit what belongs to orders, and to no others", showsMoney},
		{"pages through the orders that have any of it", pagesPaid},
		{"dates the orders that an audit reads", datesOrders},
	}
}

func showsMoney(l tillTest) {
	shard := l.Shards.Count() - 1
	orders := l.placedOn(3, func(int) int { return shard })
	asked, stranger := orders[:2], orders[2]
	for _, order := range orders {
		payment := l.begin(order)
		l.record(l.charge(payment, "one-"+order.ID.String()))
		l.record(l.charge(payment, "two-"+order.ID.String()))
	}
	cancelled := l.cancel(l.placedOn(1, func(int) int { return shard })[0])
	ids := []seckill.ID{asked[1].ID, cancelled.ID, asked[0].ID}
	money, err := l.Books.MoneyOf(l.Context(), shard, ids)
	must(l.T, err)
	if len(money.Payments) != 2 || len(money.Charges) != 4 || len(money.Refunds) != 2 || len(money.Returns) != 1 {
		l.Fatalf("got %+v", money)
	}
	for _, order := range asked {
		for _, found := range []bool{
			slices.Contains(money.Payments, l.paymentsOf(order)[0]),
			slices.Contains(money.Charges, l.charges(order.ID)[0]), slices.Contains(money.Charges, l.charges(order.ID)[1]),
			slices.Contains(money.Refunds, l.refunds(order.ID)[0]),
		} {
			if !found {
				l.Fatalf("not all of %s is in %+v, which is not about %s", order.ID, money, stranger.ID)
			}
		}
	}
	if returns := l.returns(cancelled); !slices.Equal(returns, money.Returns) {
		l.Fatalf("owed are %+v, want %+v", money.Returns, returns)
	}
}

func pagesPaid(l tillTest) {
	shard := l.Shards.Count() - 1
	orders := l.placedOn(7, func(int) int { return shard })
	var want []seckill.ID
	for i, order := range orders[:6] {
		payment := l.begin(order)
		if i%2 == 0 {
			l.record(l.charge(payment, "one-"+order.ID.String()))
		}
		want = append(want, order.ID)
	}
	slices.Sort(want)
	var found []seckill.ID
	for after := seckill.ID(0); ; after = found[len(found)-1] {
		page, err := l.Books.PaidAfter(l.Context(), shard, after, 4)
		must(l.T, err)
		if len(page) == 0 {
			break
		}
		found = append(found, page...)
	}
	if !slices.Equal(found, want) {
		l.Fatalf("found %v, want %v", found, want)
	}
}

func datesOrders(l tillTest) {
	order := l.unpaid()
	page, _, err := l.Books.OrdersAfter(l.Context(), l.Shards.Shard(order.ID.Bucket()), nil, "", 10)
	must(l.T, err)
	if len(page) != 1 || page[0].ReadAt.Before(order.CreatedAt) || page[0].ReadAt.After(order.CreatedAt.Add(patience)) {
		l.Fatalf("got %+v", page)
	}
}
