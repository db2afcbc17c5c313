package app

import (
	"fmt"
	"iter"
	"net/url"
	"strings"

	"github.com/seckill-dev/seckill/internal/rabbitmq"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/webhook"
)

func (c *Config) checkEvents() error {
	if exchange := c.Events.Exchange; exchange != "" {
		if c.Backend != BackendServices {
			return fmt.Errorf("events.exchange: needs backend: services; %s has no broker, but can tell events.webhooks", c.Backend)
		}
		if err := queueName("events.exchange", exchange); err != nil {
			return err
		}
	}
	known := map[string]bool{rabbitmq.ExchangeEndpoint: true}
	for i, hook := range c.Events.Webhooks {
		key := webhookKey(i)
		if err := hook.check(key); err != nil {
			return err
		}
		if known[hook.Name] {
			return fmt.Errorf("%s.name: %q is there twice, or is the exchange's", key, hook.Name)
		}
		known[hook.Name] = true
	}
	return nil
}

func webhookKey(i int) string { return fmt.Sprintf("events.webhooks[%d]", i) }

func (w WebhookConfig) check(key string) error {
	if !seckill.IsEndpointName(w.Name) {
		return fmt.Errorf("%s.name: must be 1-64 small letters, digits or dashes, got %s", key, shown(w.Name))
	}
	if err := webhook.CheckURL(w.URL); err != nil {
		return fmt.Errorf("%s.url: %w", key, err)
	}
	if err := written(key, "secret", w.Secret, w.SecretFile, webhook.SecretLeast); err != nil {
		return err
	}
	if w.Secret != "" {
		return webhookSecret(key+".secret", string(w.Secret))
	}
	return nil
}

func webhookSecret(key, secret string) error {
	if err := webhook.CheckSecret(secret); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// webhookSecrets are those that sign, by key.
func (c *Config) webhookSecrets() iter.Seq2[string, placedSecret] {
	return func(yield func(string, placedSecret) bool) {
		for i, hook := range c.Events.Webhooks {
			if !yield(webhookKey(i)+".secret", placedSecret{hook.Secret, hook.SecretFile}) {
				return
			}
		}
	}
}

// warnEvents says what is unsafe about the way to who is told.
func (c *Config) warnEvents(warn func(key, sentence string)) {
	for i, hook := range c.Events.Webhooks {
		parsed, err := url.Parse(hook.URL)
		if err == nil && !strings.EqualFold(parsed.Scheme, "https") && !loopback(parsed.Host) && !loopback(parsed.Host+":80") {
			warn(webhookKey(i)+".url", "is not encrypted, so whoever is on the way reads who buys what; use https")
		}
	}
}
