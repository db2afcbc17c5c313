package webhook_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seckill-dev/seckill/internal/webhook"
)

func TestWall(t *testing.T) {
	t.Parallel()
	t.Run("refuses a private address, however it is named, before anything is sent", func(t *testing.T) {
		t.Parallel()
		var reached atomic.Bool
		server := receiver(t, func(http.ResponseWriter, *http.Request) { reached.Store(true) })
		public := func(c *webhook.Config) { c.AllowPrivate = false }
		_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
		for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"} {
			err := endpoint(t, "http://"+host+":"+port, public).Tell(t.Context(), paid())
			if err == nil || !strings.Contains(err.Error(), "is not a public address") {
				t.Errorf("%s: got %v", host, err)
			}
		}
		if reached.Load() {
			t.Error("the receiver was reached")
		}
	})
	t.Run("tells public addresses from all others", func(t *testing.T) {
		t.Parallel()
		for _, public := range []string{"8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"} {
			if !webhook.IsPublic(public) {
				t.Errorf("%s is refused", public)
			}
		}
		for _, special := range []string{
			"127.0.0.1", "127.8.9.1", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
			"100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
			"::", "::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "64:ff9b::a00:1", "fe80::1", "fe80::1%eth0", "fc00::1",
			"fd12::1", "fec0::1", "ff02::1", "2001::1", "2001:db8::1", "2002:a00:1::1",
		} {
			if webhook.IsPublic(special) {
				t.Errorf("%s is let through", special)
			}
		}
	})
}
