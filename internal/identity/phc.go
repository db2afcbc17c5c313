package identity

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// phc is a hash in the PHC string format: $argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>. It carries its own cost, so hashes
// made under an older setting stay valid.
type phc struct {
	cost HashCost
	salt []byte
	hash []byte
}

// Bounds of what is accepted from the store: a damaged row must not take the process's memory.
const (
	phcMemoryMaxKiB = 1 << 20
	phcPassesMax    = 64
	phcThreadsMax   = 64
	phcBytesMin     = 8
	phcBytesMax     = 64
)

var errBadHash = errors.New("not an argon2id hash in PHC format")

// String is the encoded form.
func (p phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.cost.MemoryKiB, p.cost.Passes, p.cost.Threads,
		base64.RawStdEncoding.EncodeToString(p.salt), base64.RawStdEncoding.EncodeToString(p.hash))
}

func parsePHC(text string) (phc, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, errBadHash
	}
	var p phc
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.cost.MemoryKiB, &p.cost.Passes, &p.cost.Threads); err != nil {
		return phc{}, errBadHash
	}
	salt, errSalt := base64.RawStdEncoding.DecodeString(parts[4])
	hash, errHash := base64.RawStdEncoding.DecodeString(parts[5])
	if errSalt != nil || errHash != nil {
		return phc{}, errBadHash
	}
	p.salt, p.hash = salt, hash
	if p.String() != text || !p.bounded() {
		return phc{}, errBadHash
	}
	return p, nil
}

func (p phc) bounded() bool {
	return p.cost.MemoryKiB >= 1 && p.cost.MemoryKiB <= phcMemoryMaxKiB &&
		p.cost.Passes >= 1 && p.cost.Passes <= phcPassesMax &&
		p.cost.Threads >= 1 && p.cost.Threads <= phcThreadsMax &&
		len(p.salt) >= phcBytesMin && len(p.salt) <= phcBytesMax &&
		len(p.hash) >= phcBytesMin && len(p.hash) <= phcBytesMax
}
