package keeper

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// outage is two keepers of one process, and what they say while a provider is away.
type outage struct {
	*testing.T
	*till
	log    strings.Builder
	jobs   []*Close
	orders int // that the metrics say are held
}

func newOutage(t *testing.T, orders int) *outage {
	t.Helper()
	o := &outage{T: t, till: newTill(orders)}
	o.pay(orders)
	o.ports.Log = slog.New(slog.NewTextHandler(&o.log, nil))
	o.ports.Metrics.Held = func(_, orders, payments int) { o.orders, o.held = orders, payments }
	o.ports.Held = NewHeld(o.clock, o.ports.Log, o.ports.Metrics)
	o.jobs = []*Close{NewClose(o.ports), NewClose(o.ports)}
	return o
}

// pass has every keeper look once, then lets so long pass that everything is asked again.
func (o *outage) pass() {
	o.Helper()
	for _, job := range o.jobs {
		if err := job.RunOnce(o.Context()); err != nil {
			o.Fatal(err)
		}
	}
	o.clock.Advance(closeRetryMost)
}

// said are the lines of a level, forgotten then.
func (o *outage) said() (errors, others []string) {
	for line := range strings.Lines(o.log.String()) {
		if strings.Contains(line, "level=ERROR") {
			errors = append(errors, line)
		} else {
			others = append(others, line)
		}
	}
	o.log.Reset()
	return errors, others
}

func TestHeld(t *testing.T) {
	t.Parallel()
	t.Run("calls somebody once in an outage, whoever finds out, and says once that it is over", callsOnce)
	t.Run("calls nobody for what is over in a moment", callsNobody)
	t.Run("calls again in the next outage", callsAgain)
	t.Run("counts an order with two payments once", countsOrders)
	t.Run("is over when another process has closed what was open", isOverElsewhere)
}

func callsOnce(t *testing.T) {
	t.Parallel()
	o := newOutage(t, 3)
	o.provider.away = true
	for range 10 {
		o.pass()
	}
	errors, others := o.said()
	if len(errors) != 1 || !strings.Contains(errors[0], "orders=3") || len(others) > 0 || o.orders != 3 {
		t.Fatalf("counts %d and says %q, and %q", o.orders, errors, others)
	}
	o.provider.away = false
	for range 3 {
		o.pass()
	}
	errors, others = o.said()
	if len(errors) > 0 || len(others) != 1 || !strings.Contains(others[0], "orders=3") || o.orders != 0 {
		t.Fatalf("counts %d and says %q, and %q", o.orders, errors, others)
	}
}

func callsNobody(t *testing.T) {
	t.Parallel()
	o := newOutage(t, 1)
	o.provider.away = true
	for range closeTriesAlarm - 1 {
		o.pass()
	}
	if o.orders != 1 {
		t.Fatalf("counts %d", o.orders)
	}
	o.provider.away = false
	o.pass()
	o.pass()
	if errors, others := o.said(); len(errors)+len(others) > 0 || o.orders != 0 {
		t.Fatalf("counts %d and says %q, and %q", o.orders, errors, others)
	}
}

func callsAgain(t *testing.T) {
	t.Parallel()
	o := newOutage(t, 2)
	open := slices.Clone(o.payments.open)
	for range 2 {
		o.payments.open = slices.Clone(open)
		o.provider.away = true
		for range closeTriesAlarm {
			o.pass()
		}
		o.provider.away = false
		o.pass()
		o.pass()
		if errors, others := o.said(); len(errors) != 1 || len(others) != 1 {
			t.Fatalf("says %q, and %q", errors, others)
		}
	}
}

func countsOrders(t *testing.T) {
	t.Parallel()
	o := newOutage(t, 1)
	second := o.payments.open[0]
	second.ID++
	o.payments.open = append(o.payments.open, second)
	o.provider.away = true
	o.pass()
	if o.orders != 1 || o.held != 2 {
		t.Fatalf("counts %d orders and %d payments", o.orders, o.held)
	}
}

func isOverElsewhere(t *testing.T) {
	t.Parallel()
	o := newOutage(t, 1)
	o.provider.away = true
	for range closeTriesAlarm {
		o.pass()
	}
	o.payments.open = nil
	o.pass()
	if errors, others := o.said(); len(errors) != 1 || len(others) != 1 || o.orders != 0 {
		t.Fatalf("counts %d and says %q, and %q", o.orders, errors, others)
	}
}
