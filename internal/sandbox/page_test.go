package sandbox_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"math"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// page is what a browser gets.
func (f *fixture) page(t testing.TB, session string) string {
	t.Helper()
	_, page := f.call(t, http.MethodGet, "/pay/"+session, "", "Accept", browser)
	return page
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for what, it := range map[string]struct {
		happens func(t *testing.T, f *fixture, payment seckill.Payment)
		says    []string
		payable bool
	}{
		"is open":         {func(*testing.T, *fixture, seckill.Payment) {}, []string{"15 minutes left"}, true},
		"is almost over":  {func(_ *testing.T, f *fixture, _ seckill.Payment) { f.clock.Advance(14 * time.Minute) }, []string{"60 seconds left"}, true},
		"was paid":        {payWith("pay"), []string{"Paid.", "12.90 EUR at 10:00:00 UTC"}, false},
		"was never paid":  {func(_ *testing.T, f *fixture, _ seckill.Payment) { f.clock.Advance(time.Hour) }, []string{"The time to pay is over."}, false},
		"was called off":  {callOff, []string{"The shop has called this payment off.", "Nothing was taken"}, false},
		"was paid late":   {payLate, []string{"Paid too late."}, false},
		"was paid, wrong": {payWith("wrong_amount"), []string{"12.89 EUR at"}, false},
		"was given back":  {payAndBack, []string{"Paid too late.", "given back at 10:00:01 UTC"}, false},
	} {
		t.Run("are shown: a payment that "+what, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			payment := f.payment(t, 7)
			it.happens(t, f, payment)
			page := f.page(t, payment.Session)
			for _, words := range it.says {
				if !strings.Contains(page, words) {
					t.Errorf("does not say %q: %s", words, page)
				}
			}
			if payable := strings.Contains(page, `class="main"`); payable != it.payable {
				t.Errorf("lets people pay: %t", payable)
			}
		})
	}
	t.Run("are shown of a payment that was called off before it was opened", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		f.close(t, seckill.Payment{ID: 9})
		if page := f.page(t, f.entries(t)[0].Session); !strings.Contains(page, "never opened") || strings.Contains(page, "<form") {
			t.Error(page)
		}
	})
}

func payWith(behave string) func(*testing.T, *fixture, seckill.Payment) {
	return func(t *testing.T, f *fixture, payment seckill.Payment) {
		t.Helper()
		f.wantPay(t, http201, payment.Session, `{"behave":"`+behave+`"}`)
	}
}

func callOff(t *testing.T, f *fixture, payment seckill.Payment) {
	t.Helper()
	f.close(t, payment)
}

func payLate(t *testing.T, f *fixture, payment seckill.Payment) {
	t.Helper()
	f.close(t, payment)
	f.wantPay(t, http201, payment.Session, `{"behave":"late"}`)
}

func payAndBack(t *testing.T, f *fixture, payment seckill.Payment) {
	t.Helper()
	payLate(t, f, payment)
	charge := f.close(t, payment)[0]
	f.clock.Advance(time.Second)
	must(t, f.Refund(t.Context(), seckill.Refund{Txn: charge.Txn, AmountMinor: charge.AmountMinor, Currency: charge.Currency}))
}

func TestPageIsSafe(t *testing.T) {
	t.Parallel()
	t.Run("lets browsers use its own style and forms and nothing else", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.payment(t, 7).URL, http.NoBody)
		must(t, err)
		request.Header.Set("Accept", browser)
		transport := &http.Transport{DisableKeepAlives: true}
		response, err := transport.RoundTrip(request)
		must(t, err)
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		must(t, err)
		page := string(content)
		style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
		sum := sha256.Sum256([]byte(style[1]))
		want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
		if policy := response.Header.Get("Content-Security-Policy"); policy != want {
			t.Errorf("policy is %s, want %s", policy, want)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
		if asks := regexp.MustCompile(`<script|<link|<img|src=|style=|url\(|@import|\son[a-z]+=`).FindString(page); asks != "" {
			t.Errorf("it has %q in it", asks)
		}
	})
}

// TestPageIsReadable: whoever reads text, by WCAG 2.2 AA, in both of its color schemes.
func TestPageIsReadable(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("pay.html")
	must(t, err)
	schemes := regexp.MustCompile(`:root \{[^}]*\}`).FindAllString(string(source), -1)
	if len(schemes) != 2 {
		t.Fatalf("there are %d color schemes", len(schemes))
	}
	for _, scheme := range schemes {
		colors := map[string]string{}
		for _, pair := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]+);`).FindAllStringSubmatch(scheme, -1) {
			colors[pair[1]] = pair[2]
		}
		for _, it := range []struct {
			front, back string
			least       float64
		}{
			{"ink", "paper", 4.5},
			{"ink", "ground", 4.5},
			{"soft", "paper", 4.5},
			{"act", "paper", 4.5},
			{"on-act", "act", 4.5},
			{"good", "good-ground", 4.5},
			{"bad", "bad-ground", 4.5},
			{"tell", "tell-ground", 4.5},
			{"edge", "paper", 3},
		} {
			if got := contrast(colors[it.front], colors[it.back]); !(got >= it.least) {
				t.Errorf("%s on %s has a contrast of %.2f, not %.1f, in %s", it.front, it.back, got, it.least, scheme)
			}
		}
	}
}

func contrast(front, back string) float64 {
	a, b := luminance(front), luminance(back)
	return (max(a, b) + .05) / (min(a, b) + .05)
}

func luminance(color string) (sum float64) {
	if len(color) == 3 {
		color = strings.Join([]string{color[:1], color[:1], color[1:2], color[1:2], color[2:], color[2:]}, "")
	}
	for i, weight := range []float64{.2126, .7152, .0722} {
		part, err := strconv.ParseUint(color[2*i:2*i+2], 16, 8)
		if err != nil {
			return math.NaN()
		}
		linear := float64(part) / 255
		if linear <= .04045 {
			sum += weight * linear / 12.92
		} else {
			sum += weight * math.Pow((linear+.055)/1.055, 2.4)
		}
	}
	return sum
}
