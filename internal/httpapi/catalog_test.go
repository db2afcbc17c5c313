package httpapi_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestCatalog(t *testing.T) {
	t.Parallel()
	t.Run("shows what is available, 0 included, and leaves it out while it is not known", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		none := int64(0)
		w.purchases.left = &none
		if item := read[api.Item](t, w.ask(call{path: itemPath})); item.Available == nil || *item.Available != 0 {
			t.Errorf("item is %+v", item)
		}
		w.purchases.left = nil
		if item := read[api.Item](t, w.ask(call{path: itemPath})); item.Available != nil {
			t.Errorf("item is %+v", item)
		}
	})
}

func TestOneTry(t *testing.T) {
	t.Parallel()
	t.Run("is said of an item that gives one, and left out of others", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		if item := read[api.Item](t, w.ask(call{path: itemPath})); item.OneTry {
			t.Errorf("item is %+v", item)
		}
		w.purchases.sales[0].Items[0].OneTry = true
		for _, sale := range read[api.SaleList](t, w.ask(call{path: "/v1/sales"})).Data {
			if !sale.Items[0].OneTry {
				t.Errorf("sale is %+v", sale)
			}
		}
	})
}

func TestSaleList(t *testing.T) {
	t.Parallel()
	t.Run("lists by state and pages, newest first", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.sales = nil
		for id := seckill.ID(5); id > 0; id-- {
			sale := drop(seckill.SaleLive)
			sale.ID, sale.Items = id, nil
			if id == 3 {
				sale.State = seckill.SaleEnded
			}
			w.purchases.sales = append(w.purchases.sales, sale)
		}
		var seen []string
		for path := "/v1/sales?state=live&limit=3"; path != ""; {
			list := read[api.SaleList](t, w.ask(call{path: path}))
			for _, sale := range list.Data {
				seen = append(seen, sale.ID)
			}
			path = ""
			if list.Next != "" {
				path = "/v1/sales?state=live&limit=3&cursor=" + list.Next
			}
		}
		if got := strings.Join(seen, " "); got != "5 4 2 1" {
			t.Errorf("saw %s", got)
		}
		w.expectProblem(w.ask(call{path: "/v1/sales?state=draft"}), http.StatusBadRequest, seckill.Invalid, "state")
	})
	t.Run("is busy rather than empty before it was read", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.unread, w.purchases.sales = true, nil
		w.expectProblem(w.ask(call{path: "/v1/sales"}), http.StatusServiceUnavailable, seckill.Busy, "")
	})
}

func TestArchive(t *testing.T) {
	t.Parallel()
	t.Run("finds old sales and their items in the archive, but no drafts", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.sales = nil
		w.archive.sale = drop(seckill.SaleEnded)
		salePath := "/v1/sales/" + saleID.String()
		expectStatus(t, w.ask(call{path: salePath}), http.StatusOK)
		expectStatus(t, w.ask(call{path: itemPath}), http.StatusOK)
		w.archive.sale = drop(seckill.SaleDraft)
		w.expectProblem(w.ask(call{path: salePath}), http.StatusNotFound, seckill.NotFound, "")
		w.expectProblem(w.ask(call{path: itemPath}), http.StatusNotFound, seckill.NotFound, "")
	})
	t.Run("does not take a broken archive for a missing sale", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.archive.err = errors.New("broken")
		w.expectProblem(w.ask(call{path: "/v1/sales/1"}), http.StatusServiceUnavailable, seckill.Busy, "")
		w.expectProblem(w.ask(call{path: "/v1/items/1"}), http.StatusServiceUnavailable, seckill.Busy, "")
	})
	t.Run("refuses malformed ids by their names", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.expectProblem(w.ask(call{path: "/v1/sales/0"}), http.StatusBadRequest, seckill.Invalid, "sale_id")
		w.expectProblem(w.ask(call{path: "/v1/items/1e3"}), http.StatusBadRequest, seckill.Invalid, "item_id")
	})
}

func TestAccountCalls(t *testing.T) {
	t.Parallel()
	const body = `{"username":"ada","password":"correct horse"}`
	t.Run("register and log in", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		response := w.ask(call{method: http.MethodPost, path: "/v1/auth/register", body: body})
		expectStatus(t, response, http.StatusCreated)
		if account := read[api.Account](t, response); account.Username != "ada" {
			t.Errorf("account is %+v", account)
		}
		response = w.ask(call{method: http.MethodPost, path: "/v1/auth/login", body: body})
		expectStatus(t, response, http.StatusOK)
		if token := read[api.Token](t, response); token.AccessToken != "a.b.c" || token.ExpiresIn != 3600 {
			t.Errorf("token is %+v", token)
		}
	})
	t.Run("pass refusals on", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.accounts.err = &seckill.Refusal{Reason: seckill.Conflict, Field: "username", Detail: "this name is taken"}
		w.expectProblem(w.ask(call{method: http.MethodPost, path: "/v1/auth/register", body: body}), http.StatusConflict, seckill.Conflict, "username")
		w.accounts.err = seckill.BusyFor(time.Second, "too many")
		w.expectProblem(w.ask(call{method: http.MethodPost, path: "/v1/auth/login", body: body}), http.StatusServiceUnavailable, seckill.Busy, "")
	})
	t.Run("refuse bad bodies by the field and never repeat a password", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for body, field := range map[string]string{
			`{"username":"ada"}`: "password", `{"password":"hunter2222"}`: "username", `{"username":1,"password":"hunter2222"}`: "username",
			`{"username":"ada","password":"hunter2222","admin":true}`: "admin", `{"username":"ada","password":["hunter2222"]}`: "password",
		} {
			for _, path := range []string{"/v1/auth/register", "/v1/auth/login"} {
				problem := w.expectProblem(w.ask(call{method: http.MethodPost, path: path, body: body}), http.StatusBadRequest, seckill.Invalid, field)
				if strings.Contains(problem.Detail, "hunter") {
					t.Errorf("detail is %q", problem.Detail)
				}
			}
		}
		if strings.Contains(string(w.log.bytes()), "hunter") {
			t.Error("a password was logged")
		}
	})
}
