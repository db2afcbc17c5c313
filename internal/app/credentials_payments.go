package app

import (
	"fmt"
	"iter"
)

// What development makes for the sandbox, beside the other keys.
const (
	sandboxKeyFile    = "sandbox.key"
	sandboxSecretFile = "sandbox-webhook.key"
)

// providerKeys are what the payment provider is asked with, and what its notices are signed with.
type providerKeys struct{ key, secret string }

// keepProviderKeys reads them, where the plan needs them. For the sandbox, development makes what nobody has configured; only
// who serves calls it.
func (c *Config) keepProviderKeys(plan Plan) (keys providerKeys, err error) {
	switch provider := c.Payments.Provider; {
	case !plan.takesMoney():
	case provider == ProviderSandbox:
		sandbox := c.Payments.Sandbox
		if keys.key, err = c.keepSecret("payments.sandbox.key", sandbox.Key, sandbox.KeyFile, sandboxKeyFile); err != nil {
			return providerKeys{}, err
		}
		keys.secret, err = c.keepSecret("payments.sandbox.secret", sandbox.Secret, sandbox.SecretFile, sandboxSecretFile)
	case provider == ProviderStripe:
		stripe := c.Payments.Stripe
		if keys.key, err = c.read("payments.stripe.key", stripe.Key, stripe.KeyFile, providerSecretLeast); err != nil {
			return providerKeys{}, err
		}
		keys.secret, err = c.read("payments.stripe.webhook_secret", stripe.WebhookSecret, stripe.WebhookSecretFile, providerSecretLeast)
	}
	return keys, err
}

// keepSecret reads a secret from where it is written, or makes it when it is written nowhere.
func (c *Config) keepSecret(key string, text Secret, file, generated string) (string, error) {
	if text != "" || file != "" {
		return c.read(key, text, file, providerSecretLeast)
	}
	if err := c.generate(generated); err != nil {
		return "", fmt.Errorf("keep a generated key: %w", err)
	}
	return c.generated(generated)
}

// providerSecrets are those of the payment provider in use.
func (c *Config) providerSecrets() iter.Seq2[string, placedSecret] {
	sandbox, stripe := c.Payments.Sandbox, c.Payments.Stripe
	places := map[string][]placed{
		ProviderSandbox: {
			{"payments.sandbox.key", placedSecret{sandbox.Key, sandbox.KeyFile}},
			{"payments.sandbox.secret", placedSecret{sandbox.Secret, sandbox.SecretFile}},
		},
		ProviderStripe: {
			{"payments.stripe.key", placedSecret{stripe.Key, stripe.KeyFile}},
			{"payments.stripe.webhook_secret", placedSecret{stripe.WebhookSecret, stripe.WebhookSecretFile}},
		},
	}
	return func(yield func(string, placedSecret) bool) {
		for _, place := range places[c.Payments.Provider] {
			isSet := place.secret != placedSecret{}
			if isSet && !yield(place.key, place.secret) {
				return
			}
		}
	}
}

// placed is a secret with the key of the configuration that says it.
type placed struct {
	key    string
	secret placedSecret
}
