package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// OperatorKey is one operator's credential; Name is what the operators' log says.
type OperatorKey struct {
	Name string
	Key  string
}

// operatorKeyMin keeps keys out of reach of guessing; they are not stretched like passwords.
const operatorKeyMin = 20

// Operators knows who may operate. Only hashes are kept, and every one is compared, so that neither the time nor a dump of
// the memory gives a key away.
type Operators struct {
	keys []operatorSum
}

type operatorSum struct {
	actor string
	sum   [sha256.Size]byte
}

// NewOperators checks the configured keys: names and keys are there once, keys are long enough.
func NewOperators(keys []OperatorKey) (*Operators, error) {
	operators := &Operators{}
	for _, key := range keys {
		if err := seckill.UserID(key.Name).Validate(); err != nil {
			return nil, fmt.Errorf("operator name %q: %w", key.Name, err)
		}
		if len(key.Key) < operatorKeyMin {
			return nil, fmt.Errorf("operator %s: a key has at least %d characters", key.Name, operatorKeyMin)
		}
		added := operatorSum{actor: "operator:" + key.Name, sum: sha256.Sum256([]byte(key.Key))}
		for _, known := range operators.keys {
			if known.actor == added.actor {
				return nil, fmt.Errorf("operator %s is there twice", key.Name)
			}
			if known.sum == added.sum {
				return nil, fmt.Errorf("operator %s has somebody else's key", key.Name)
			}
		}
		operators.keys = append(operators.keys, added)
	}
	if len(operators.keys) == 0 {
		return nil, errors.New("at least one operator key is needed")
	}
	return operators, nil
}

// Actor names the operator who holds the key, as the operators' log does, or refuses.
func (o *Operators) Actor(key string) (string, error) {
	sum := sha256.Sum256([]byte(key))
	actor := ""
	for _, known := range o.keys {
		if subtle.ConstantTimeCompare(known.sum[:], sum[:]) == 1 {
			actor = known.actor
		}
	}
	if actor == "" {
		return "", seckill.Refuse(seckill.Unauthenticated, "this operator key is not known")
	}
	return actor, nil
}
