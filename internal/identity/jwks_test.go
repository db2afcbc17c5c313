package identity_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seckill-dev/seckill/internal/identity"
)

// provider is an identity provider with one key per algorithm.
type provider struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey
}

func newProvider(t *testing.T) provider {
	t.Helper()
	rsaKey, errRSA := rsa.GenerateKey(rand.Reader, 2048)
	ecKey, errEC := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, edKey, errEd := ed25519.GenerateKey(rand.Reader)
	if errRSA != nil || errEC != nil || errEd != nil {
		t.Fatal(errRSA, errEC, errEd)
	}
	return provider{rsa: rsaKey, ec: ecKey, ed: edKey}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p provider) rsaJWK() map[string]any {
	return map[string]any{"kid": "r", "kty": "RSA", "use": "sig", "alg": "RS256", "n": b64(p.rsa.N.Bytes()), "e": b64(big.NewInt(int64(p.rsa.E)).Bytes())}
}

func (p provider) ecJWK(t *testing.T) map[string]any {
	t.Helper()
	point, err := p.ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"kid": "e", "kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
}

func (p provider) edJWK(t *testing.T) map[string]any {
	t.Helper()
	public, ok := p.ed.Public().(ed25519.PublicKey)
	if !ok {
		t.Fatal("no public key")
	}
	return map[string]any{"kid": "d", "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": b64(public)}
}

func jwks(t *testing.T, keys ...map[string]any) []byte {
	t.Helper()
	content, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// put replaces the file in one step, as a mounted secret is.
func put(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func openJWKS(t *testing.T, clock *handClock, content []byte) (*identity.JWKSFile, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jwks.json")
	put(t, path, content)
	file, err := identity.OpenJWKS(path, time.Second, clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return file, path
}

func claimsAt(clock *handClock) jwt.MapClaims {
	return jwt.MapClaims{"sub": "u-1", "exp": clock.Now().Add(time.Hour).Unix()}
}

func TestJWKS(t *testing.T) {
	t.Parallel()
	idp := newProvider(t)
	clock := newHandClock()
	claims := claimsAt(clock)
	byRSA := forge(t, jwt.SigningMethodRS256, map[string]any{"kid": "r"}, claims, idp.rsa)
	byEC := forge(t, jwt.SigningMethodES256, map[string]any{"kid": "e"}, claims, idp.ec)
	byEd := forge(t, jwt.SigningMethodEdDSA, map[string]any{"kid": "d"}, claims, idp.ed)
	all := jwks(t, idp.rsaJWK(), idp.ecJWK(t), idp.edJWK(t), map[string]any{"kid": "x", "kty": "RSA", "use": "enc"})

	t.Run("verifies RS256, ES256 and EdDSA and mints nothing", func(t *testing.T) {
		t.Parallel()
		file, _ := openJWKS(t, clock, all)
		tokens := tokensOf(t, identity.TokensConfig{Keys: file.Keys(), Clock: clock})
		for _, token := range []string{byRSA, byEC, byEd} {
			expectUser(t, tokens, token, "u-1")
		}
		if _, err := tokens.Mint("u-1", time.Hour); err == nil {
			t.Error("a token was minted with a public key")
		}
	})
	t.Run("never takes a public key for a secret nor one algorithm for another", func(t *testing.T) {
		t.Parallel()
		file, _ := openJWKS(t, clock, all)
		tokens := tokensOf(t, identity.TokensConfig{Keys: file.Keys(), Clock: clock})
		der, err := x509.MarshalPKIXPublicKey(&idp.rsa.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		public, ok := idp.ed.Public().(ed25519.PublicKey)
		if !ok {
			t.Fatal("no public key")
		}
		for _, token := range []string{
			forge(t, jwt.SigningMethodHS256, map[string]any{"kid": "r"}, claims, der),
			forge(t, jwt.SigningMethodHS256, map[string]any{"kid": "d"}, claims, []byte(public)),
			forge(t, jwt.SigningMethodPS256, map[string]any{"kid": "r"}, claims, idp.rsa),
			forge(t, jwt.SigningMethodRS512, map[string]any{"kid": "r"}, claims, idp.rsa),
			forge(t, jwt.SigningMethodES256, map[string]any{"kid": "r"}, claims, idp.ec),
			forge(t, jwt.SigningMethodRS256, map[string]any{"kid": "e"}, claims, idp.rsa),
		} {
			expectRefused(t, tokens, token)
		}
	})
}

func TestJWKSReload(t *testing.T) {
	t.Parallel()
	idp := newProvider(t)
	own := newHandClock()
	byRSA := forge(t, jwt.SigningMethodRS256, map[string]any{"kid": "r"}, claimsAt(own), idp.rsa)
	byEC := forge(t, jwt.SigningMethodES256, map[string]any{"kid": "e"}, claimsAt(own), idp.ec)
	t.Run("follows the file, and keeps the old keys when it is broken or gone", func(t *testing.T) {
		t.Parallel()
		file, path := openJWKS(t, own, jwks(t, idp.rsaJWK()))
		tokens := tokensOf(t, identity.TokensConfig{Keys: file.Keys(), Clock: own})
		expectUser(t, tokens, byRSA, "u-1")
		run := startJWKS(t, file, own)
		put(t, path, []byte(`{"keys":[`))
		run.tick()
		expectUser(t, tokens, byRSA, "u-1")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		run.tick()
		expectUser(t, tokens, byRSA, "u-1")
		put(t, path, jwks(t, idp.ecJWK(t)))
		run.tick()
		expectUser(t, tokens, byEC, "u-1")
		expectRefused(t, tokens, byRSA) // verified before, but its key is gone
	})
}

func TestBadJWKS(t *testing.T) {
	t.Parallel()
	idp := newProvider(t)
	change := func(key map[string]any, name string, value any) map[string]any {
		key[name] = value
		return key
	}
	cases := map[string][]byte{
		"no JSON":               []byte("-----BEGIN"),
		"no keys":               jwks(t),
		"secrets only":          jwks(t, map[string]any{"kid": "s", "kty": "oct", "k": b64(make([]byte, 32))}),
		"encryption keys only":  jwks(t, change(idp.rsaJWK(), "use", "enc")),
		"a key id twice":        jwks(t, idp.rsaJWK(), change(idp.ecJWK(t), "kid", "r")),
		"a short RSA key":       jwks(t, change(idp.rsaJWK(), "n", b64(make([]byte, 128)))),
		"an RSA exponent of 1":  jwks(t, change(idp.rsaJWK(), "e", "AQ")),
		"a point off the curve": jwks(t, change(idp.ecJWK(t), "y", b64(make([]byte, 32)))),
		"a short Ed25519 key":   jwks(t, change(idp.edJWK(t), "x", b64(make([]byte, 31)))),
		"another algorithm":     jwks(t, change(idp.rsaJWK(), "alg", "RS512")),
		"too much":              append([]byte(`{"keys":[]}`), make([]byte, 1<<20)...),
	}
	for name, content := range cases {
		t.Run("refuses to start with "+name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "jwks.json")
			put(t, path, content)
			if _, err := identity.OpenJWKS(path, 0, newHandClock(), slog.New(slog.DiscardHandler)); err == nil {
				t.Fatal("it was accepted")
			}
		})
	}
}

// jwksRun is a running file watcher; tick lets it look once.
type jwksRun struct{ clock *handClock }

func startJWKS(t *testing.T, file *identity.JWKSFile, clock *handClock) jwksRun {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- file.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-clock.asked
	return jwksRun{clock: clock}
}

func (r jwksRun) tick() {
	r.clock.Advance(time.Second)
	<-r.clock.asked // it looked, and waits again
}
