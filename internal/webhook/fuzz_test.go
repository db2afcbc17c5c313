package webhook_test

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/webhook"
)

// FuzzSecret: secrets that are accepted have the bytes that they should, and each of them makes a signature that a receiver
// verifies; of those that are not, nothing is quoted.
func FuzzSecret(f *testing.F) {
	for _, seed := range []string{firstSecret, firstSecret + " " + secondSecret, "", " ", "whsec_", "whsec_AA==", firstSecret + "\n", strings.Repeat(firstSecret+" ", 5), "whsec_" + strings.Repeat("A", 88)} {
		f.Add(seed, "body")
	}
	f.Fuzz(func(t *testing.T, secrets, body string) {
		err := webhook.CheckSecret(secrets)
		words := strings.Fields(secrets)
		if err != nil {
			expectUnquoted(t, err, words)
			return
		}
		signature, err := webhook.Sign(secrets, "77", "1773999999", []byte(body))
		if err != nil || len(words) == 0 || len(words) > 4 {
			t.Fatalf("%q: %v", secrets, err)
		}
		header := http.Header{"Webhook-Id": {"77"}, "Webhook-Timestamp": {"1773999999"}, "Webhook-Signature": {signature}}
		for _, word := range words {
			key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(word, "whsec_"))
			if err != nil || len(key) < 24 || len(key) > 64 || !verifies(t, word, header, []byte(body)) {
				t.Fatalf("%q: %q does not verify %q, %v", secrets, word, signature, err)
			}
		}
		if header.Set("Webhook-Id", "78"); verifies(t, words[0], header, []byte(body)) {
			t.Fatalf("%q signs another event as well", secrets)
		}
	})
}

func expectUnquoted(t *testing.T, err error, words []string) {
	t.Helper()
	for _, word := range words {
		if len(word) >= webhook.SecretLeast && strings.Contains(err.Error(), word) {
			t.Fatalf("%q is quoted: %v", word, err)
		}
	}
}

// FuzzURL: a URL that is accepted leads to a host over HTTP, with nothing in it that would be lost or told on the way; one
// that is not is never quoted.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{
		"https://shop.example/hook?key=secret", "http://127.0.0.1:80", "https://user:password@shop.example", "https://:80", "https:///path", "ftp://shop.example",
		"https://shop.example/#a", "https://shop.example/%zz", "HTTPS://shop.example", "https://[::1%25eth0]:80/", "//shop.example", "https://shop.example:port",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checked := webhook.CheckURL(text)
		endpoint, err := webhook.New(webhook.Config{Name: "shop", URL: text, Secret: firstSecret, Clock: handclock.New()})
		if (checked == nil) != (err == nil) {
			t.Fatalf("%q: %v, then %v", text, checked, err)
		}
		if err != nil {
			if len(text) > 20 && strings.Contains(err.Error(), text) {
				t.Fatalf("%q is quoted: %v", text, err)
			}
			return
		}
		_ = endpoint.Close()
		parsed, err := url.Parse(text)
		if err != nil || parsed.Hostname() == "" || parsed.User != nil || parsed.Fragment != "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
			t.Fatalf("%q was accepted", text)
		}
		if _, err := http.NewRequestWithContext(t.Context(), http.MethodPost, text, http.NoBody); err != nil {
			t.Fatalf("%q was accepted, and cannot be asked: %v", text, err)
		}
	})
}

// FuzzAddress: an IPv4 address is as public as its IPv6 forms, and nothing is that package netip calls private, local or a
// group.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"127.0.0.1", "8.8.8.8", "10.0.0.1", "169.254.169.254", "::1", "2001:4860:4860::8888", "fd00::1", "fe80::1", "64:ff9b::7f00:1", "::ffff:10.0.0.1", "100.64.0.1", "0.0.0.0"} {
		f.Add(netip.MustParseAddr(seed).AsSlice())
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		address, ok := netip.AddrFromSlice(bytes)
		if !ok {
			t.Skip("no address")
		}
		public := webhook.IsPublic(address.String())
		plain := address.Unmap()
		if public && (plain.IsLoopback() || plain.IsPrivate() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified()) {
			t.Fatalf("%s is public", address)
		}
		if !plain.Is4() {
			return
		}
		four := plain.As4()
		for _, prefix := range []string{"::ffff:0:0", "64:ff9b::"} {
			inside := netip.MustParseAddr(prefix).As16()
			copy(inside[12:], four[:])
			if form := netip.AddrFrom16(inside); webhook.IsPublic(form.String()) != public {
				t.Fatalf("%s is public: %t; as %s it is not so", plain, public, form)
			}
		}
	})
}
