package rabbitmq

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// progressEvery is how often consumers say how far they are.
const progressEvery = 250 * time.Millisecond

// everyShard stands for all of them. Who does not know what is said of it takes no notice.
const everyShard = -1

// news is what processes tell each other.
type news struct {
	Shard int `json:"shard"`
	// At (Unix milliseconds) is up to when the shard's messages have been delivered.
	At int64 `json:"at,omitempty"`
	// Anew says that a queue was gone and is declared again.
	Anew bool `json:"anew,omitempty"`
}

// tell publishes on a connection that has no lane, and returns when the broker has it.
func (t topology) tell(conn *amqp.Connection, said news) error {
	body, err := json.Marshal(said)
	if err != nil {
		return err
	}
	channel, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := channel.Publish(t.progress(), "", false, false, amqp.Publishing{Body: body}); err != nil {
		return err
	}
	return channel.Close()
}

// tellProgress publishes what this process's subscriptions were given, so that others know how old the rest is.
func (q *Queue) tellProgress(ctx context.Context) {
	told := make([]time.Time, q.Shards)
	for {
		select {
		case <-q.Clock.After(progressEvery):
		case <-ctx.Done():
			return
		}
		for shard := range told {
			at := q.ages.deliveredHere(shard)
			if !at.After(told[shard]) {
				continue
			}
			body, err := json.Marshal(news{Shard: shard, At: at.UnixMilli()})
			if err == nil {
				err = q.send(ctx, parcel{exchange: q.topology.progress(), Publishing: amqp.Publishing{Body: body}})
			}
			if err == nil {
				told[shard] = at
			}
		}
	}
}

// hearNews listens on a queue that ends with the connection.
func (q *Queue) hearNews(conn *connection) error {
	channel, err := conn.Channel()
	if err != nil {
		return err
	}
	queue, err := channel.QueueDeclare("", false, true, true, false, amqp.Table{"x-max-length": int32(1000)})
	if err != nil {
		return err
	}
	if err := channel.QueueBind(queue.Name, "", q.topology.progress(), false, nil); err != nil {
		return err
	}
	heard, err := channel.Consume(queue.Name, "", true, true, false, false, nil)
	if err != nil {
		return fmt.Errorf("listen to others: %w", err)
	}
	q.working.Go(func() {
		for d := range heard { // until the connection ends
			q.hear(d.Body)
		}
	})
	return nil
}

func (q *Queue) hear(body []byte) {
	var said news
	switch err := json.Unmarshal(body, &said); {
	case err != nil:
	case said.Anew:
		q.subscribeAnew()
	case said.Shard >= 0 && said.Shard < q.Shards:
		q.ages.heard(said.Shard, q.published(said.At))
	}
}

// published is a publisher's moment in Unix milliseconds. Nothing that is here was published later than now: a clock that
// was ahead would make everything ready look new until the others have caught up with it.
func (q *Queue) published(milli int64) time.Time {
	at, now := time.UnixMilli(milli), q.Clock.Now()
	if at.After(now) {
		return now
	}
	return at
}
