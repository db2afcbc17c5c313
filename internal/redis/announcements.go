package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var _ seckill.Announcements = (*Announcements)(nil)

const (
	decisionsMax = 500  // decisions in one payload
	heardMax     = 1024 // payloads that wait for deliver; more are dropped, which costs a poll
)

// Announcements publishes decisions on one channel. Payloads are item:reservation,reservation;item:…
type Announcements struct{ client goredis.UniversalClient }

// OpenAnnouncements prepares connections of its own: a subscriber's connection serves nothing else, and publishing must
// not wait behind the scripts.
func OpenAnnouncements(options Options) (*Announcements, error) {
	client, err := options.dial()
	if err != nil {
		return nil, err
	}
	return &Announcements{client: client}, nil
}

// Close closes the connections; Listen ends.
func (a *Announcements) Close() error {
	if err := a.client.Close(); err != nil {
		return fmt.Errorf("close announcements: %w", err)
	}
	return nil
}

// Announce implements seckill.Announcements.
func (a *Announcements) Announce(ctx context.Context, decisions []seckill.Decision) error {
	for some := range slices.Chunk(decisions, decisionsMax) {
		if err := notBegun(ctx, "announce"); err != nil {
			return err
		}
		if err := a.client.Publish(ctx, decidedChannel, encodeDecisions(some)).Err(); err != nil {
			return transport("announce", err)
		}
	}
	return nil
}

// Listen implements seckill.Announcements. It returns nil when ctx ends.
func (a *Announcements) Listen(ctx context.Context, deliver func([]seckill.Decision)) error {
	subscription := a.client.Subscribe(ctx, decidedChannel)
	defer func() { _ = subscription.Close() }() // it only says that it is closed already
	// The channel outlives connections: go-redis pings, reconnects and subscribes again.
	heard := subscription.Channel(goredis.WithChannelSize(heardMax))
	for {
		select {
		case <-ctx.Done():
			return nil
		case message, open := <-heard:
			if !open {
				return errors.New("listen: the subscription was closed")
			}
			if decisions := decodeDecisions(message.Payload); len(decisions) > 0 {
				deliver(decisions)
			}
		}
	}
}

func encodeDecisions(decisions []seckill.Decision) string {
	var b strings.Builder
	var item seckill.ID
	for _, decision := range decisions {
		switch {
		case decision.Item == item:
			b.WriteByte(',')
		case item != 0:
			b.WriteByte(';')
			fallthrough
		default:
			item = decision.Item
			b.WriteString(item.String())
			b.WriteByte(':')
		}
		b.WriteString(decision.Reservation.String())
	}
	return b.String()
}

// decodeDecisions leaves out what it cannot read: another version's payload costs a poll.
func decodeDecisions(payload string) []seckill.Decision {
	var decisions []seckill.Decision
	for part := range strings.SplitSeq(payload, ";") {
		itemText, list, _ := strings.Cut(part, ":")
		item, err := seckill.ParseID(itemText)
		if err != nil {
			continue
		}
		for text := range strings.SplitSeq(list, ",") {
			if reservation, err := seckill.ParseID(text); err == nil {
				decisions = append(decisions, seckill.Decision{Item: item, Reservation: reservation})
			}
		}
	}
	return decisions
}
