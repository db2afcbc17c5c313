package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const probeUnits = 2000

// probe buys one unit at a time of a sale that nobody else buys from, at a door of the test's choice, each time as another
// shopper, and remembers what it was promised.
type probe struct {
	t      *testing.T
	fleet  *distributed
	sale   string
	item   string
	doors  []string
	tokens *identity.Tokens

	shoppers int
	promised map[string]string // reservation -> shopper
	unsure   int64             // asked for and not answered, or only with an unknown outcome: each may hold a unit
}

// newProbe takes over the sale that the fleet has made last.
func newProbe(d *distributed) *probe {
	d.t.Helper()
	p := &probe{t: d.t, fleet: d, sale: d.sale.ID, item: d.sale.Items[0].ID, tokens: d.tokens(), promised: map[string]string{}}
	for _, node := range d.Nodes["api"] {
		p.doors = append(p.doors, "http://"+node.Addr())
	}
	return p
}

// buy asks once and returns the reason of the refusal, "" for a promise.
func (p *probe) buy(door int) seckill.Reason {
	p.t.Helper()
	p.shoppers++
	shopper := fmt.Sprintf("probe-%d", p.shoppers)
	var answer struct {
		ID     string         `json:"id"`
		Reason seckill.Reason `json:"reason"`
	}
	status := p.call(http.MethodPost, p.doors[door]+"/v1/items/"+p.item+"/reservations", shopper, `{"quantity":1}`, &answer)
	if status == http.StatusAccepted {
		p.promised[answer.ID] = shopper
		return ""
	}
	if status == 0 || answer.Reason == seckill.UnknownOutcome {
		p.unsure++
	}
	return answer.Reason
}

// mustBuy buys one unit, as soon as it can be had.
func (p *probe) mustBuy() {
	p.t.Helper()
	p.fleet.await("the probe buys", func() bool { return p.buy(0) == "" })
}

// available is what Redis may still sell.
func (p *probe) available() int64 {
	p.t.Helper()
	var stats api.SaleStats
	if err := p.fleet.operate(http.MethodGet, "/admin/v1/sales/"+p.sale+"/stats", struct{}{}, &stats); err != nil {
		p.t.Fatal(err)
	}
	redis := stats.Items[0].Redis
	if redis == nil || redis.Available == nil {
		p.t.Fatal("Redis does not say what is available")
	}
	return *redis.Available
}

// settle waits until everything that was promised is an order.
func (p *probe) settle() {
	p.t.Helper()
	for id, shopper := range p.promised {
		var answer api.Reservation
		p.fleet.await("reservation "+id+" is decided", func() bool {
			status := p.call(http.MethodGet, p.doors[0]+"/v1/items/"+p.item+"/reservations/"+id+"?wait=5s", shopper, "", &answer)
			return status == http.StatusOK && answer.Status != "queued"
		})
		if answer.Status != "ordered" {
			p.t.Errorf("reservation %s was promised and is %+v", id, answer)
		}
	}
	p.t.Logf("the probe was promised %d units", len(p.promised))
}

// call is one request of a shopper; 0 means that it was not answered.
func (p *probe) call(method, url, shopper, body string, answer any) int {
	p.t.Helper()
	token, err := p.tokens.Mint(seckill.UserID(shopper), time.Hour)
	if err != nil {
		p.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(p.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	if json.NewDecoder(response.Body).Decode(answer) != nil {
		return 0
	}
	return response.StatusCode
}
