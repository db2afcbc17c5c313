// Package report keeps what a bench has measured: raw values of each side and round, the figures that come of them, their
// targets, and under what conditions. It writes them as a table, as JSON and as one HTML page without external parts.
package report

import "fmt"

// Figure is one result with its target.
type Figure struct {
	Name    string `json:"-"`
	Meaning string `json:"meaning"`
	Unit    string `json:"unit,omitempty"`
	// AtMost says that less is better.
	AtMost bool `json:"-"`
	// Target is 0 where there is none.
	Target float64 `json:"-"`
	// Value is nil until it is measured.
	Value *float64 `json:"value"`
}

// Table is every figure, in the order in which they are shown.
func Table() []Figure {
	return []Figure{
		{Name: "accept_vs_naive", Meaning: "queued answers/s, workers stopped: product / naive", Target: 3},
		{Name: "accept_vs_gin", Meaning: "queued answers/s, workers stopped: product / bare gin", Target: 0.45},
		{Name: "sustained_vs_naive", Meaning: "queued answers/s that the whole pipeline persists / naive, which persists nothing", Target: 1.3},
		{Name: "sustained_orders_per_s", Meaning: "the same, absolute", Unit: "orders/s", Target: 15_000},
		{Name: "refuse_vs_gin", Meaning: "sold-out answers/s / bare gin", Target: 0.9},
		{Name: "reserve_vs_single", Meaning: "reservations/s by 64 callers, batches of 256 / one EVALSHA at a time", Target: 5},
		{Name: "reserve_per_s", Meaning: "the same, absolute", Unit: "reservations/s", Target: 300_000},
		{Name: "settle_vs_insert", Meaning: "orders/s drained from a full queue to claims and orders / bare insert of the same rows", Target: 0.6},
		{Name: "accept_p99_ms", Meaning: "p99 of queued answers at half of the peak, open loop", Unit: "ms", AtMost: true, Target: 50},
		{Name: "queued_to_ordered_p99_ms", Meaning: "p99 from the queued answer to the order, same rate", Unit: "ms", AtMost: true, Target: 250},
		{Name: "redis_bytes_per_buyer", Meaning: "Redis memory per buyer, limit 1, with an Idempotency-Key", Unit: "bytes", AtMost: true, Target: 160},
		{Name: "cost_growth", Meaning: "processor time per queued answer with many live items and buyers / with one item and 1,000 buyers", AtMost: true, Target: 1.15},
		{Name: "embedded_vs_naive", Meaning: "queued answers/s, embedded / naive on real servers", Target: 2},
	}
}

// Find is the figure of that name.
func Find(table []Figure, name string) (Figure, bool) {
	for _, figure := range table {
		if figure.Name == name {
			return figure, true
		}
	}
	return Figure{}, false
}

// OK says that it was measured and reaches its target.
func (f Figure) OK() bool {
	switch {
	case f.Value == nil:
		return false
	case f.AtMost:
		return *f.Value <= f.Target
	default:
		return *f.Value >= f.Target
	}
}

// Aim is the target in words.
func (f Figure) Aim() string {
	if f.AtMost {
		return fmt.Sprintf("<= %v", f.Target)
	}
	return fmt.Sprintf(">= %v", f.Target)
}

// Shown is the value as a table shows it.
func (f Figure) Shown() string {
	switch {
	case f.Value == nil:
		return "-"
	case *f.Value >= 1000, !f.HasTarget():
		return shortest(*f.Value)
	default:
		return fmt.Sprintf("%.2f", *f.Value)
	}
}
