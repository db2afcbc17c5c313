package identity

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// HashCost is what one password hash costs.
type HashCost struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// DefaultHashCost is OWASP's first recommendation for argon2id.
func DefaultHashCost() HashCost { return HashCost{MemoryKiB: 19 * 1024, Passes: 2, Threads: 1} }

// HasherConfig bounds the hashing of passwords; zero values mean the defaults, those of Cost one by one.
type HasherConfig struct {
	Cost HashCost
	// ConcurrentMax is how many hashes are computed at once (each takes a core and Cost.MemoryKiB); WaitingMax is how many
	// more callers may wait for one.
	ConcurrentMax int
	WaitingMax    int
}

const (
	hashConcurrentDefault = 2
	hashWaitingDefault    = 16
	// hashRetryAfter is what a caller is told who found the waiting room full.
	hashRetryAfter = 2 * time.Second

	saltLength = 16
	hashLength = 32
)

// Hasher makes and checks password hashes, a bounded number at a time.
type Hasher struct {
	cost    HashCost
	waiting chan struct{}
	working chan struct{}
	// decoy is checked for users that do not exist, so that they take as long as those that do.
	decoy string
}

// NewHasher makes a hasher.
func NewHasher(config HasherConfig) *Hasher {
	standard := DefaultHashCost()
	config.Cost = HashCost{
		MemoryKiB: cmp.Or(config.Cost.MemoryKiB, standard.MemoryKiB),
		Passes:    cmp.Or(config.Cost.Passes, standard.Passes),
		Threads:   cmp.Or(config.Cost.Threads, standard.Threads),
	}
	if config.ConcurrentMax <= 0 {
		config.ConcurrentMax = hashConcurrentDefault
	}
	if config.WaitingMax <= 0 {
		config.WaitingMax = hashWaitingDefault
	}
	h := &Hasher{
		cost:    config.Cost,
		waiting: make(chan struct{}, config.ConcurrentMax+config.WaitingMax),
		working: make(chan struct{}, config.ConcurrentMax),
	}
	h.decoy = h.encode(rand.Text())
	return h
}

// Hash returns the encoded hash of a password.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	return h.encode(password), nil
}

// Matches says whether the password has that encoded hash. An empty hash matches nothing and takes as long as any other.
func (h *Hasher) Matches(ctx context.Context, encoded, password string) (bool, error) {
	exists := encoded != ""
	if !exists {
		encoded = h.decoy
	}
	want, err := parsePHC(encoded)
	if err != nil {
		return false, err
	}
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer h.leave()
	got := argon2.IDKey([]byte(password), want.salt, want.cost.Passes, want.cost.MemoryKiB, want.cost.Threads, uint32(len(want.hash)))
	return subtle.ConstantTimeCompare(got, want.hash) == 1 && exists, nil
}

// enter waits for a turn. A full waiting room refuses at once: hashing is the most expensive thing a stranger can ask for.
func (h *Hasher) enter(ctx context.Context) error {
	select {
	case h.waiting <- struct{}{}:
	default:
		return seckill.BusyFor(hashRetryAfter, "too many passwords are being checked")
	}
	select {
	case h.working <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-h.waiting
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return seckill.BusyFor(hashRetryAfter, "too many passwords are being checked")
		}
		return fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
}

func (h *Hasher) leave() {
	<-h.working
	<-h.waiting
}

func (h *Hasher) encode(password string) string {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails: it ends the process instead
	sum := argon2.IDKey([]byte(password), salt, h.cost.Passes, h.cost.MemoryKiB, h.cost.Threads, hashLength)
	return phc{cost: h.cost, salt: salt, hash: sum}.String()
}
