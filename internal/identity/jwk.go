package identity

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// jwk is one public key of RFC 7517.
type jwk struct {
	ID        string `json:"kid"`
	Type      string `json:"kty"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	Curve     string `json:"crv"`
	N         string `json:"n"`
	E         string `json:"e"`
	X         string `json:"x"`
	Y         string `json:"y"`
}

const (
	rsaBitsMin     = 2048
	rsaBitsMax     = 8192
	p256Coordinate = 32
	jwksKeysMax    = 100
)

// parseJWKS reads a key set. Keys that are not for us (encryption, other algorithms) are skipped, with the reason; a
// signing key that is damaged, or a set without any usable key, is an error.
func parseJWKS(content []byte) (set *keySet, skipped []string, err error) {
	var document struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal(content, &document); err != nil {
		return nil, nil, fmt.Errorf("not a JWKS document: %w", err)
	}
	if len(document.Keys) > jwksKeysMax {
		return nil, nil, fmt.Errorf("more than %d keys", jwksKeysMax)
	}
	set = &keySet{}
	for _, entry := range document.Keys {
		if why := entry.unusable(); why != "" {
			skipped = append(skipped, fmt.Sprintf("key %q: %s", entry.ID, why))
			continue
		}
		key, err := entry.verifyKey()
		if err != nil {
			return nil, nil, fmt.Errorf("key %q: %w", entry.ID, err)
		}
		if err := set.add(key); err != nil {
			return nil, nil, err
		}
	}
	if len(set.keys) == 0 {
		return nil, nil, errors.New("no usable signing key")
	}
	return set, skipped, nil
}

// algorithm is the one algorithm that a key of this type and curve verifies here, or "".
func (k jwk) algorithm() string {
	switch {
	case k.Type == "RSA":
		return algRS256
	case k.Type == "EC" && k.Curve == "P-256":
		return algES256
	case k.Type == "OKP" && k.Curve == "Ed25519":
		return algEdDSA
	default:
		return ""
	}
}

func (k jwk) unusable() string {
	switch {
	case k.Use != "" && k.Use != "sig":
		return "not a signing key"
	case k.Type == "oct":
		return "secrets do not belong into a file of public keys"
	case k.algorithm() == "" || k.Algorithm != "" && k.Algorithm != k.algorithm():
		return fmt.Sprintf("type %q, curve %q, algorithm %q is not supported", k.Type, k.Curve, k.Algorithm)
	default:
		return ""
	}
}

func (k jwk) verifyKey() (verifyKey, error) {
	key := verifyKey{id: k.ID, alg: k.algorithm()}
	var err error
	switch key.alg {
	case algRS256:
		key.value, err = k.rsaKey()
	case algES256:
		key.value, err = k.ecKey()
	default:
		key.value, err = k.edKey()
	}
	return key, err
}

func (k jwk) rsaKey() (*rsa.PublicKey, error) {
	n, errN := base64.RawURLEncoding.DecodeString(k.N)
	e, errE := base64.RawURLEncoding.DecodeString(k.E)
	if errN != nil || errE != nil {
		return nil, errors.New("n or e is not base64url")
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	if bits := modulus.BitLen(); bits < rsaBitsMin || bits > rsaBitsMax {
		return nil, fmt.Errorf("%d bits; %d-%d are accepted", bits, rsaBitsMin, rsaBitsMax)
	}
	if !exponent.IsInt64() || exponent.Int64() < 3 || exponent.Int64() >= 1<<31 || exponent.Bit(0) == 0 {
		return nil, errors.New("the exponent is not acceptable")
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}, nil
}

func (k jwk) ecKey() (*ecdsa.PublicKey, error) {
	x, errX := base64.RawURLEncoding.DecodeString(k.X)
	y, errY := base64.RawURLEncoding.DecodeString(k.Y)
	if errX != nil || errY != nil || len(x) != p256Coordinate || len(y) != p256Coordinate {
		return nil, errors.New("x or y is not a coordinate of P-256 in base64url")
	}
	point := append(append([]byte{4}, x...), y...) // 4: uncompressed
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}

func (k jwk) edKey() (ed25519.PublicKey, error) {
	x, err := base64.RawURLEncoding.DecodeString(k.X)
	if err != nil || len(x) != ed25519.PublicKeySize {
		return nil, errors.New("x is not an Ed25519 key in base64url")
	}
	return x, nil
}
