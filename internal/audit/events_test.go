package audit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

const (
	books = "books"
	mail  = "mail"
)

// tellingShop tells two endpoints what becomes of it: ann has paid, cas has cancelled, fay has her money back, and an
// operator has taken what was left. books has heard of everything but the last steps, mail of nothing yet; what the sale
// has come to is not spread yet, and one dispatch is dead.
func tellingShop(t *testing.T) *shop {
	t.Helper()
	s := openNewShop(t, true)
	s.open()
	for _, user := range []string{"ann", "cas", "fay"} {
		s.sell(s.reserved(user, 1, ""))
	}
	s.spread(books, mail)
	s.hears(books)
	for _, user := range []seckill.UserID{"ann", "fay"} {
		s.begin(user)
		s.charge(user, string(user), s.item.PriceMinor)
	}
	_, cancelled, err := s.payments().Cancel(t.Context(), seckill.Cancellation{Order: s.orderOf("cas"), Cause: seckill.CauseUser})
	mustBe(t, cancelled, err)
	_, refunding, err := s.payments().Refund(t.Context(), seckill.RefundRequest{Order: s.orderOf("fay"), Cause: seckill.CauseOperator})
	mustBe(t, refunding, err)
	refunds, err := s.payments().RefundsOf(t.Context(), s.orderOf("fay"))
	must(t, err)
	done, err := s.payments().Refunded(t.Context(), refunds[0])
	mustBe(t, done, err)
	_, err = s.stocks().Adjust(t.Context(), seckill.Adjustment{Item: s.item.ID, Op: "rest", Delta: 3 - allotment})
	must(t, err)
	s.rebuild(3)
	s.spread(books, mail)
	s.pause()
	s.diesFor(mail)
	return s
}

func (s *shop) events() sqlstore.Events { return sqlstore.Events{Store: s.store} }

func (s *shop) spread(endpoints ...string) {
	s.t.Helper()
	for shard := range shards {
		for left := 1; left > 0; {
			var err error
			left, err = s.events().Spread(s.t.Context(), shard, endpoints, 100)
			must(s.t, err)
		}
	}
}

// hears tells an endpoint everything that is due.
func (s *shop) hears(endpoint string) {
	s.t.Helper()
	for shard := range shards {
		for left := 1; left > 0; {
			due, err := s.events().Due(s.t.Context(), shard, endpoint, 100)
			must(s.t, err)
			for _, d := range due {
				must(s.t, s.events().Told(s.t.Context(), shard, endpoint, []seckill.ID{d.ID}))
			}
			left = len(due)
		}
	}
}

// diesFor gives up telling an endpoint the first thing that is due.
func (s *shop) diesFor(endpoint string) {
	s.t.Helper()
	due, err := s.events().Due(s.t.Context(), s.home(), endpoint, 1)
	must(s.t, err)
	must(s.t, s.events().Failed(s.t.Context(), s.home(), endpoint, []seckill.Setback{{Event: due[0].ID, Failure: "no answer", Dead: true}}))
}

func (s *shop) pause() {
	s.t.Helper()
	paused, err := sqlstore.Catalog{Store: s.store}.Change(s.t.Context(), seckill.SaleChange{
		Sale: s.sale.ID, From: []seckill.SaleState{seckill.SaleScheduled}, To: seckill.SalePaused,
		Act: seckill.Act{Actor: "operator:test", Action: "sale.pause", Target: s.sale.ID},
	})
	mustBe(s.t, paused, err)
}

// told finds the event of a kind that is about a subject.
func (s *shop) told(kind seckill.EventType, subject seckill.ID) (shard int, event seckill.BookedEvent) {
	s.t.Helper()
	for shard := range shards {
		page, err := sqlstore.Books{Store: s.store}.EventsAfter(s.t.Context(), shard, 0, 100)
		must(s.t, err)
		at := slices.IndexFunc(page, func(e seckill.BookedEvent) bool { return e.Type == kind && e.Subject == subject })
		if at >= 0 {
			return shard, page[at]
		}
	}
	s.t.Fatalf("there is no %s of %s", kind, subject)
	return 0, seckill.BookedEvent{}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	t.Run("add up while some are told, some wait and one is dead, and when all are told", func(t *testing.T) {
		t.Parallel()
		s := tellingShop(t)
		s.clean()
		notes := strings.Join(s.audit().Notes, "\n")
		for _, want := range []string{"books is still to be told of", "mail was not told of 1 events"} {
			if !strings.Contains(notes, want) {
				t.Errorf("nothing says %q, but\n%s", want, notes)
			}
		}
		s.spread(books, mail)
		s.hears(books)
		s.clean()
		s.hears(mail)
		s.clean()
		if notes := strings.Join(s.audit().Notes, "\n"); strings.Contains(notes, "still to be told") {
			t.Error(notes)
		}
	})
	t.Run("add up when they are dropped, because nobody is named for a day", func(t *testing.T) {
		t.Parallel()
		s := openNewShop(t, true)
		s.open()
		s.sell(s.reserved("ann", 1, ""))
		for shard := range shards {
			s.run(shard, "UPDATE events SET at = at - ?", 2*seckill.UntoldFor.Milliseconds())
		}
		s.spread()
		s.clean()
		for shard := range shards {
			if left, err := (sqlstore.Books{Store: s.store}).EventsAfter(t.Context(), shard, 0, 1); err != nil || len(left) > 0 {
				t.Fatalf("left are %+v, %v", left, err)
			}
		}
	})
}

// eventChanges are what someone does to an event of a kind or to its dispatches, and the rule that tells.
func eventChanges() []struct {
	kind              seckill.EventType
	change, rule, key string
} {
	const (
		paid, sold, paused     = seckill.EventOrderPaid, seckill.EventItemSoldOut, seckill.EventSalePaused
		event, order, dispatch = "event", "order", "dispatch"
	)
	return []struct {
		kind              seckill.EventType
		change, rule, key string
	}{
		{paid, "DELETE FROM events WHERE id = ?", "order_untold", order},
		{paid, "DELETE FROM events WHERE id = ?", "dispatch_without_event", dispatch},
		{paid, "UPDATE events SET type = 'order.lost' WHERE id = ?", "event_type", event},
		{paid, "UPDATE events SET type = 'order.refunded' WHERE id = ?", "event_step", event},
		{paid, "UPDATE events SET type = 'order.refunded' WHERE id = ?", "event_data", event},
		{paid, "UPDATE order_events SET tells = 0 WHERE tells = ?", "event_step", event},
		{paid, "UPDATE events SET subject = 77 WHERE id = ?", "event_subject", event},
		{paid, "UPDATE events SET subject = subject + 1 WHERE id = ?", "event_subject", event},
		{paid, "UPDATE events SET version = 1 WHERE id = ?", "event_twice", event},
		{paid, "UPDATE events SET version = 9 WHERE id = ?", "event_version", event},
		{paid, "UPDATE events SET version = 0 WHERE id = ?", "event_version", event},
		{paid, "UPDATE events SET at = 0 WHERE id = ?", "event_at", event},
		{paid, "UPDATE events SET at = at + 3600000 WHERE id = ?", "event_at", event},
		{paid, "UPDATE events SET data = 'x' WHERE id = ?", "event_data", event},
		{paid, "UPDATE events SET data = replace(data, '1290', '1') WHERE id = ?", "event_data", event},
		{paid, "UPDATE events SET data = replace(data, '\"ann\"', '\"bob\"') WHERE id = ?", "event_data", event},
		{paid, "UPDATE events SET data = replace(data, 'paid', 'unpaid') WHERE id = ?", "event_data", event},
		{paid, "UPDATE events SET spread = 0 WHERE id = ?", "event_dispatches", event},
		{paid, "UPDATE events SET spread = spread + 1 WHERE id = ?", "event_dispatches", event},
		{paid, "UPDATE events SET spread = 1 WHERE id = ?", "event_dispatches", event},
		{paid, "DELETE FROM dispatches WHERE endpoint = 'books' AND event = ?", "event_dispatches", event},
		{paid, "DELETE FROM dispatches WHERE event = ?", "event_dispatches", event},
		{paid, "UPDATE dispatches SET version = 3 WHERE endpoint = 'books' AND event = ?", "dispatch_event", dispatch},
		{paid, "UPDATE dispatches SET subject = 3 WHERE endpoint = 'books' AND event = ?", "dispatch_event", dispatch},
		{paid, "UPDATE dispatches SET next_at = next_at + 86400000 WHERE endpoint = 'books' AND event = ?", "dispatch_times", dispatch},
		{paid, "UPDATE dispatches SET since = since + 3600000 WHERE endpoint = 'books' AND event = ?", "dispatch_times", dispatch},
		{paid, "UPDATE dispatches SET tries = -1 WHERE endpoint = 'books' AND event = ?", "dispatch_times", dispatch},
		{sold, "UPDATE events SET subject = subject + 4096 WHERE id = ?", "event_subject", event},
		{sold, "UPDATE events SET version = 900 WHERE id = ?", "event_version", event},
		{sold, "UPDATE events SET data = replace(data, '\"allotted\":3', '\"allotted\":4') WHERE id = ?", "event_data", event},
		{paused, "UPDATE events SET type = 'sale.ended' WHERE id = ?", "event_data", event},
		{paused, "UPDATE events SET subject = subject + 4096 WHERE id = ?", "event_subject", event},
		{paused, "UPDATE events SET version = 900 WHERE id = ?", "event_version", event},
	}
}

func TestChangedTelling(t *testing.T) {
	t.Parallel()
	shared := tellingShop(t)
	subjects := map[seckill.EventType]seckill.ID{
		seckill.EventOrderPaid: shared.orderOf("ann"), seckill.EventItemSoldOut: shared.item.ID, seckill.EventSalePaused: shared.sale.ID,
	}
	for _, c := range eventChanges() {
		t.Run("is found as "+c.rule+" after "+c.change+" of "+string(c.kind), func(t *testing.T) {
			shard, event := shared.told(c.kind, subjects[c.kind])
			s := shared.untilEnd(t, shard, "events", "dispatches", "order_events")
			s.exec(shard, c.change, event.ID)
			switch c.key {
			case "order":
				s.finds(c.rule, orderTable(event.Subject), event.Subject.String())
			case "dispatch":
				s.finds(c.rule, "dispatches", books+" "+event.ID.String())
			default:
				s.finds(c.rule, "events", event.ID.String())
			}
		})
	}

	t.Run("is found when an event is on a shard where nobody keeps its order", func(t *testing.T) {
		shard, event := shared.told(seckill.EventSalePaused, shared.sale.ID)
		s := shared.untilEnd(t, 1-shard, "events")
		s.exec(1-shard, "INSERT INTO events (id, type, subject, version, data, at, spread) VALUES (?, ?, ?, ?, ?, ?, 0)",
			event.ID, event.Type, event.Subject, event.Version, string(event.Data), event.At.UnixMilli())
		s.finds("event_misplaced", "events", event.ID.String())
	})

	t.Run("is found on a running system when nobody spreads an event", func(t *testing.T) {
		shard, event := shared.told(seckill.EventSalePaused, shared.sale.ID)
		s := shared.untilEnd(t, shard, "events")
		s.redisIs(liveState(s, 0))
		s.exec(shard, "UPDATE events SET at = at - ? WHERE id = ?", 2*seckill.UntoldFor.Milliseconds(), event.ID)
		s.finds("event_dispatches", "events", event.ID.String())
	})
}
