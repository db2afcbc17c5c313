package rabbitmq_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/rabbitmq"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// through is the URL of a broker behind a proxy.
func through(t testing.TB, p *testenv.Proxy, broker string) string {
	t.Helper()
	parsed, err := url.Parse(broker)
	if err != nil {
		t.Fatal(err)
	}
	parsed.Host = p.Addr()
	return parsed.String()
}

func proxyTo(t testing.TB, broker string) *testenv.Proxy {
	t.Helper()
	parsed, err := url.Parse(broker)
	if err != nil {
		t.Fatal(err)
	}
	return testenv.StartProxy(t, parsed.Host)
}

func TestPublishSaysTheTruthWhenThePathIsBroken(t *testing.T) {
	t.Parallel()
	broker := env.RabbitMQ(t)

	t.Run("unavailable at once when not connected", func(t *testing.T) {
		t.Parallel()
		p := proxyTo(t, broker)
		config := configFor(t, through(t, p, broker))
		p.Cut()
		q := openAway(t, config)
		wantUnavailable(t, publish(t, q, message("m")))
		wantUnavailable(t, q.Available(0))
		p.Heal()
		deleteAfter(t, config)
		awaitAvailable(t, q)
	})

	t.Run("unknown when the confirm is lost, and the message is there", func(t *testing.T) {
		t.Parallel()
		p := proxyTo(t, broker)
		config := configFor(t, through(t, p, broker))
		deleteAfter(t, config)
		q := openQueue(t, config)
		p.DropReplies()
		wantUnknown(t, publish(t, q, message("stored")))
		p.Heal()
		if d := receive(t, subscribe(t, q)); string(d.Body) != "stored" {
			t.Errorf("delivered %q", d.Body)
		}
	})

	t.Run("unavailable when all slots wait for confirms", func(t *testing.T) {
		t.Parallel()
		p := proxyTo(t, broker)
		config := configFor(t, through(t, p, broker))
		config.Lanes, config.InFlight = 1, 2
		deleteAfter(t, config)
		q := openQueue(t, config)
		p.DropReplies()
		wantUnknown(t, publish(t, q, message("1")))
		wantUnknown(t, publish(t, q, message("2")))
		wantUnavailable(t, publish(t, q, message("3")))
		p.Heal()
		awaitAvailable(t, q)
	})
}

func TestNothingConfirmedIsLostWhenConnectionsAreCutInMidPublish(t *testing.T) {
	t.Parallel()
	broker := env.RabbitMQ(t)
	p := proxyTo(t, broker)
	config := configFor(t, through(t, p, broker))
	config.Prefetch = 10_000
	deleteAfter(t, config)
	q := openQueue(t, config)
	const messages, cutEvery = 500, 100
	confirmed := map[string]bool{}
	var cutting sync.WaitGroup
	defer cutting.Wait()
	for i := 0; len(confirmed) < messages; i++ {
		body := fmt.Sprint(i)
		if publish(t, q, message(body)) != nil {
			continue
		}
		confirmed[body] = true
		if len(confirmed)%cutEvery == 0 {
			cutting.Go(p.CutOnce) // while the next ones are published
		}
	}
	awaitAvailable(t, q)
	s := subscribe(t, q)
	for len(confirmed) > 0 {
		d := receive(t, s)
		delete(confirmed, string(d.Body))
	}
}

func TestACutSubscriptionEndsAndItsMessagesComeAgain(t *testing.T) {
	t.Parallel()
	broker := env.RabbitMQ(t)
	p := proxyTo(t, broker)
	config := configFor(t, through(t, p, broker))
	deleteAfter(t, config)
	q := openQueue(t, config)
	mustPublish(t, q, "a", "b")
	s := subscribe(t, q)
	first := receive(t, s)
	receive(t, s)
	p.CutOnce()
	for range s.Deliveries() {
		t.Error("delivered after the cut")
	}
	if err := s.Ack(t.Context(), []seckill.Delivery{first}); err != nil {
		t.Errorf("a late acknowledgement: %v", err)
	}
	s = subscribe(t, q)
	seen := map[string]int{}
	for range 2 {
		d := receive(t, s)
		seen[string(d.Body)]++
		if !d.Redelivered {
			t.Errorf("%s does not say redelivered", d.Body)
		}
		if err := s.Ack(t.Context(), []seckill.Delivery{d}); err != nil {
			t.Error(err)
		}
	}
	if seen["a"] != 1 || seen["b"] != 1 {
		t.Errorf("came again: %v", seen)
	}
	awaitAvailable(t, q)
}

func TestTheNextBrokerIsUsedWhenOneIsLost(t *testing.T) {
	t.Parallel()
	broker := env.RabbitMQ(t)
	one, two := proxyTo(t, broker), proxyTo(t, broker)
	config := configFor(t, through(t, one, broker), through(t, two, broker))
	deleteAfter(t, config)
	q := openQueue(t, config)
	mustPublish(t, q, "by the first")
	one.Cut()
	awaitAvailable(t, q)
	if d := receive(t, subscribe(t, q)); string(d.Body) != "by the first" {
		t.Errorf("delivered %q", d.Body)
	}
	two.Cut()
	one.Heal()
	awaitAvailable(t, q)
}

func TestABrokerThatHangsIsLeftForTheNext(t *testing.T) {
	t.Parallel()
	broker := env.RabbitMQ(t)
	one, two := proxyTo(t, broker), proxyTo(t, broker)
	config := configFor(t, through(t, one, broker), through(t, two, broker))
	config.Heartbeat, config.DialTimeout = time.Second, time.Second
	deleteAfter(t, config)
	q := openQueue(t, config)
	s := subscribe(t, q)
	one.DropReplies() // it takes connections and says nothing on them
	began := time.Now()
	awaitAdmission(t, q, false)
	t.Logf("admission closed after %v", time.Since(began))
	awaitEnd(t, s)
	awaitAdmission(t, q, true)
	mustPublish(t, q, "by the second")
	t.Logf("published by the next broker after %v", time.Since(began))
	if d := receive(t, subscribe(t, q)); string(d.Body) != "by the second" {
		t.Errorf("delivered %q", d.Body)
	}
	one.Heal()
}

func TestWrongCredentialsAreReportedWithoutThePassword(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse"
	parsed, err := url.Parse(env.RabbitMQ(t))
	if err != nil {
		t.Fatal(err)
	}
	parsed.User = url.UserPassword("guest", secret)
	var log logBook
	config := configFor(t, parsed.String())
	config.Log, config.DialTimeout = log.logger(), time.Second
	q := openAway(t, config)
	eventually(t, "the refusal is logged", func() bool { return log.has("username or password not allowed") })
	err = q.Available(0)
	wantUnavailable(t, err)
	if _, err := q.Subscribe(t.Context(), 0); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("subscribing says %v", err)
	}
	if strings.Contains(err.Error(), secret) || log.has(secret) {
		t.Errorf("shows the password: %v", err)
	}
	config.URLs = []string{"amqp://guest:" + secret + "@[::1:5672/"}
	if _, err := rabbitmq.Open(t.Context(), config); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a broken url: %v", err)
	}
}

func TestAMessageThatComesBackTooOftenIsADeadLetter(t *testing.T) {
	t.Parallel()
	var log logBook
	config := configFor(t, env.RabbitMQ(t))
	config.DeliveryLimit, config.Log = 2, log.logger()
	deleteAfter(t, config)
	q := openQueue(t, config)
	mustPublish(t, q, "poison")
	for range config.DeliveryLimit {
		s := subscribe(t, q)
		receive(t, s)
		rabbitmq.Cut(s)
	}
	s := subscribe(t, q)
	message := receive(t, s).Message
	if log.count("level=ERROR") != 1 || !log.has("shard=0 message="+message+" deliveries=3") {
		t.Errorf("no alarm names message %q:\n%s", message, log.text.String())
	}
	rabbitmq.Cut(s)
	eventually(t, "one dead letter", func() bool {
		state, err := q.Look(t.Context(), 0)
		return err == nil && state.Dead == 1 && state.Ready == 0
	})
	wantLetterOfTheBroker(t, q)
}

// wantLetterOfTheBroker wants one dead letter that the broker moved, the same in every list, and has it replayed.
func wantLetterOfTheBroker(t *testing.T, q *rabbitmq.Queue) {
	t.Helper()
	letters, err := q.List(t.Context(), 0, 10)
	if err != nil || len(letters) != 1 {
		t.Fatalf("dead letters: %+v, %v", letters, err)
	}
	l := letters[0]
	if string(l.Body) != "poison" || !strings.Contains(l.Cause, "delivery_limit") || l.ID <= 0 || l.At.IsZero() || l.Shard != 0 {
		t.Errorf("the dead letter is %+v", l)
	}
	again, err := q.List(t.Context(), 0, 10)
	if err != nil || len(again) != 1 || again[0].ID != l.ID {
		t.Errorf("listed again: %+v, %v", again, err)
	}
	replaysLetterOfTheBroker(t, q, l.ID)
}

func replaysLetterOfTheBroker(t *testing.T, q *rabbitmq.Queue, id seckill.ID) {
	t.Helper()
	if err := q.Replay(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if d := receive(t, subscribe(t, q)); string(d.Body) != "poison" || d.Redelivered {
		t.Errorf("replayed %+v", d)
	}
	if letters, err := q.List(t.Context(), 0, 10); err != nil || len(letters) != 0 {
		t.Errorf("after the replay: %+v, %v", letters, err)
	}
}

func TestQueuesWithAnotherDeliveryLimitAreReportedAndNotUsed(t *testing.T) {
	t.Parallel()
	config := configFor(t, env.RabbitMQ(t))
	deleteAfter(t, config)
	openQueue(t, config)
	var log logBook
	config.DeliveryLimit, config.Log = 7, log.logger()
	q := openAway(t, config)
	eventually(t, "the broker's objection is logged", func() bool { return log.has("x-delivery-limit") })
	wantUnavailable(t, q.Available(0))
}
