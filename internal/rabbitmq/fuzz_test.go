package rabbitmq

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/handclock"
)

// FuzzNews: whatever is said among processes, who hears it learns at most of one shard of his own that what is there was
// published later, and never that it was published later than now; to hear it twice is to hear it once.
func FuzzNews(f *testing.F) {
	now := handclock.New().Now()
	for _, said := range []news{{Shard: 1, At: now.UnixMilli() - 5000}, {Shard: everyShard, Anew: true}, {Shard: 2, At: 1}, {At: 1<<63 - 1}, {At: -1 << 63}} {
		body, err := json.Marshal(said)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, seed := range []string{"", "null", "[]", `{"shard":1}`, `{"shard":-2,"at":1}`, `{"SHARD":1,"at":1e3}`, `{"shard":9223372036854775808}`, `{"anew":1,"at":5}`, "\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		q := &Queue{Config: Config{Shards: 2, Clock: handclock.New()}, ages: newAges(2)}
		q.hear(body)
		heard := slices.Clone(q.ages.fresh)
		for shard, at := range heard {
			if at.After(now) {
				t.Fatalf("%q says that what is ready in shard %d was published at %v, %v from now", body, shard, at, at.Sub(now))
			}
		}
		var said news
		for shard, at := range heard {
			if !at.IsZero() && (json.Unmarshal(body, &said) != nil || said.Anew || said.Shard != shard || said.At <= now.UnixMilli() && !at.Equal(time.UnixMilli(said.At))) {
				t.Fatalf("%q is heard as %v of shard %d", body, at, shard)
			}
		}
		if q.hear(body); !slices.EqualFunc(q.ages.fresh, heard, time.Time.Equal) {
			t.Fatalf("%q is heard as %v, then as %v", body, heard, q.ages.fresh)
		}
	})
}

// FuzzBrokers: a broker's URL is taken with a host and the login that was configured beside it, or refused without a word
// of it.
func FuzzBrokers(f *testing.F) {
	for _, seed := range []string{
		"amqp://seckill:a-secret-password@rabbit:5672/shop", "amqps://rabbit", "amqp://", "amqp://:a-secret-password@/", "amqp://a:a-secret-password@rabbit:port", "http://rabbit",
		"amqp://rabbit/%zz", "amqp://[::1]:5673/a%2fb", "amqp://rabbit?heartbeat=x", "amqps://rabbit?certfile=/a&server_name_indication=b", "",
	} {
		f.Add(seed, "")
		f.Add(seed, "shop")
	}
	f.Fuzz(func(t *testing.T, url, user string) {
		brokers, err := Config{URLs: []string{url}, Username: user, Password: user}.brokers()
		if err != nil {
			if strings.Contains(url, "a-secret-password") && strings.Contains(err.Error(), "a-secret-password") {
				t.Fatalf("%q is quoted: %v", url, err)
			}
			return
		}
		broker := brokers[0]
		if broker.Host == "" || broker.Scheme != "amqp" && broker.Scheme != "amqps" || broker.Port < 0 {
			t.Fatalf("%q is %+v", url, broker)
		}
		if user != "" && (broker.Username != user || broker.Password != user) {
			t.Fatalf("%q is asked as %q, not as %q", url, broker.Username, user)
		}
	})
}

// FuzzLetter: whatever a dead letter carries, it has an id that operators can name, the same at every look, and its bytes.
func FuzzLetter(f *testing.F) {
	f.Add(byte(0), int64(0), int64(0), "", "m-1", []byte("{}"))
	f.Add(byte(3), int64(7301444403200011), int64(1773999999250), "it is poison", "m-1", []byte("{}"))
	f.Add(byte(1), int64(-1), int64(0), "", "", []byte{})
	f.Add(byte(1), int64(0), int64(0), "", "", []byte{})
	f.Add(byte(2), int64(0), int64(-1<<63), "", "", []byte{})
	f.Add(byte(12), int64(0), int64(1773999999), "delivery_limit", "m-2", []byte("\x00"))
	f.Add(byte(4), int64(0), int64(0), "", "m-3", []byte("x"))
	f.Fuzz(func(t *testing.T, has byte, id, at int64, cause, message string, body []byte) {
		d := amqp.Delivery{Headers: headersOf(has, id, at, cause), MessageId: message, Body: body}
		letter := letterOf(3, d)
		if letter.ID <= 0 || letter.Shard != 3 || string(letter.Body) != string(body) || letter.Cause == "" && (has&1 == 0 || id <= 0 || cause != "") {
			t.Fatalf("%+v became %+v", d, letter)
		}
		if _, err := json.Marshal(letter.At); err != nil {
			t.Fatalf("%+v is of %v: %v", d, letter.At, err)
		}
		if has&1 != 0 && id > 0 && int64(letter.ID) != id {
			t.Fatalf("%d became %d", id, letter.ID)
		}
		if again := letterOf(3, d); again.ID != letter.ID || !again.At.Equal(letter.At) {
			t.Fatalf("%+v, then %+v", letter, again)
		}
	})
}

// headersOf are those that the bits of has name.
func headersOf(has byte, id, at int64, cause string) amqp.Table {
	headers := amqp.Table{}
	if has&1 != 0 {
		headers[idHeader], headers[causeHeader] = id, cause
	}
	if has&2 != 0 {
		headers[atHeader] = at
	}
	if has&4 != 0 {
		death := amqp.Table{"reason": cause}
		if has&8 != 0 {
			death["time"] = time.Unix(at, 0)
		}
		headers["x-death"] = []any{death}
	}
	return headers
}
