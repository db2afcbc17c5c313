package rabbitmq_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/rabbitmq"
)

func TestRefusesUs(t *testing.T) {
	t.Parallel()
	broker := env.RabbitMQ(t)
	elsewhere := func(change func(*url.URL)) string {
		address, err := url.Parse(broker)
		if err != nil {
			t.Fatal(err)
		}
		change(address)
		return address.String()
	}
	for name, c := range map[string]struct {
		address string
		refuses bool
	}{
		"is true of a wrong password":       {elsewhere(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "wrong") }), true},
		"is true of no such virtual host":   {elsewhere(func(u *url.URL) { u.Path = "/nowhere" }), true},
		"is false of a broker that is away": {elsewhere(func(u *url.URL) { u.Host = "127.0.0.1:1" }), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := openAway(t, configFor(t, c.address))
			// A wrong password is answered after 3 s.
			eventually(t, "the answer is known", func() bool {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				err := q.AwaitReady(ctx)
				return err != nil && !strings.Contains(err.Error(), "yet") && rabbitmq.RefusesUs(err) == c.refuses
			})
		})
	}
}
