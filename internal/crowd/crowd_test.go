package crowd_test

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/crowd"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// config is a quick crowd against a server.
func config(url string) crowd.Config {
	return crowd.Config{
		BaseURLs: []string{url}, AdminURL: url, OperatorKey: "operator-key", Shoppers: 200, Concurrency: 16, Seed: 7,
		Mint:     func(user string) (string, error) { return mint(user), nil },
		Spread:   20 * time.Millisecond,
		Patience: 30 * time.Second, RetryAfterMax: 20 * time.Millisecond, Quiet: true,
	}
}

func play(t *testing.T, c crowd.Config) crowd.Report {
	t.Helper()
	report, err := crowd.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	sum := report.Queued + report.Replayed + report.SoldOut + report.LimitReached + report.Refused + report.Unanswered
	if report.Asked != sum {
		t.Errorf("asked %d, but the columns add up to %d", report.Asked, sum)
	}
	return report
}

func addsUp(t *testing.T, report crowd.Report) {
	t.Helper()
	if err := report.Verdict(); err != nil {
		t.Fatalf("%v\n%v", err, report.Problems)
	}
}

func TestHonestShop(t *testing.T) {
	t.Parallel()

	t.Run("adds up, sells every unit and counts every answer", func(t *testing.T) {
		t.Parallel()
		s := newShop(100)
		report := play(t, config(s.open(t).URL))
		addsUp(t, report)
		if report.Units != 100 || report.Queued != report.Orders || report.Ordered != report.Queued || report.Compared != 200 {
			t.Errorf("%+v", report)
		}
		if report.Replayed == 0 || report.SoldOut == 0 || report.LimitReached == 0 {
			t.Errorf("nobody retried, was too late or wanted too much: %+v", report)
		}
	})
}

func TestFaultyShop(t *testing.T) {
	t.Parallel()

	t.Run("adds up when answers are lost after the deed", func(t *testing.T) {
		t.Parallel()
		s := newShop(100)
		s.cut = func(s *shop) bool { return s.everyNth(7) }
		report := play(t, config(s.open(t).URL))
		addsUp(t, report)
		if report.Lost == 0 {
			t.Error("no answer was lost")
		}
	})

	t.Run("adds up when outcomes are unknown, whether the reservation exists or not", func(t *testing.T) {
		t.Parallel()
		s := newShop(100)
		s.before = func(s *shop, _, _ string, _ int64) *api.Problem {
			return problemIf(s.everyNth(5), api.Problem{Reason: api.ReasonUnknownOutcome, ReservationID: "5"})
		}
		s.after = func(s *shop, b *booked) *api.Problem {
			return problemIf(s.everyNth(3), api.Problem{Reason: api.ReasonUnknownOutcome, ReservationID: b.id})
		}
		addsUp(t, play(t, config(s.open(t).URL)))
	})

	t.Run("waits while the shop is busy", func(t *testing.T) {
		t.Parallel()
		s := newShop(100)
		s.before = func(s *shop, _, _ string, _ int64) *api.Problem {
			return problemIf(s.requests < 300, api.Problem{Reason: api.ReasonBusy, RetryAfter: 1})
		}
		report := play(t, config(s.open(t).URL))
		addsUp(t, report)
		if report.Waits < 299 {
			t.Errorf("%d waits", report.Waits)
		}
	})

	t.Run("waits for a sale that has not opened, and is not early", func(t *testing.T) {
		t.Parallel()
		s := newShop(100)
		s.state, s.opens = api.SaleStateScheduled, time.Now().Add(1500*time.Millisecond)
		c := config(s.open(t).URL)
		c.Patience = time.Second // less than the wait: waiting for the opening is no standstill
		addsUp(t, play(t, c))
	})
}

func TestCrowdGoesToAnotherAPIWhenOneCloses(t *testing.T) {
	t.Parallel()
	s := newShop(100)
	staying, closing := s.open(t), s.open(t)
	s.before = func(s *shop, _, _ string, _ int64) *api.Problem {
		if s.requests == 50 {
			go func() { _ = closing.Listener.Close(); closing.CloseClientConnections() }()
		}
		return nil
	}
	c := config(closing.URL)
	c.BaseURLs, c.AdminURL = append(c.BaseURLs, staying.URL), staying.URL
	report := play(t, c)
	addsUp(t, report)
	if report.Outages == 0 || report.Units != 100 {
		t.Errorf("%d outages, %d units", report.Outages, report.Units)
	}
}

func TestCrowd(t *testing.T) {
	t.Parallel()

	t.Run("can register its shoppers", func(t *testing.T) {
		t.Parallel()
		s := newShop(20)
		c := config(s.open(t).URL)
		c.Register, c.Mint, c.Shoppers = true, nil, 30
		addsUp(t, play(t, c))
	})

	t.Run("writes every answer into the ledger", func(t *testing.T) {
		t.Parallel()
		s := newShop(20)
		var file bytes.Buffer
		c := config(s.open(t).URL)
		c.Ledger = &file
		report := play(t, c)
		var queued int64
		for line := range strings.Lines(file.String()) {
			var e struct{ Answer string }
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if e.Answer == "queued" {
				queued++
			}
		}
		if queued != report.Queued+report.Replayed {
			t.Errorf("%d lines say queued, the report %d and %d again", queued, report.Queued, report.Replayed)
		}
	})

	t.Run("ends with a table and the verdict in the last line", func(t *testing.T) {
		t.Parallel()
		s := newShop(20)
		var out bytes.Buffer
		c := config(s.open(t).URL)
		c.Out = &out
		play(t, c)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "Everything adds up: ") {
			t.Errorf("the last line is %q", last)
		}
		for _, row := range []string{"asked", "queued", "ordered", "sold out", "limit reached", "other refusals", "errors"} {
			if !strings.Contains(out.String(), row) {
				t.Errorf("the table has no %s:\n%s", row, out.String())
			}
		}
	})
}

// restarting serves a shop on one address, and closes and serves it again once it has had some purchases.
func restarting(t *testing.T, s *shop, purchases int) (address string) {
	t.Helper()
	down := make(chan struct{})
	s.before = func(s *shop, _, _ string, _ int64) *api.Problem {
		if s.requests == purchases {
			close(down)
		}
		return nil
	}
	first := serve(t, s, testenv.FreeAddr(t))
	address = first.Addr
	var again sync.WaitGroup
	again.Go(func() {
		<-down
		_ = first.Close()
		<-time.After(400 * time.Millisecond)
		serve(t, s, address)
	})
	t.Cleanup(again.Wait)
	return address
}

func serve(t *testing.T, s *shop, address string) *http.Server {
	t.Helper()
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Error(err)
		return &http.Server{ReadHeaderTimeout: time.Second}
	}
	server := &http.Server{Addr: listener.Addr().String(), Handler: s.handler(), ReadHeaderTimeout: time.Second}
	t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	return server
}

func TestRestart(t *testing.T) {
	t.Parallel()
	t.Run("adds up when the server goes away in the middle and comes back", func(t *testing.T) {
		t.Parallel()
		s := newShop(300)
		report := play(t, config("http://"+restarting(t, s, 150)))
		addsUp(t, report)
		if report.Outages == 0 {
			t.Errorf("nobody noticed: %+v", report)
		}
	})

	t.Run("gives up when nobody gets anywhere, and says what is missing", func(t *testing.T) {
		t.Parallel()
		s := newShop(20)
		s.before = func(*shop, string, string, int64) *api.Problem { return &api.Problem{Reason: api.ReasonBusy} }
		c := config(s.open(t).URL)
		c.Patience = time.Second
		report := play(t, c)
		for _, kind := range []crowd.ProblemKind{crowd.Stalled, crowd.Unanswered, crowd.Unserved} {
			if report.Counts[kind] == 0 {
				t.Errorf("no %s in %v", kind, report.Counts)
			}
		}
	})

	t.Run("fails with a sentence when there is nobody", func(t *testing.T) {
		t.Parallel()
		c := config("http://127.0.0.1:1")
		c.Patience = 200 * time.Millisecond
		if _, err := crowd.Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "nobody answers at") {
			t.Errorf("got %v", err)
		}
	})
}
