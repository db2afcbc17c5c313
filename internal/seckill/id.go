package seckill

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ID names a sale, an item, a reservation (and with it its claim and order), a batch or any other row. It is a
// positive 63-bit number: 41 bits of milliseconds since idEpoch, 10 bits of bucket, 6 bits of node, 6 bits of
// sequence. On the wire it is a decimal string, because JavaScript and Lua lose integers above 2^53.
type ID int64

const (
	// Buckets is the number of logical buckets that are mapped to shards and order tables.
	Buckets = 1024
	// NodesMax is the number of processes that may hold an id-generator lease at once.
	NodesMax = 64
	// SequencesMax is the number of ids one node can make per millisecond and bucket.
	SequencesMax = 64

	bucketShift = 12
	nodeShift   = 6
	milliShift  = 22
)

// idEpoch is 2025-01-01T00:00:00Z; 41 bits of milliseconds last until 2094.
const idEpoch = 1735689600000

// ErrBadID says that a text is not an id.
var ErrBadID = errors.New("an id is a decimal number from 1 to 9223372036854775807")

// ComposeID builds an id. milli is Unix milliseconds; bucket, node and sequence must be within their bounds.
func ComposeID(milli int64, bucket, node, sequence int) ID {
	return ID((milli-idEpoch)<<milliShift | int64(bucket)<<bucketShift | int64(node)<<nodeShift | int64(sequence))
}

// ParseID reads the decimal form; anything but 1..2^63-1 without sign or leading zero is ErrBadID.
func ParseID(text string) (ID, error) {
	if len(text) == 0 || len(text) > 19 || text[0] < '1' || text[0] > '9' {
		return 0, ErrBadID
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, ErrBadID
	}
	return ID(n), nil
}

// String is the decimal form.
func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

// Bucket is the logical bucket the id was made for; it routes the row.
func (id ID) Bucket() int { return int(id>>bucketShift) & (Buckets - 1) }

// Time is when the id was made, to the millisecond.
func (id ID) Time() time.Time { return time.UnixMilli(int64(id>>milliShift) + idEpoch).UTC() }

// MarshalText writes the decimal form, so JSON carries ids as strings.
func (id ID) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(id), 10), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// UserID is the subject of a shopper's token: 1-64 characters of [A-Za-z0-9_.:@-]. The alphabet keeps it free of
// every separator used in Redis values and queue messages.
type UserID string

const userIDMax = 64

// Validate says what is wrong with a user id.
func (u UserID) Validate() error {
	if len(u) == 0 || len(u) > userIDMax {
		return fmt.Errorf("a user id has 1-%d characters", userIDMax)
	}
	for i := range len(u) {
		if !userIDByte(u[i]) {
			return errors.New("a user id consists of letters, digits and _ . : @ -")
		}
	}
	return nil
}

func userIDByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	default:
		return c == '_' || c == '.' || c == ':' || c == '@' || c == '-'
	}
}

// Bucket is FNV-1a 64 of the user id modulo Buckets: the user's orders live in that bucket.
func (u UserID) Bucket() int {
	// By hand: hash/fnv allocates for each of the many times that a purchase asks.
	const offset, prime uint64 = 14695981039346656037, 1099511628211
	hash := offset
	for i := range len(u) {
		hash = (hash ^ uint64(u[i])) * prime
	}
	return int(hash % Buckets)
}

// IDs makes ids. Safe for concurrent use.
type IDs interface {
	// Next returns an id for the bucket that this system has never returned before. It fails, and makes none, when the
	// node's lease is too old to be trusted or the clock stepped back too far.
	Next(bucket int) (ID, error)
}

// Shards tells where rows live. It does no I/O.
type Shards interface {
	// Count is the number of shards, numbered from 0; the catalog lives on shard 0.
	Count() int
	// Shard is the shard of a bucket.
	Shard(bucket int) int
}

// HomeShard is where an item's stock and claims live.
func HomeShard(s Shards, item ID) int { return s.Shard(item.Bucket()) }

// UserShard is where a user's orders live.
func UserShard(s Shards, user UserID) int { return s.Shard(user.Bucket()) }
