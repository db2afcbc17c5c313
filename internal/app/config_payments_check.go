package app

import (
	"errors"
	"fmt"
	"net"
	"net/url"
)

// providerSecretLeast is the least length of a provider's key or signing secret; Stripe's are longer.
const providerSecretLeast = 20

func (c *Config) checkPayments() error {
	switch p := c.Payments; p.Provider {
	case ProviderSandbox:
		return c.checkSandbox(p.Sandbox)
	case ProviderStripe:
		return p.Stripe.check()
	case ProviderNone, "":
		return nil
	default:
		return oneOf("payments.provider", p.Provider, ProviderStripe, ProviderSandbox, ProviderNone)
	}
}

func (c *Config) checkSandbox(s SandboxConfig) error {
	if err := firstOf(
		atMostOne("payments.sandbox", "key", s.Key, s.KeyFile),
		atMostOne("payments.sandbox", "secret", s.Secret, s.SecretFile),
	); err != nil {
		return err
	}
	if s.URL != "" {
		return webPage("payments.sandbox.url", s.URL)
	}
	if err := address("payments.sandbox.listen", s.Listen); err != nil {
		return err
	}
	if _, port, _ := net.SplitHostPort(s.Listen); port != "0" && (s.Listen == c.Listen || s.Listen == c.AdminListen) {
		return fmt.Errorf("payments.sandbox.listen: must be another address than listen and admin_listen, got %q", s.Listen)
	}
	return nil
}

func (s StripeConfig) check() error {
	if s.SuccessURL == "" {
		return missing("payments.stripe.success_url", "name the page that a shopper is sent to after paying")
	}
	return firstOf(
		written("payments.stripe", "key", s.Key, s.KeyFile, providerSecretLeast),
		written("payments.stripe", "webhook_secret", s.WebhookSecret, s.WebhookSecretFile, providerSecretLeast),
		webPage("payments.stripe.success_url", s.SuccessURL),
		webPageOrNone("payments.stripe.cancel_url", s.CancelURL),
		webPageOrNone("payments.stripe.api_url", s.APIURL),
	)
}

// atMostOne is written for a secret that development makes where there is none.
func atMostOne(path, field string, text Secret, file string) error {
	if text == "" && file == "" {
		return nil
	}
	return written(path, field, text, file, providerSecretLeast)
}

func webPage(key, text string) error {
	page, err := url.Parse(text)
	if err != nil || (page.Scheme != "https" && page.Scheme != "http") || page.Host == "" {
		return fmt.Errorf("%s: must begin with https:// or http:// and a host, got %s", key, shown(text))
	}
	if page.User != nil {
		return errors.New(key + ": must have no user and password in it")
	}
	return nil
}

func webPageOrNone(key, text string) error {
	if text == "" {
		return nil
	}
	return webPage(key, text)
}

// warnPayments says what is unsafe about the way that orders are paid.
func (c *Config) warnPayments(warn func(key, sentence string)) {
	switch c.Payments.Provider {
	case "":
		warn("payments.provider", "is not set, so no order can be paid; name stripe, or none if that is what you want")
	case ProviderSandbox:
		warn("payments.provider", "is sandbox, which moves no money; use stripe")
	case ProviderStripe:
		if c.Payments.Stripe.APIURL != "" {
			warn("payments.stripe.api_url", "is set, so somebody else than Stripe is asked; leave it out")
		}
	}
}
