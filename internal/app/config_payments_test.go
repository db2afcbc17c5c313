package app_test

import (
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/app"
)

func TestPaymentSettings(t *testing.T) {
	t.Parallel()
	t.Run("take the sandbox when nothing is said, where a newcomer begins, and nobody elsewhere", defaultProvider)
	for name, c := range wrongPayments() {
		t.Run("refuse "+name, func(t *testing.T) {
			t.Parallel()
			_, err := loadText(t, changed(t, c.change))
			wantSentence(t, err, c.want)
		})
	}
	for name, c := range unsafePayments() {
		t.Run("are refused in production and warned of in development with "+name, func(t *testing.T) {
			t.Parallel()
			_, err := loadText(t, changed(t, c.change))
			wantSentence(t, err, c.want+" (refused by profile: production)")
			config := mustLoad(t, changed(t, c.change, change{"profile", "development"}))
			if warnings := config.Warnings(); !strings.Contains(strings.Join(warnings, "\n"), c.want) {
				t.Errorf("development warns %q, not %q", warnings, c.want)
			}
		})
	}
	t.Run("do not look at providers that are not used", func(t *testing.T) {
		t.Parallel()
		mustLoad(t, "payments: {provider: none, sandbox: {listen: nonsense}, stripe: {success_url: nonsense}}")
	})
}

func defaultProvider(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                           app.ProviderSandbox,
		"payments: {provider: none}": app.ProviderNone,
		production:                   app.ProviderNone,
		changed(t):                   app.ProviderStripe,
		changed(t, change{"payments", nil}, change{"profile", "development"}):                                             "",
		changed(t, change{"payments", map[string]any{"provider": app.ProviderSandbox}}, change{"profile", "development"}): app.ProviderSandbox,
	} {
		config, err := loadText(t, text)
		if got := config.Payments.Provider; got != want {
			t.Errorf("%q, want %q: %v\n%s", got, want, err, text)
		}
	}
}

// wrongPayments are changes of the file that the README shows, and the sentences they are refused with.
func wrongPayments() map[string]wrongServer {
	sandbox := func(key string, value any) change {
		return change{"payments", map[string]any{"provider": "sandbox", "sandbox": map[string]any{key: value}}}
	}
	return map[string]wrongServer{
		"a provider that nobody knows":   {change{"payments.provider", "paypal"}, `payments.provider: must be stripe or sandbox or none, got "paypal"`},
		"stripe without key":             {change{"payments.stripe.key_file", nil}, "payments.stripe.key: is missing; write it here or name its file in key_file"},
		"stripe with two keys":           {change{"payments.stripe.key", "sk_live_0123456789abc"}, "payments.stripe.key: cannot be set along with key_file; choose one"},
		"stripe without signing secret":  {change{"payments.stripe.webhook_secret_file", nil}, "payments.stripe.webhook_secret: is missing; write it here"},
		"stripe without a page to go to": {change{"payments.stripe.success_url", nil}, "payments.stripe.success_url: is missing; name the page"},
		"a page that is none":            {change{"payments.stripe.success_url", "shop.example"}, `payments.stripe.success_url: must begin with https:// or http:// and a host, got "shop.example"`},
		"a page that runs":               {change{"payments.stripe.cancel_url", "javascript:alert(1)"}, "payments.stripe.cancel_url: must begin with https://"},
		"a page with a password":         {change{"payments.stripe.api_url", "https://u:hunter2@h"}, "payments.stripe.api_url: must have no user and password in it"},
		"a sandbox on no port":           {sandbox("listen", "8082"), `payments.sandbox.listen: must be`},
		"a sandbox in shoppers' place":   {sandbox("listen", ":8080"), `payments.sandbox.listen: must be another address than listen and admin_listen, got ":8080"`},
		"a sandbox that is no page":      {sandbox("url", "127.0.0.1:8082"), `payments.sandbox.url: must begin with https:// or http:// and a host, got "127.0.0.1:8082"`},
		"a sandbox with a short key":     {sandbox("key", "short"), "payments.sandbox.key: must have at least 20 characters, got 5"},
		"a sandbox with two secrets": {
			change{"payments", map[string]any{"provider": "sandbox", "sandbox": map[string]any{"secret": goodSecret, "secret_file": "f"}}},
			"payments.sandbox.secret: cannot be set along with secret_file; choose one",
		},
	}
}

// unsafePayments are what development takes, with a warning.
func unsafePayments() map[string]wrongServer {
	return map[string]wrongServer{
		"nobody who takes the money": {change{"payments", nil}, "payments.provider: is not set, so no order can be paid; name stripe, or none if that is what you want"},
		"the sandbox":                {change{"payments.provider", "sandbox"}, "payments.provider: is sandbox, which moves no money; use stripe"},
		"another stripe":             {change{"payments.stripe.api_url", "http://127.0.0.1:1"}, "payments.stripe.api_url: is set, so somebody else than Stripe is asked; leave it out"},
		"a placeholder": {
			change{"payments.stripe", map[string]any{"key": "sk_live_changeme_0123456789", "webhook_secret_file": "f", "success_url": "https://shop"}},
			"payments.stripe.key: looks like a placeholder; make one with: openssl rand -base64 36",
		},
	}
}
