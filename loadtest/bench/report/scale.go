package report

import (
	"fmt"
	"strconv"
)

// ScaleSizes are what is varied, one at a time.
type ScaleSizes struct {
	Connections []int
	Items       []int
	Buyers      []int64
	// Weighed are those of Buyers at which Redis' memory is of interest.
	Weighed []int64
}

// Scales are the sizes of the figures of Scale.
func Scales() ScaleSizes {
	return ScaleSizes{
		Connections: []int{64, 512, 4096}, Items: []int{1, 10, 100, 1000},
		Buyers: []int64{1000, 10_000, 100_000, 1_000_000}, Weighed: []int64{10_000, 1_000_000},
	}
}

// Scale is every figure of a run that goes to the limits. They have no targets: they say how costs grow.
func Scale() []Figure {
	var table []Figure
	add := func(unit, meaning, name string, size any) {
		table = append(table, Figure{Name: At(name, size), Meaning: fmt.Sprintf(meaning, size), Unit: unit})
	}
	sizes := Scales()
	for _, n := range sizes.Connections {
		add("answers/s", "queued answers/s over %d connections, workers stopped", "accept_per_s", n)
		add("µs", "processor time of the api per queued answer over %d connections", "accept_api_us", n)
		add("ms", "p99 of queued answers over %d connections, closed loop", "accept_closed_p99_ms", n)
		add("MiB", "peak memory of the api over %d connections", "api_mib", n)
	}
	table = append(table, Figure{
		Name: "api_kib_per_connection", Unit: "KiB", Meaning: "peak memory of the api for each connection more, from the fewest to the most",
	})
	for _, n := range sizes.Items {
		add("µs", "processor time of api and Redis per queued answer of one item, %d live", "items_us", n)
	}
	for _, n := range sizes.Items[1:] {
		add("µs", "the same, purchases spread over all %d live items", "spread_us", n)
		add("%", "answers that were queued then; the others were busy, %d items", "spread_queued_percent", n)
	}
	for _, n := range sizes.Buyers {
		add("µs", "processor time of api and Redis per queued answer of an item with %d buyers", "buyers_us", n)
	}
	for _, n := range sizes.Weighed {
		add("bytes", "Redis memory per buyer of an item with %d buyers, with an Idempotency-Key", "redis_bytes", n)
	}
	return append(table, filled()...)
}

// filled are those of order tables that are full.
func filled() []Figure {
	return []Figure{
		{Name: "full_orders", Meaning: "orders of the past, each with its claim and two events", Unit: "orders"},
		{Name: "fill_s", Meaning: "how long it took to write them", Unit: "s"},
		{Name: "full_gb", Meaning: "what they take on the disk", Unit: "GB"},
		{Name: "settle_empty_per_s", Meaning: "orders/s drained from a full queue, tables empty", Unit: "orders/s"},
		{Name: "settle_full_per_s", Meaning: "the same, tables full", Unit: "orders/s"},
		{Name: "settle_empty_mariadbd_us", Meaning: "processor time of mariadbd per order, tables empty", Unit: "µs"},
		{Name: "settle_full_mariadbd_us", Meaning: "the same, tables full", Unit: "µs"},
		{Name: "full_get_order_p99_ms", Meaning: "p99 of reading one order, tables full, open loop", Unit: "ms"},
		{Name: "full_list_orders_p99_ms", Meaning: "p99 of listing a user's orders, tables full, open loop", Unit: "ms"},
	}
}

// At is what a figure is called at a size.
func At(name string, size any) string { return fmt.Sprintf("%s_at_%v", name, size) }

// HasTarget says that there is something to reach.
func (f Figure) HasTarget() bool { return f.Target != 0 }

// split are the figures with and without targets.
func split(figures []Figure) (aimed, scale []Figure) {
	for _, f := range figures {
		if f.HasTarget() {
			aimed = append(aimed, f)
		} else {
			scale = append(scale, f)
		}
	}
	return aimed, scale
}

// file is what the results are called: a run to the limits leaves those of an ordinary one alone.
func (r *Report) file() string {
	if aimed, _ := split(r.figures); len(aimed) == 0 {
		return "scale"
	}
	return "bench"
}

// shortest is a number as people write it in a table: three digits that count.
func shortest(value float64) string {
	digits := 2
	for bound := 10.0; digits > 0 && value >= bound; bound *= 10 {
		digits--
	}
	return strconv.FormatFloat(value, 'f', digits, 64)
}
