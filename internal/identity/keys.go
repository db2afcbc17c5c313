package identity

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// The algorithms that exist here. A key has exactly one.
const (
	algHS256 = "HS256"
	algRS256 = "RS256"
	algES256 = "ES256"
	algEdDSA = "EdDSA"
)

// SecretMin is the least number of bytes of a signing secret: as many as the digest of HS256.
const SecretMin = 32

// Secret is one HS256 secret with the name that tokens carry as `kid`.
type Secret struct {
	ID  string
	Key []byte
}

// verifyKey verifies tokens of one algorithm. value is what that algorithm's verifier takes.
type verifyKey struct {
	id    string
	alg   string
	value any
}

// keySet is immutable but for what it has learned: a change of keys is another set, and what was verified with the old one
// is verified again.
type keySet struct {
	keys []verifyKey
	// signer signs; its value is nil when we only hold public keys.
	signer verifyKey
	// heads are the headers of tokens that were good under these keys.
	heads atomic.Pointer[[]head]
}

// find returns the key that the token's header names. A token without a key id can only mean the one key there is.
func (s *keySet) find(id string) (verifyKey, bool) {
	if id == "" {
		if len(s.keys) == 1 {
			return s.keys[0], true
		}
		return verifyKey{}, false
	}
	for _, key := range s.keys {
		if key.id == id {
			return key, true
		}
	}
	return verifyKey{}, false
}

// Keys holds the key set in force.
type Keys struct {
	current atomic.Pointer[keySet]
}

// NewSecrets makes keys of HS256 secrets: the first one signs, all verify.
func NewSecrets(secrets []Secret) (*Keys, error) {
	keys := &Keys{}
	if err := keys.ReplaceSecrets(secrets); err != nil {
		return nil, err
	}
	return keys, nil
}

// ReplaceSecrets puts other secrets in force. Tokens signed with a secret that is gone are refused from now on.
func (k *Keys) ReplaceSecrets(secrets []Secret) error {
	if len(secrets) == 0 {
		return errors.New("at least one token secret is needed")
	}
	set := &keySet{}
	for _, secret := range secrets {
		if secret.ID == "" {
			return errors.New("a token secret needs an id")
		}
		if len(secret.Key) < SecretMin {
			return fmt.Errorf("token secret %s: %d bytes are too few, at least %d are needed", secret.ID, len(secret.Key), SecretMin)
		}
		if err := set.add(verifyKey{id: secret.ID, alg: algHS256, value: secret.Key}); err != nil {
			return err
		}
	}
	set.signer = set.keys[0]
	k.current.Store(set)
	return nil
}

func (s *keySet) add(key verifyKey) error {
	for _, known := range s.keys {
		if known.id == key.id {
			return fmt.Errorf("token key %q is there twice", key.id)
		}
	}
	s.keys = append(s.keys, key)
	return nil
}
