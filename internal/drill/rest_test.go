package drill_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/drill"
)

// TestRest: a drill is at rest when nobody waits for anything, and says what it waits for.
func TestRest(t *testing.T) {
	t.Parallel()
	for does, item := range map[string]api.ItemStats{
		"":                          {StockState: api.StockStateClosed, Allotted: 9, Pool: 4, Claimed: 5, Paid: 3, Refunded: 2},
		"item 7 is open ":           {StockState: api.StockStateOpen},
		"item 7 is closed oversold": {StockState: api.StockStateClosed, Halted: "oversold"},
		moving(1, 0, 0, 0, 0):       {StockState: api.StockStateClosed, Lent: 1},
		moving(0, 1, 0, 0, 0):       {StockState: api.StockStateClosed, Doubt: 1},
		moving(0, 0, 1, 0, 0):       {StockState: api.StockStateClosed, Claimed: 1, Unpaid: 1},
		moving(0, 0, 0, 1, 0):       {StockState: api.StockStateClosed, Claimed: 1, Refunding: 1},
		moving(0, 0, 0, 0, 2):       {StockState: api.StockStateClosed, Claimed: 5, Paid: 3},
	} {
		item.ItemID = "7"
		if got := drill.Moving(item); got != does {
			t.Errorf("%+v: %q, want %q", item, got, does)
		}
	}
}

func moving(lent, doubt, unpaid, refunding, returning int) string {
	return fmt.Sprintf("item 7 has %d lent, %d in doubt, %d unpaid, %d refunding, %d on their way back", lent, doubt, unpaid, refunding, returning)
}

// TestProbesAreNeverRefusedForGood: there are units enough, and who asks is new each time.
func TestProbesAreNeverRefusedForGood(t *testing.T) {
	t.Parallel()
	for reason, lie := range map[api.Reason]bool{
		api.ReasonBusy: false, api.ReasonUnknownOutcome: false, api.ReasonRateLimited: false,
		api.ReasonSoldOut: true, api.ReasonLimitReached: true, api.ReasonEnded: true, api.ReasonPaused: true, api.ReasonNotFound: true, "": true,
	} {
		if found := drill.Refused(reason); (len(found) == 1 && found[0].Kind == "falsely refused") != lie {
			t.Errorf("%q: %v", reason, found)
		}
	}
}

// TestNobodyIsWaitedForWhenItIsHurried: what the shop has promised may be kept later, and a fault be got over.
func TestNobodyIsWaitedForWhenItIsHurried(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprint(w, `{"id":"1001"}`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // until then a server does not notice that nobody listens
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	}))
	defer shop.Close()
	verdict, err := drill.Hurry(t.Context(), t.TempDir(), shop.URL, asked)
	if err != nil || !verdict.Clean() {
		t.Errorf("it found %v, %v", verdict.Findings, err)
	}
}
