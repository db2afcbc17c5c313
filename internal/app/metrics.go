package app

import (
	"cmp"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/keeper"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/settle"
)

func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// newBounds counts the limits that were hit, whosever they are.
func newBounds(registerer prometheus.Registerer) *prometheus.CounterVec {
	bounds := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seckill_bounds_hit_total", Help: "How often a named limit was reached.",
	}, []string{"bound"})
	registerer.MustRegister(bounds)
	return bounds
}

// purchaseMetrics names what buying counts. Labels come from closed lists, never from a client.
func purchaseMetrics(registerer prometheus.Registerer, bounds *prometheus.CounterVec) purchase.Metrics {
	answers := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seckill_purchases_total", Help: "Purchases by answer; queued is an accepted one.",
	}, []string{"answer", "replayed"})
	batches := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "seckill_purchase_batch_requests", Help: "Requests decided by one Redis call.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 9),
	})
	repeats := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "seckill_purchase_repeats_total", Help: "Redis calls that were repeated because their reply was lost.",
	})
	failures := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seckill_purchase_failures_total", Help: "Failures of background work of the api role.",
	}, []string{"job"})
	registerer.MustRegister(answers, batches, repeats, failures)
	return purchase.Metrics{
		Answered: countAnswers(answers),
		Batched:  func(requests int) { batches.Observe(float64(requests)) },
		Repeated: repeats.Inc,
		Hit:      func(bound purchase.Bound) { bounds.WithLabelValues(string(bound)).Inc() },
		Failed:   func(job string) { failures.WithLabelValues(job).Inc() },
	}
}

// countAnswers looks all counters up beforehand: it is called for every purchase.
func countAnswers(answers *prometheus.CounterVec) func(reason seckill.Reason, replayed bool) {
	type kind struct {
		reason   seckill.Reason
		replayed bool
	}
	counters := map[kind]prometheus.Counter{}
	for _, reason := range append(seckill.Reasons(), "") {
		answer := cmp.Or(string(reason), "queued")
		counters[kind{reason, false}] = answers.WithLabelValues(answer, "no")
		counters[kind{reason, true}] = answers.WithLabelValues(answer, "yes")
	}
	return func(reason seckill.Reason, replayed bool) {
		if counter, listed := counters[kind{reason, replayed}]; listed {
			counter.Inc()
		}
	}
}

// checkoutMetrics names what paying counts. The reasons of refunds are there from the start, so that an alarm on the rise of
// one sees the first.
func checkoutMetrics(registerer prometheus.Registerer, bounds *prometheus.CounterVec, providers []string) checkout.Metrics {
	charges := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seckill_charges_total", Help: "Money that arrived, by why it goes back; paid is what stays.",
	}, []string{"provider", "refund"})
	strays := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seckill_stray_charges_total", Help: "Notices of money for payments that do not exist here.",
	}, []string{"provider"})
	failures := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seckill_payment_failures_total", Help: "Payments that the provider did not open.",
	}, []string{"provider"})
	registerer.MustRegister(charges, strays, failures)
	for _, provider := range providers {
		for _, reason := range append(seckill.RefundReasons(), "") {
			charges.WithLabelValues(provider, refundLabel(reason))
		}
		strays.WithLabelValues(provider)
		failures.WithLabelValues(provider)
	}
	return checkout.Metrics{
		Recorded: func(provider string, reason seckill.RefundReason) {
			charges.WithLabelValues(provider, refundLabel(reason)).Inc()
		},
		Unknown: func(provider string) { strays.WithLabelValues(provider).Inc() },
		Failed:  func(provider string) { failures.WithLabelValues(provider).Inc() },
		Hit:     func(bound checkout.Bound) { bounds.WithLabelValues(string(bound)).Inc() },
	}
}

func refundLabel(reason seckill.RefundReason) string {
	if reason == "" {
		return "paid"
	}
	return string(reason)
}

// settleMetrics counts what workers move to the dead letters. Every kind is there from the start, so that an alarm on its
// rise sees the first one.
func settleMetrics(registerer prometheus.Registerer) func(settle.Poison) {
	letters := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seckill_dead_letters_total", Help: "What this process moved to the dead letters, by the kind of poison.",
	}, []string{"poison"})
	registerer.MustRegister(letters)
	for _, poison := range []settle.Poison{settle.Undecodable, settle.Misrouted, settle.Unclaimable, settle.Ahead} {
		letters.WithLabelValues(string(poison))
	}
	return func(poison settle.Poison) { letters.WithLabelValues(string(poison)).Inc() }
}

// auditMetrics shows what does not add up now, by rule. Every rule is there from the start, so that an alarm sees the first.
func auditMetrics(registerer prometheus.Registerer) func(rule string, by int) {
	violations := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "seckill_invariant_violations",
		Help: "What this process has found not to add up, and not seen right again, by the rule that says so.",
	}, []string{"id"})
	registerer.MustRegister(violations)
	for _, rule := range audit.Rules() {
		violations.WithLabelValues(rule)
	}
	return func(rule string, by int) { violations.WithLabelValues(rule).Add(float64(by)) }
}

// keeperMetrics shows what is owed to shoppers and to the stock, by shard.
func keeperMetrics(registerer prometheus.Registerer) keeper.Metrics {
	gauge := func(name, help string) func(shard int) prometheus.Gauge {
		gauges := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"shard"})
		registerer.MustRegister(gauges)
		return func(shard int) prometheus.Gauge { return gauges.WithLabelValues(strconv.Itoa(shard)) }
	}
	returns := gauge("seckill_returns_owed", "Cancelled orders whose units have not gone back to the stock yet.")
	held := gauge("seckill_orders_held",
		"Cancelled orders whose units stay held because their payment provider cannot be reached.")
	unclosed := gauge("seckill_payments_unclosed",
		"Payments of cancelled orders that their provider cannot be asked to close; their units stay held.")
	owed := gauge("seckill_refunds_owed", "Refunds that the provider has not confirmed yet.")
	oldest := gauge("seckill_refund_oldest_seconds", "How long the oldest of them has been owed.")
	forSale := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "seckill_return_to_sale_seconds",
		Help:    "From the end of a cancelled or refunded order, by its database's clock, to its units being for sale in Redis.",
		Buckets: []float64{.1, .25, .5, .75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300},
	})
	done := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seckill_refunds_done_total", Help: "Refunds that the provider has confirmed to this process, by why.",
	}, []string{"reason"})
	for _, reason := range seckill.RefundReasons() {
		done.WithLabelValues(string(reason))
	}
	stuck := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "seckill_refunds_stuck_total", Help: "Failed tries of refunds that have failed ten times or more.",
	})
	loaded := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "seckill_buyers_loaded_total", Help: "Buyers that this process has brought to Redis while it rebuilt items.",
	})
	registerer.MustRegister(forSale, done, stuck, loaded)
	return keeper.Metrics{
		Returns: func(shard, orders int) { returns(shard).Set(float64(orders)) },
		Held: func(shard, orders, payments int) {
			held(shard).Set(float64(orders))
			unclosed(shard).Set(float64(payments))
		},
		ForSale: func(after time.Duration) { forSale.Observe(after.Seconds()) },
		Refunds: func(shard int, refunds int64, since time.Duration) {
			owed(shard).Set(float64(refunds))
			oldest(shard).Set(since.Seconds())
		},
		Refunded: func(reason seckill.RefundReason) { done.WithLabelValues(string(reason)).Inc() },
		Loaded:   func(buyers int) { loaded.Add(float64(buyers)) },
		Stuck:    stuck.Inc,
	}
}
