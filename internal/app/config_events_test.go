package app_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/app"
)

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// hook is a webhook in a file, with some keys changed; nil leaves one out.
func hook(changes ...change) map[string]any {
	keys := map[string]any{"name": "shop", "url": "https://shop.example/events", "secret": webhookSecret}
	for _, c := range changes {
		keys[c.path] = c.value
		if c.value == nil {
			delete(keys, c.path)
		}
	}
	return keys
}

func hooks(all ...map[string]any) change {
	return change{"events.webhooks", all}
}

func TestEventSettings(t *testing.T) {
	t.Parallel()
	t.Run("take an exchange and webhooks, also in production", func(t *testing.T) {
		t.Parallel()
		config := mustLoad(t, changed(t, change{"events.exchange", "shop.events"},
			hooks(hook(), hook(change{"name", "erp"}, change{"url", "https://10.0.0.7:8443/"}, change{"allow_private", true}))))
		if config.Events.Exchange != "shop.events" || len(config.Events.Webhooks) != 2 || !config.Events.Webhooks[1].AllowPrivate {
			t.Errorf("got %+v", config.Events)
		}
	})
	t.Run("take webhooks without a broker", func(t *testing.T) {
		t.Parallel()
		mustLoad(t, "events: {webhooks: [{name: shop, url: http://localhost:9000/, secret: "+webhookSecret+"}]}")
	})
	for name, c := range wrongEvents() {
		t.Run("refuse "+name, func(t *testing.T) {
			t.Parallel()
			_, err := loadText(t, changed(t, c.change))
			wantSentence(t, err, c.want)
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("shows a secret: %v", err)
			}
		})
	}
	t.Run("refuse an exchange where there is no broker", func(t *testing.T) {
		t.Parallel()
		_, err := loadText(t, "events: {exchange: shop}")
		wantSentence(t, err, "events.exchange: needs backend: services")
	})
	t.Run("are refused at the start when a file holds no secret", refusesSecretFiles)
}

func wrongEvents() map[string]wrongServer {
	return map[string]wrongServer{
		"an exchange with a space":   {change{"events.exchange", "my shop"}, "events.exchange: must be 1-64 letters"},
		"a webhook without name":     {hooks(hook(change{"name", nil})), "events.webhooks[0].name: must be 1-64 small letters"},
		"a name that nobody can use": {hooks(hook(change{"name", "My Shop"})), `events.webhooks[0].name: must be 1-64 small letters, digits or dashes, got "My Shop"`},
		"a name twice":               {hooks(hook(), hook()), `events.webhooks[1].name: "shop" is there twice`},
		"the exchange's name":        {hooks(hook(change{"name", "rabbitmq"})), `events.webhooks[0].name: "rabbitmq" is there twice, or is the exchange's`},
		"no URL":                     {hooks(hook(change{"url", nil})), "events.webhooks[0].url: must be of the form https://host/path"},
		"a URL with a password":      {hooks(hook(change{"url", "https://a:hush@b/"})), "events.webhooks[0].url: must be without user and password"},
		"no secret":                  {hooks(hook(change{"secret", nil})), "events.webhooks[0].secret: is missing; write it here or name its file in secret_file"},
		"two secrets":                {hooks(hook(change{"secret_file", "f"})), "events.webhooks[0].secret: cannot be set along with secret_file"},
		"a secret of another kind":   {hooks(hook(change{"secret", "hush" + strings.Repeat("x", 40)})), "events.webhooks[0].secret: secret 1 must be whsec_ and 24-64 bytes in base64"},
		"a short secret":             {hooks(hook(change{"secret", "whsec_hush"})), "events.webhooks[0].secret: must have at least 38 characters, got 10"},
		"an open way in production":  {hooks(hook(change{"url", "http://shop.example/"})), "events.webhooks[0].url: is not encrypted, so whoever is on the way reads who buys what; use https (refused by profile: production)"},
	}
}

func refusesSecretFiles(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	config := testConfig(t)
	config.Events.Webhooks = []app.WebhookConfig{{Name: "shop", URL: "http://localhost/", SecretFile: file}}
	_, err := app.Open(t.Context(), config, app.Everything(), slog.New(slog.DiscardHandler))
	wantSentence(t, err, "events.webhooks[0].secret_file: cannot be read: ")
	for content, want := range map[string]string{
		"whsec_hush":             "events.webhooks[0].secret_file: must have at least 38 characters, got 10",
		strings.Repeat("hu", 30): "events.webhooks[0].secret_file: secret 1 must be whsec_",
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := app.Open(t.Context(), config, app.Everything(), slog.New(slog.DiscardHandler))
		wantSentence(t, err, want)
	}
}
