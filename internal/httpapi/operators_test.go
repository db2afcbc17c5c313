package httpapi_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	adminSales = "/admin/v1/sales"
	adminSale  = adminSales + "/7301444403200010"
	newItem    = `{"sku":"MUG-1","title":"Enamel mug","price_minor":1290,"currency":"EUR","allotment":1000,"limit_per_user":2,"one_try":true}`
	newSale    = `{"name":"Spring drop","starts_at":"2026-03-20T10:00:00Z","ends_at":"2026-03-20T12:00:00+01:00","pay_within_seconds":900,"items":[` + newItem + `]}`
)

func (w *world) operate(method, path, body string) answer {
	w.t.Helper()
	return w.ask(call{method: method, path: path, body: body, header: asOperator()})
}

func TestOperate(t *testing.T) {
	t.Parallel()
	t.Run("makes a draft of exactly what was sent", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		response := w.operate(http.MethodPost, adminSales, newSale)
		expectStatus(t, response, http.StatusCreated)
		got := w.operations.draft
		if !got.StartsAt.Equal(time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC)) || !got.EndsAt.Equal(time.Date(2026, 3, 20, 11, 0, 0, 0, time.UTC)) {
			t.Errorf("window is %s to %s", got.StartsAt, got.EndsAt)
		}
		item := operate.DraftItem{SKU: "MUG-1", Title: "Enamel mug", PriceMinor: 1290, Currency: "EUR", Allotment: 1000, LimitPerUser: 2, OneTry: true}
		if got.Name != "Spring drop" || got.PayWithin != 15*time.Minute || !reflect.DeepEqual(got.Items, []operate.DraftItem{item}) || w.operations.actor != "operator:ada" {
			t.Errorf("%s made %+v", w.operations.actor, got)
		}
		if sale := read[api.AdminSale](t, response); sale.Items[0].StockState != api.StockStateNew || sale.Checks != nil {
			t.Errorf("sale is %+v", sale)
		}
	})
}

func TestActs(t *testing.T) {
	t.Parallel()
	t.Run("preloads, pauses, resumes and ends with a check per item and a record of who did it", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, act := range []string{"preload", "pause", "resume", "end"} {
			response := w.operate(http.MethodPost, adminSale+"/"+act, "")
			expectStatus(t, response, http.StatusOK)
			sale := read[api.AdminSale](t, response)
			if w.operations.asked != act || w.operations.actor != "operator:ada" || len(sale.Checks) != 1 || sale.Items[0].StockState != api.StockStateOpen {
				t.Errorf("%s: asked for %s by %s, answered %+v", act, w.operations.asked, w.operations.actor, sale)
			}
		}
		if records := w.records("operated"); len(records) != 4 || records[3]["actor"] != "operator:ada" || records[3]["route"] != "/admin/v1/sales/:sale_id/end" {
			t.Errorf("records are %v", records)
		}
	})
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	t.Run("preloads dry only when told so", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for query, want := range map[string]bool{"": false, "?dry_run=false": false, "?dry_run=true": true} {
			expectStatus(t, w.operate(http.MethodPost, adminSale+"/preload"+query, ""), http.StatusOK)
			if w.operations.dryRun != want {
				t.Errorf("%q ran dry: %t", query, w.operations.dryRun)
			}
		}
		w.operations.asked = ""
		for _, query := range []string{"dry_run=", "dry_run=1", "dry_run=TRUE", "dry_run=true&dry_run=false"} {
			w.expectProblem(w.operate(http.MethodPost, adminSale+"/preload?"+query, ""), http.StatusBadRequest, seckill.Invalid, "dry_run")
		}
		if w.operations.asked != "" {
			t.Error("a bad dry_run preloaded")
		}
	})
}

func TestDeleteSale(t *testing.T) {
	t.Parallel()
	t.Run("deletes with an empty answer", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		expectStatus(t, w.operate(http.MethodDelete, adminSale, ""), http.StatusNoContent)
		w.operations.err = seckill.Refuse(seckill.Conflict, "only a draft can be deleted and this sale is live")
		w.expectProblem(w.operate(http.MethodDelete, adminSale, ""), http.StatusConflict, seckill.Conflict, "")
		if len(w.records("operated")) != 1 {
			t.Error("a refusal was recorded as an act")
		}
	})
}

func TestAdminSaleList(t *testing.T) {
	t.Parallel()
	t.Run("lists drafts too, by state, and passes the pages on", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.operations.page = operate.Page{Sales: []operate.SaleReport{{Sale: drop(seckill.SaleDraft), Now: noon()}}, Next: saleID}
		list := read[api.AdminSaleList](t, w.operate(http.MethodGet, adminSales+"?state=draft&limit=1", ""))
		w.operate(http.MethodGet, adminSales+"?cursor="+list.Next, "")
		if len(list.Data) != 1 || w.operations.query.After != saleID || w.operations.query.Limit != 20 {
			t.Errorf("list is %+v, then asked %+v", list, w.operations.query)
		}
	})
}

func TestAdminIDs(t *testing.T) {
	t.Parallel()
	t.Run("refuses malformed ids by their name at every call", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, c := range []string{
			"GET ", "PATCH ", "DELETE ", "POST /preload", "POST /pause", "POST /resume", "POST /end", "GET /stats", "GET /audit",
		} {
			method, tail, _ := strings.Cut(c, " ")
			body := ""
			if method == http.MethodPatch {
				body = `{"name":"x"}`
			}
			w.expectProblem(w.operate(method, adminSales+"/0"+tail, body), http.StatusBadRequest, seckill.Invalid, "sale_id")
		}
	})
}

func TestPatch(t *testing.T) {
	t.Parallel()
	t.Run("changes what is there and nothing else", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		expectStatus(t, w.operate(http.MethodPatch, adminSale, `{"name":"Late drop"}`), http.StatusOK)
		name := "Late drop"
		if want := (operate.Patch{Name: &name}); !reflect.DeepEqual(w.operations.patch, want) {
			t.Errorf("patch is %+v", w.operations.patch)
		}
		body := `{"pay_within_seconds":60,"starts_at":"2026-03-20T10:00:00Z","ends_at":"2026-03-20T11:00:00Z","limits":[{"item_id":"7301444403200011","limit_per_user":3}]}`
		expectStatus(t, w.operate(http.MethodPatch, adminSale, body), http.StatusOK)
		got := w.operations.patch
		if got.Name != nil || *got.PayWithin != time.Minute || got.StartsAt == nil || got.EndsAt == nil || got.Items != nil ||
			!reflect.DeepEqual(got.Limits, []operate.LimitChange{{Item: itemID, LimitPerUser: 3}}) {
			t.Errorf("patch is %+v", got)
		}
	})
	t.Run("keeps an empty list apart from none, so that the use case refuses it", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.operate(http.MethodPatch, adminSale, `{"items":[]}`)
		if w.operations.patch.Items == nil {
			t.Error("an empty list reads as absent")
		}
	})
}

// edit is newSale with one thing changed.
func edit(old, replacement string) string { return strings.Replace(newSale, old, replacement, 1) }

func TestBadSales(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ body, field string }{
		"a price that is missing":      {edit(`"price_minor":1290,`, ""), "items[0].price_minor"},
		"a price of null":              {edit("1290", "null"), "items[0].price_minor"},
		"a price with cents":           {edit("1290", "12.90"), "items[0].price_minor"},
		"an allotment of 1e3":          {edit("1000", "1e3"), "items[0].allotment"},
		"an unknown field of an item":  {edit(`"sku"`, `"stock":1,"sku"`), "items[0].stock"},
		"an unknown field":             {edit(`"name"`, `"state":"live","name"`), "state"},
		"a second item that is a text": {edit("}]", `},"x"]`), "items[1]"},
		"items that are no list":       {edit("["+newItem+"]", newItem), "items"},
		"a start that is no time":      {edit("2026-03-20T10:00:00Z", "tomorrow"), "starts_at"},
		"a start without a zone":       {edit("2026-03-20T10:00:00Z", "2026-03-20T10:00:00"), "starts_at"},
		"a start as a number":          {edit(`"2026-03-20T10:00:00Z"`, "1774000000"), "starts_at"},
		"seconds that are a text":      {edit("900", `"900"`), "pay_within_seconds"},
		"a name twice":                 {edit(`"name"`, `"name":"x","name"`), "name"},
		"no items":                     {edit(`,"items":[`+newItem+`]`, ""), "items"},
		"a limit that is not there":    {edit(`,"limit_per_user":2`, ""), "items[0].limit_per_user"},
		"one try that is a number":     {edit(`"one_try":true`, `"one_try":1`), "items[0].one_try"},
		"one try that is a text":       {edit(`"one_try":true`, `"one_try":"true"`), "items[0].one_try"},
	}
	for name, c := range cases {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.expectProblem(w.operate(http.MethodPost, adminSales, c.body), http.StatusBadRequest, seckill.Invalid, c.field)
			if w.operations.asked != "" {
				t.Errorf("did %s", w.operations.asked)
			}
		})
	}
}

func TestSaleBounds(t *testing.T) {
	t.Parallel()
	t.Run("refuses a limit of no item by its place", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		response := w.operate(http.MethodPatch, adminSale, `{"limits":[{"item_id":"1","limit_per_user":1},{"item_id":"x","limit_per_user":1}]}`)
		w.expectProblem(response, http.StatusBadRequest, seckill.Invalid, "limits[1].item_id")
	})
	t.Run("says how an item is changed to whoever sends a part of one", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		response := w.operate(http.MethodPatch, adminSale, `{"items":[{"id":"1","allotment":5}]}`)
		problem := w.expectProblem(response, http.StatusBadRequest, seckill.Invalid, "items[0].id")
		if !strings.HasPrefix(problem.Detail, "items[0].id is not a known field; ") || !strings.HasSuffix(problem.Detail, operate.ItemsHint) {
			t.Errorf("got %q", problem.Detail)
		}
	})
	t.Run("takes a hundred large items and refuses more than fits", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		large := strings.Replace(newItem, "Enamel mug", strings.Repeat("ä", 200), 1)
		expectStatus(t, w.operate(http.MethodPost, adminSales, edit(newItem, large+strings.Repeat(","+large, 99))), http.StatusCreated)
		response := w.operate(http.MethodPost, adminSales, edit("Spring drop", strings.Repeat("x", 300<<10)))
		w.expectProblem(response, http.StatusRequestEntityTooLarge, seckill.Invalid, "body")
	})
	t.Run("does not let far too many seconds overflow into few", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.operate(http.MethodPost, adminSales, edit("900", "9223372036854775807"))
		if within := w.operations.draft.PayWithin; within < 365*24*time.Hour {
			t.Errorf("pay within %s", within)
		}
	})
}

func TestFigures(t *testing.T) {
	t.Parallel()
	t.Run("shows where the units are, and leaves out what cannot be asked", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		stats := read[api.SaleStats](t, w.operate(http.MethodGet, adminSale+"/stats", ""))
		item := stats.Items[0]
		if item.Lent != 420 || item.Claimed != 580 || item.Unpaid != 560 || item.Paid != 10 || item.Refunding != 4 || item.Refunded != 6 ||
			item.Orders != (api.OrderCounts{Unpaid: 560, Paid: 10, Refunding: 2, Refunded: 3, Cancelled: 5}) || *item.Redis.Available != 417 || stats.Queue.Ready != 3 {
			t.Errorf("stats are %+v", stats)
		}
	})
}

func TestAuditCall(t *testing.T) {
	t.Parallel()
	t.Run("answers findings with 200, and an empty list when there are none", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.audit.report.OK = true
		report := read[api.AuditReport](t, w.operate(http.MethodGet, adminSale+"/audit", ""))
		if !report.Ok || report.Findings == nil || report.SaleID != saleID.String() || *w.audit.sale != saleID {
			t.Errorf("report is %+v", report)
		}
		w.audit.report = audit.Report{Checked: audit.Checked{Items: 1, Claims: 1000, Orders: 999}, Findings: []audit.Finding{{
			ID: "claim_without_order", Item: itemID, Reservation: reservationID, Table: "claims", Key: reservationID.String(), Detail: "no order",
		}}}
		report = read[api.AuditReport](t, w.operate(http.MethodGet, "/admin/v1/audit", ""))
		if report.Ok || report.SaleID != "" || w.audit.sale != nil || len(report.Findings) != 1 || report.Findings[0].ReservationID != fmt.Sprint(reservationID) {
			t.Errorf("report is %+v", report)
		}
	})
}
