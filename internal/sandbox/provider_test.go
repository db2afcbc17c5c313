package sandbox_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestProvider(t *testing.T) {
	t.Parallel()
	contract.Provider(t, func(t *testing.T) contract.ProviderFixture {
		t.Helper()
		return open(t).contract()
	})
}

func (f *fixture) contract() contract.ProviderFixture {
	return contract.ProviderFixture{
		Provider: f,
		Now:      f.clock.Now,
		Pay: func(t testing.TB, session string) bool {
			t.Helper()
			status, answer := f.pay(t, session, `{"behave":"pay"}`)
			if status != http.StatusCreated && status != http.StatusConflict {
				t.Fatalf("paying answers %d: %s", status, answer)
			}
			return status == http.StatusCreated
		},
		Notice: func(t testing.TB, session string) (notice seckill.Notice) {
			t.Helper()
			eventually(t, "the notice", func() bool {
				found := f.shop.toldOf(session)
				if len(found) > 0 {
					notice = found[0]
				}
				return len(found) > 0
			})
			return notice
		},
		Sign: func(body []byte, at time.Time) seckill.Notice {
			header := http.Header{}
			header.Set(sandbox.SignatureHeader, sandbox.Sign(testSecret, at, body))
			return seckill.Notice{Header: header.Get, Body: body, At: at}
		},
		Elsewhere: []byte(`{"id":"evt_1","type":"payout.paid","amount_minor":5}`),
		Refunds: func(t testing.TB, txn string) (n int) {
			t.Helper()
			for _, e := range f.entries(t) {
				if e.Kind == sandbox.KindRefunded && e.Txn == txn {
					n++
				}
			}
			return n
		},
		Down: func(t testing.TB, down bool) {
			t.Helper()
			body := `{"seconds":0}`
			if down {
				body = `{"seconds":3600}`
			}
			if status, answer := f.call(t, http.MethodPost, "/v1/outage", body, "Authorization", "Bearer "+testKey); status != http.StatusNoContent {
				t.Fatalf("the outage answers %d: %s", status, answer)
			}
		},
	}
}

func TestNewProvider(t *testing.T) {
	t.Parallel()
	t.Run("refuses what could not work", func(t *testing.T) {
		t.Parallel()
		for _, options := range []sandbox.ProviderOptions{
			{Key: "k", Secret: "s"},
			{URL: "localhost:1", Key: "k", Secret: "s"},
			{URL: "ftp://localhost", Key: "k", Secret: "s"},
			{URL: "http://localhost", Secret: "s"},
			{URL: "http://localhost", Key: "k"},
		} {
			if _, err := sandbox.NewProvider(options); err == nil {
				t.Errorf("took %+v", options)
			}
		}
	})
	t.Run("shows its key to nobody when the other side refuses", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		const wrong = "a key that is wrong"
		provider, err := sandbox.NewProvider(sandbox.ProviderOptions{URL: f.url, Key: wrong, Secret: testSecret, HTTP: &http.Client{
			Transport: &http.Transport{DisableKeepAlives: true},
		}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = provider.Close(t.Context(), seckill.Payment{ID: 7})
		if err == nil || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), wrong) {
			t.Errorf("got %v", err)
		}
	})
}

// TestStrangers: whoever answers in the sandbox's place is not believed.
func TestStrangers(t *testing.T) {
	t.Parallel()
	for what, says := range map[string]string{
		"nothing": "", "no JSON": "<html>OK</html>", "JSON of no use": "{}", "null": "null", "a list": "[]",
		"another payment": `{"id":"cs_1","url":"http://127.0.0.1/pay/cs_1","reference":"8","state":"closed"}`,
		"an open session": `{"id":"cs_1","url":"javascript:alert(1)","reference":"7","state":"open"}`,
	} {
		t.Run("who say "+what+" have opened, closed and refunded nothing", func(t *testing.T) {
			t.Parallel()
			stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(says)) }))
			t.Cleanup(stranger.Close)
			calls := &http.Transport{}
			t.Cleanup(calls.CloseIdleConnections)
			p, err := sandbox.NewProvider(sandbox.ProviderOptions{URL: stranger.URL, Key: testKey, Secret: testSecret, HTTP: &http.Client{Transport: calls}})
			must(t, err)
			_, _, openErr := p.Open(t.Context(), seckill.Payment{ID: 7}, "Mug")
			_, closeErr := p.Close(t.Context(), seckill.Payment{ID: 7})
			refundErr := p.Refund(t.Context(), seckill.Refund{Txn: "ch_1", AmountMinor: 1290})
			if openErr == nil || closeErr == nil || refundErr == nil {
				t.Errorf("opened: %v, closed: %v, refunded: %v", openErr, closeErr, refundErr)
			}
		})
	}
	t.Run("who are over are not opened", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		payment := f.payment(t, 7)
		f.close(t, payment)
		if _, _, err := f.Open(t.Context(), payment, "Mug"); !errors.Is(err, seckill.ErrOver) {
			t.Errorf("it says %v", err)
		}
	})
}
