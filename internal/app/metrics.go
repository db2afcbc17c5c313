package app

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/settle"
)

func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// purchaseMetrics names what buying counts. Labels come from closed lists, never from a client.
func purchaseMetrics(registerer prometheus.Registerer) purchase.Metrics {
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
	bounds := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seckill_bounds_hit_total", Help: "How often a named limit was reached.",
	}, []string{"bound"})
	failures := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seckill_purchase_failures_total", Help: "Failures of background work of the api role.",
	}, []string{"job"})
	registerer.MustRegister(answers, batches, repeats, bounds, failures)
	return purchase.Metrics{
		Answered: func(reason seckill.Reason, replayed bool) {
			answer, again := string(reason), "no"
			if reason == "" {
				answer = "queued"
			}
			if replayed {
				again = "yes"
			}
			answers.WithLabelValues(answer, again).Inc()
		},
		Batched:  func(requests int) { batches.Observe(float64(requests)) },
		Repeated: repeats.Inc,
		Hit:      func(bound purchase.Bound) { bounds.WithLabelValues(string(bound)).Inc() },
		Failed:   func(job string) { failures.WithLabelValues(job).Inc() },
	}
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
