package contract

import (
	"errors"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func beginCases() []tillCase {
	return []tillCase{
		{"begins a payment of what the order costs, until its deadline", beginsPayment},
		{"begins a payment that is over before its order where the provider keeps none open for so long", beginsShorter},
		{"begins one payment, also when several ask at the same time", beginsOnce},
		{"begins another payment at another provider, and after one was closed", beginsAnother},
		{"begins another payment after the wrong amount came in on one", beginsAfterWrongMoney},
		{"begins no payment of an order that is not to be paid any more, and says what it is", beginsNone},
		{"begins no payment of somebody else's order", beginsOwn},
		{"begins no payment whose id would not be found", beginsFindable},
		{"notes once what the provider calls a payment", notesSession},
		{"notes it on what is paid and to be refunded already", notesSessionLate},
		{"closes an open payment, and no other", closesPayment},
		{"misses payments that do not exist", missesPayments},
	}
}

func beginsPayment(l tillTest) {
	order := l.unpaid()
	asked := l.asked(order)
	payment, got, begun, err := l.Payments.Begin(l.Context(), asked)
	must(l.T, err)
	want := seckill.Payment{
		ID: asked.ID, Order: order.ID, Provider: bank, AmountMinor: tillAmount, Currency: tillCurrency,
		State: seckill.PaymentOpen, ExpiresAt: order.PayBy, CreatedAt: payment.CreatedAt,
	}
	if !begun || got != order || payment != want || payment.CreatedAt.Before(order.CreatedAt) {
		l.Fatalf("%t with %+v of %+v", begun, payment, got)
	}
	if found := l.payment(payment.ID); found != payment {
		l.Fatalf("it reads as %+v", found)
	}
	l.wantEvents(order.ID)
}

func beginsShorter(l tillTest) {
	order := l.unpaid()
	within := order.PayBy.Sub(order.CreatedAt)
	asked := l.asked(order)
	asked.Lives = within / 2
	payment, _, begun, err := l.Payments.Begin(l.Context(), asked)
	must(l.T, err)
	if ends := payment.CreatedAt.Add(within / 2); !begun || !payment.ExpiresAt.Equal(ends) || !payment.ExpiresAt.Before(order.PayBy) {
		l.Fatalf("%t with %+v of %+v", begun, payment, order)
	}
	if found := l.payment(payment.ID); found != payment {
		l.Fatalf("it reads as %+v", found)
	}
	asked.ID, asked.Lives = l.id(order.ID.Bucket()), time.Millisecond
	if again, _, _, err := l.Payments.Begin(l.Context(), asked); err != nil || again != payment {
		l.Fatalf("then begun is %+v, %v", again, err)
	}
	must(l.T, l.Payments.Closed(l.Context(), payment.ID))
	asked.Lives = 2 * within
	if next, _, _, err := l.Payments.Begin(l.Context(), asked); err != nil || next.ID != asked.ID || !next.ExpiresAt.Equal(order.PayBy) {
		l.Fatalf("after that was closed begun is %+v, %v", next, err)
	}
}

func beginsOnce(l tillTest) {
	order := l.unpaid()
	begun := make([]seckill.Payment, 8)
	asked := make([]seckill.NewPayment, len(begun))
	for i := range asked {
		asked[i] = l.asked(order)
	}
	race(l.T, len(begun), func(caller int) (bool, error) {
		payment, _, ok, err := l.Payments.Begin(l.Context(), asked[caller])
		begun[caller] = payment
		return ok, err
	})
	again := l.begin(order)
	for _, payment := range begun {
		if payment != again || payment.Order != order.ID {
			l.Fatalf("begun are %+v and %+v", payment, again)
		}
	}
	if all := l.paymentsOf(order); !slices.Equal(all, begun[:1]) {
		l.Fatalf("payments are %+v", all)
	}
}

func (l tillTest) paymentsOf(order seckill.Order) []seckill.Payment {
	l.Helper()
	payments, err := l.Payments.PaymentsOf(l.Context(), order.ID)
	must(l.T, err)
	return payments
}

func beginsAnother(l tillTest) {
	order := l.unpaid()
	first := l.begin(order)
	asked := l.asked(order)
	asked.Provider = "other"
	second, _, begun, err := l.Payments.Begin(l.Context(), asked)
	must(l.T, err)
	must(l.T, l.Payments.Closed(l.Context(), first.ID))
	third := l.begin(order)
	if !begun || second.ID != asked.ID || second.Provider != "other" || third.ID == first.ID {
		l.Fatalf("begun are %+v, %+v, %+v", first, second, third)
	}
	first.State = seckill.PaymentClosed
	if all := l.paymentsOf(order); !slices.Equal(all, []seckill.Payment{first, second, third}) {
		l.Fatalf("payments are %+v", all)
	}
}

func beginsAfterWrongMoney(l tillTest) {
	order := l.unpaid()
	first := l.begin(order)
	tooLittle := l.charge(first, "too little")
	tooLittle.AmountMinor--
	l.record(tooLittle)
	second := l.begin(order)
	if second.ID == first.ID || second != l.begin(order) {
		l.Fatalf("begun are %+v and %+v", first, second)
	}
}

func beginsNone(l tillTest) {
	late, cancelled := l.late(), l.unpaid()
	l.item++
	paid, _ := l.paid()
	refunding, _ := l.paid()
	l.refund(refunding, false)
	for _, order := range []seckill.Order{late, l.cancel(cancelled), paid, l.find(refunding.ID)} {
		payment, got, begun, err := l.Payments.Begin(l.Context(), l.asked(order))
		must(l.T, err)
		if begun || got != order || payment != (seckill.Payment{}) {
			l.Fatalf("%t with %+v of %+v", begun, payment, got)
		}
	}
	if all := l.paymentsOf(late); len(all) > 0 {
		l.Fatalf("payments are %+v", all)
	}
}

func beginsOwn(l tillTest) {
	order := l.unpaid()
	for _, change := range []func(*seckill.NewPayment){
		func(p *seckill.NewPayment) { p.User = "stranger" },
		func(p *seckill.NewPayment) { p.User = "" },
		func(p *seckill.NewPayment) { p.Order = l.id(order.ID.Bucket()) },
	} {
		asked := l.asked(order)
		change(&asked)
		_, _, _, err := l.Payments.Begin(l.Context(), asked)
		wantMissing(l.T, err)
	}
	if all := l.paymentsOf(order); len(all) > 0 {
		l.Fatalf("payments are %+v", all)
	}
}

func beginsFindable(l tillTest) {
	order := l.unpaid()
	asked := l.asked(order)
	asked.ID = l.id((order.ID.Bucket() + 1) % seckill.Buckets)
	if _, _, _, err := l.Payments.Begin(l.Context(), asked); !errors.Is(err, seckill.ErrPoison) {
		l.Fatalf("got %v", err)
	}
}

func notesSession(l tillTest) {
	payment := l.begin(l.unpaid())
	want := payment
	want.Session, want.URL = "cs_1", "https://bank.example/pay/1"
	for _, session := range []string{"cs_1", "cs_1", "cs_2"} {
		got, err := l.Payments.Opened(l.Context(), payment.ID, session, "https://bank.example/pay/"+session[3:])
		must(l.T, err)
		if got != want || l.payment(payment.ID) != want {
			l.Fatalf("got %+v, want %+v", got, want)
		}
	}
}

func notesSessionLate(l tillTest) {
	order := l.unpaid()
	payment := l.begin(order)
	l.record(l.charge(payment, "one"))
	l.record(l.charge(payment, "two"))
	got, err := l.Payments.Opened(l.Context(), payment.ID, "cs_1", "https://bank.example/pay/1")
	must(l.T, err)
	if got.Session != "cs_1" || got.State != seckill.PaymentPaid {
		l.Fatalf("got %+v", got)
	}
	l.refund(l.find(order.ID), false)
	refunds := l.refunds(order.ID)
	if len(refunds) != 2 || refunds[0].Session != "cs_1" || refunds[1].Session != "cs_1" {
		l.Fatalf("refunds are %+v", refunds)
	}
}

func closesPayment(l tillTest) {
	order := l.unpaid()
	payment := l.begin(order)
	for range 2 {
		must(l.T, l.Payments.Closed(l.Context(), payment.ID))
		if state := l.payment(payment.ID).State; state != seckill.PaymentClosed {
			l.Fatalf("it is %s", state)
		}
	}
	_, charge := l.paid()
	must(l.T, l.Payments.Closed(l.Context(), charge.Payment))
	if state := l.payment(charge.Payment).State; state != seckill.PaymentPaid {
		l.Fatalf("a paid one became %s", state)
	}
	l.wantEvents(order.ID)
}

func missesPayments(l tillTest) {
	order := l.unpaid()
	none := l.id(order.ID.Bucket())
	_, err := l.Payments.Payment(l.Context(), none)
	wantMissing(l.T, err)
	_, err = l.Payments.Opened(l.Context(), none, "cs_1", "")
	wantMissing(l.T, err)
	wantMissing(l.T, l.Payments.Closed(l.Context(), none))
	if all := l.paymentsOf(order); len(all) > 0 {
		l.Fatalf("payments are %+v", all)
	}
}
