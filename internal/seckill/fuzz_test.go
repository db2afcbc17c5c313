package seckill_test

import (
	"encoding/json"
	"errors"
	"hash/fnv"
	"math/big"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// FuzzParseID: what is accepted is the number as big.Int reads it, in its only form; all else is ErrBadID and no id.
func FuzzParseID(f *testing.F) {
	for _, seed := range []string{"1", "0", "-1", "+1", "01", "9223372036854775807", "9223372036854775808", "1_0", "１", "1e3", ""} {
		f.Add(seed)
	}
	form := regexp.MustCompile(`\A[1-9][0-9]*\z`)
	f.Fuzz(func(t *testing.T, text string) {
		n, _ := new(big.Int).SetString(text[:min(len(text), 32)], 10)
		good := len(text) <= 32 && form.MatchString(text) && n.IsInt64()
		id, err := seckill.ParseID(text)
		if good != (err == nil) || good && (id.String() != text || int64(id) != n.Int64()) {
			t.Fatalf("%q became %d, %v", text, id, err)
		}
		if !good && (id != 0 || !errors.Is(err, seckill.ErrBadID)) {
			t.Fatalf("%q was refused as %d, %v", text, id, err)
		}
		kept := seckill.ID(7)
		if err := kept.UnmarshalText([]byte(text)); good != (err == nil) || !good && kept != 7 {
			t.Fatalf("%q was unmarshalled to %d, %v", text, kept, err)
		}
	})
}

// FuzzUserID: the alphabet and the length are those of the contract, and the bucket is that of hash/fnv.
func FuzzUserID(f *testing.F) {
	for _, seed := range []string{"ann", "", "a;b", "a,b", "ä", "a\x00", strings.Repeat("u", 64), strings.Repeat("u", 65), "A_z.0:@-"} {
		f.Add(seed)
	}
	form := regexp.MustCompile(`\A[A-Za-z0-9_.:@-]{1,64}\z`)
	f.Fuzz(func(t *testing.T, text string) {
		user := seckill.UserID(text)
		if good := form.MatchString(text); good != (user.Validate() == nil) {
			t.Fatalf("%q: %v", text, user.Validate())
		}
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(text))
		if want := int(hash.Sum64() % seckill.Buckets); user.Bucket() != want {
			t.Fatalf("%q is in bucket %d, not %d", text, user.Bucket(), want)
		}
	})
}

// FuzzMessage: what may be reserved is read from its message as it was written, and what may not be is refused.
func FuzzMessage(f *testing.F) {
	f.Add(int64(77), int64(1), int64(12), int64(66), "bob", int64(2), "key-1")
	f.Add(int64(1), int64(0), int64(1), int64(1), "a", int64(1000), "")
	f.Add(int64(-1), int64(1), int64(1), int64(1), "a\"", int64(1), "k")
	f.Fuzz(func(t *testing.T, batch, at, sold, id int64, user string, quantity int64, key string) {
		reserved := seckill.Reserved{ID: seckill.ID(id), User: seckill.UserID(user), Quantity: quantity, KeyHash: seckill.KeyHash(key, seckill.ID(id))}
		m := seckill.Message{
			Batch: seckill.ID(batch), Item: 5, Epoch: 3, At: at, Sold: sold,
			Reservations: []seckill.Reserved{reserved, {ID: 9, User: "cat", Quantity: 1, KeyHash: "h"}},
		}
		good := batch > 0 && sold > 0 && id > 0 && quantity >= 1 && quantity <= seckill.QuantityMax && reserved.User.Validate() == nil
		read, err := seckill.DecodeMessage(m.Encode())
		if good != (err == nil) || good && !reflect.DeepEqual(read, m) {
			t.Fatalf("%s became %+v, %v", m.Encode(), read, err)
		}
	})
}

// FuzzAmount: what people read is the amount, to the last minor unit.
func FuzzAmount(f *testing.F) {
	f.Add(int64(1290), "EUR")
	f.Add(int64(-1), "JPY")
	f.Add(int64(-1<<63), "KWD")
	f.Add(int64(5), "CLF")
	form := regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
	f.Fuzz(func(t *testing.T, minor int64, currency string) {
		text := seckill.PlainAmount(minor, currency)
		decimals := seckill.Decimals(currency)
		if _, after, _ := strings.Cut(text, "."); len(after) != decimals || !form.MatchString(text) {
			t.Fatalf("%d %s is written as %s", minor, currency, text)
		}
		read, _ := new(big.Rat).SetString(text)
		scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil))
		if read.Mul(read, scale).Cmp(new(big.Rat).SetInt64(minor)) != 0 {
			t.Fatalf("%d %s is written as %s", minor, currency, text)
		}
	})
}

// FuzzEvent: an event is JSON that says what was meant, whatever its data are, as long as these are JSON.
func FuzzEvent(f *testing.F) {
	f.Add(int64(1), int64(2), int64(3), int64(1773999999250), `{"id":"1"}`)
	f.Add(int64(1), int64(2), int64(-3), int64(0), `null`)
	f.Add(int64(1), int64(2), int64(3), int64(253402300799999), `"\u2028"`)
	f.Fuzz(func(t *testing.T, id, subject, version, milli int64, data string) {
		const year9999 = 253402300799999
		if !json.Valid([]byte(data)) || id <= 0 || subject <= 0 || milli < 0 || milli > year9999 {
			t.Skip("no event that anybody makes")
		}
		at := time.UnixMilli(milli).UTC()
		event := seckill.Event{ID: seckill.ID(id), Type: seckill.EventOrderPaid, Subject: seckill.ID(subject), Version: version, Data: []byte(data), At: at}
		var read struct {
			ID        seckill.ID        `json:"id"`
			Type      seckill.EventType `json:"type"`
			Subject   seckill.ID        `json:"subject"`
			Version   int64             `json:"version"`
			Timestamp time.Time         `json:"timestamp"`
			Data      json.RawMessage   `json:"data"`
		}
		if err := json.Unmarshal(event.Encode(), &read); err != nil {
			t.Fatalf("%s: %v", event.Encode(), err)
		}
		if read.ID != event.ID || read.Type != event.Type || read.Subject != event.Subject || read.Version != version || !read.Timestamp.Equal(at) {
			t.Fatalf("%s became %+v", event.Encode(), read)
		}
		if string(read.Data) != strings.Trim(data, " \t\r\n") {
			t.Fatalf("the data %q became %q", data, read.Data)
		}
	})
}

// FuzzEndpointName: names are what fits into paths, rows and labels as it stands.
func FuzzEndpointName(f *testing.F) {
	for _, seed := range []string{"shop", "", "-a", "a-", "A", "a\n", "é", strings.Repeat("a", 65)} {
		f.Add(seed)
	}
	form := regexp.MustCompile(`\A[a-z0-9][a-z0-9-]{0,63}\z`)
	f.Fuzz(func(t *testing.T, name string) {
		if got := seckill.IsEndpointName(name); got != form.MatchString(name) {
			t.Fatalf("%q: %t", name, got)
		}
	})
}
