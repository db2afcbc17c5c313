package main

import (
	"io"
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/report"
	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

func TestEveryFigureIsMeasuredByAStepOfItsRun(t *testing.T) {
	t.Parallel()
	for _, options := range []options{{}, {quick: true}, {scale: true}, {scale: true, quick: true}} {
		b := &bench{options: options, settings: options.settings(), out: io.Discard, report: report.New(options.table(), options.quick, time.Now())}
		measured := map[string]bool{}
		for _, s := range b.steps() {
			for _, name := range s.figures {
				measured[name] = true
			}
		}
		for _, f := range options.table() {
			if !measured[f.Name] {
				t.Errorf("%+v: nothing measures %s", options, f.Name)
			}
		}
	}
}

func TestOnlyChoosesFiguresOfItsRun(t *testing.T) {
	t.Parallel()
	chosen, err := choose(options{scale: true}.table(), "fill_s,api_mib_at_64")
	if err != nil || len(chosen) != 2 {
		t.Errorf("%v, %v", chosen, err)
	}
	if _, err := choose(options{}.table(), "fill_s"); err == nil {
		t.Error("a figure of the other run is taken")
	}
}

func TestScatteredUsersAreAllOfThemOnce(t *testing.T) {
	t.Parallel()
	const some = 200_000
	seen := make(map[int64]bool, some)
	for n := range int64(some) {
		to := scatter(n)
		if to < 0 || to >= stage.PastMost || seen[to] {
			t.Fatalf("%d becomes %d", n, to)
		}
		seen[to] = true
	}
	if slices.Contains([]int64{scatter(1) - 1, scatter(2) - scatter(1)}, 1) {
		t.Error("neighbours stay neighbours")
	}
}

func TestPurchasesTakeTurnsAmongItems(t *testing.T) {
	t.Parallel()
	s, err := newShoppers(stage.NewKey(), 4, scattered)
	if err != nil {
		t.Fatal(err)
	}
	p := newSpread(s, []string{"11", "22"})
	for n, want := range []string{"11", "22", "11", "22"} {
		const begins = "POST /v1/items/"
		if got := string(p.request(nil, int64(n))[len(begins):][:2]); got != want {
			t.Errorf("request %d is for item %s, want %s", n, got, want)
		}
	}
}
