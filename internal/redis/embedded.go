package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// embeddedTimeout is long: there is no network that could lose a reply, only a machine that is too busy, and giving up
// leaves the outcome unknown.
const embeddedTimeout = 2 * time.Second

// Embedded is a Redis inside this process. It forgets everything when the process ends, which the protocol treats as
// the loss of Redis.
type Embedded struct {
	Lent          *Lent
	Announcements *Announcements

	server  *miniredis.Miniredis
	options Options
}

// OpenEmbedded starts it on a random port of the loopback interface. A random password keeps everybody else on the
// machine out.
func OpenEmbedded(ctx context.Context) (*Embedded, error) {
	server := miniredis.NewMiniRedis()
	password := rand.Text()
	server.RequireAuth(password)
	server.ClockTTL(true) // else nothing ever expires
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start the embedded redis: %w", err)
	}
	e := &Embedded{server: server, options: Options{
		Addresses:   []string{server.Addr()},
		Password:    password,
		CallTimeout: embeddedTimeout,
		// Each start is another life, as with a real server.
		FixedIdentity: Identity{RunID: "embedded-" + rand.Text(), ReplicationID: "embedded-" + rand.Text()},
	}}
	if err := e.open(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Embedded) open(ctx context.Context) (err error) {
	if e.Lent, err = OpenLent(e.options); err != nil {
		return err
	}
	if e.Announcements, err = OpenAnnouncements(e.options); err != nil {
		return err
	}
	return e.Lent.client.Ping(ctx).Err()
}

// Options are how further clients enter.
func (e *Embedded) Options() Options { return e.options }

// Close ends clients and server.
func (e *Embedded) Close() error {
	var failed []error
	if e.Lent != nil {
		failed = append(failed, e.Lent.Close())
	}
	if e.Announcements != nil {
		failed = append(failed, e.Announcements.Close())
	}
	e.server.Close()
	return errors.Join(failed...)
}

// FlushAll empties it: the loss of Redis, for tests.
func (e *Embedded) FlushAll() { e.server.FlushAll() }
