package identity_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seckill-dev/seckill/internal/identity"
)

// sign makes a token of claims as they stand, under the header that Mint uses.
func sign(header, claims string, key []byte) string {
	text := header + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// acquainted is a verifier that has seen one token, and that token's header.
func acquainted(t testing.TB, config identity.TokensConfig) (tokens *identity.Tokens, header string) {
	t.Helper()
	keys, err := identity.NewSecrets([]identity.Secret{secret("a")})
	if err != nil {
		t.Fatal(err)
	}
	config.Keys, config.Clock = keys, newHandClock()
	tokens = tokensOf(t, config)
	token := mint(t, tokens, "u-1", time.Hour)
	if _, ok := tokens.VerifyPlainly(token); ok {
		t.Fatal("a header is believed that the library has not seen")
	}
	expectUser(t, tokens, token, "u-1")
	if user, ok := tokens.VerifyPlainly(token); !ok || user != "u-1" {
		t.Fatalf("user %q, %v: want what was minted to be plain", user, ok)
	}
	header, _, _ = strings.Cut(token, ".")
	return tokens, header
}

func TestPlainTokens(t *testing.T) {
	t.Parallel()
	now := newHandClock().Now().Unix()
	good := fmt.Sprintf(`{"sub":"u-1","exp":%d}`, now+60)
	for claims, plain := range map[string]bool{
		good: true,
		fmt.Sprintf(`{"iss":"shop","sub":"u-1","aud":"x","exp":%d,"nbf":%d,"iat":%d,"jti":"7","role":"vip","age":33}`, now+60, now-60, now): true,
		fmt.Sprintf(`{"sub":"u-1","exp":%d}`, now-60):                    false, // over
		fmt.Sprintf(`{"sub":"u-1","exp":%d,"nbf":%d}`, now+60, now+60):   false, // not yet
		fmt.Sprintf(`{"sub":"u-1","exp":%d,"nbf":"%d"}`, now+60, now-60): false,
		fmt.Sprintf(`{"sub":"u-1","exp":%d,"exp":%d}`, now+60, now-60):   false,
		fmt.Sprintf(`{"sub":"u-1","EXP":%d,"exp":%d}`, now-60, now+60):   false,
		fmt.Sprintf(`{"sub":"u-1","exp":%d.5}`, now+60):                  false,
		fmt.Sprintf(`{"sub":"u\u002d1","exp":%d}`, now+60):               false,
		fmt.Sprintf(`{"sub":"u-1","exp":%d,"x":[1]}`, now+60):            false,
		fmt.Sprintf(`{"sub":"u-1","exp":%d} `, now+60):                   false,
		fmt.Sprintf(`{"sub":"u-1","exp":%d,}`, now+60):                   false,
		fmt.Sprintf(`{"sub":"","exp":%d}`, now+60):                       false,
		fmt.Sprintf(`{"sub":7,"exp":%d}`, now+60):                        false,
		`{"sub":"u-1"}`: false,
		`{}`:            false,
		``:              false,
	} {
		t.Run("takes the short way, or leaves it to the library: "+claims, func(t *testing.T) {
			t.Parallel()
			tokens, header := acquainted(t, identity.TokensConfig{})
			if user, ok := tokens.VerifyPlainly(sign(header, claims, secret("a").Key)); ok != plain || ok && user != "u-1" {
				t.Errorf("user %q, plain %v: want %v", user, ok, plain)
			}
		})
	}
}

func TestPlainTokensOfOthers(t *testing.T) {
	t.Parallel()
	now := newHandClock().Now().Unix()
	good := fmt.Sprintf(`{"sub":"u-1","exp":%d}`, now+60)
	t.Run("refuses a signature that is another key's, cut, or of other words", func(t *testing.T) {
		t.Parallel()
		tokens, header := acquainted(t, identity.TokensConfig{})
		token := sign(header, good, secret("a").Key)
		other := sign(header, good, secret("b").Key)
		for _, bad := range []string{other, token[:len(token)-1], token + "A", token + "\n", token[:len(token)-9] + "\r\n" + token[len(token)-9:], header + "." + strings.SplitN(other, ".", 2)[1][1:], header + ".." + token} {
			if _, ok := tokens.VerifyPlainly(bad); ok {
				t.Errorf("%s is plainly good", bad)
			}
			expectRefused(t, tokens, bad)
		}
	})
	t.Run("wants its issuer and audience when they are configured", func(t *testing.T) {
		t.Parallel()
		tokens, header := acquainted(t, identity.TokensConfig{Issuer: "shop", Audience: "sale"})
		for claims, plain := range map[string]bool{
			`"iss":"shop","aud":"sale"`: true, `"iss":"shop"`: false, `"aud":"sale"`: false, `"iss":"shop","aud":"other"`: false,
			`"iss":"shop","aud":["sale"]`: true, `"iss":"shop","aud":["sale","other"]`: false, `"iss":"shop","aud":[]`: false,
		} {
			_, ok := tokens.VerifyPlainly(sign(header, fmt.Sprintf(`{"sub":"u-1","exp":%d,%s}`, now+60, claims), secret("a").Key))
			if ok != plain {
				t.Errorf("%s: plain %v, want %v", claims, ok, plain)
			}
		}
	})
}

func TestPlainHeaders(t *testing.T) {
	t.Parallel()
	t.Run("forgets headers with the keys that they were good under", func(t *testing.T) {
		t.Parallel()
		keys, err := identity.NewSecrets([]identity.Secret{secret("a")})
		if err != nil {
			t.Fatal(err)
		}
		tokens := tokensOf(t, identity.TokensConfig{Keys: keys, Clock: newHandClock()})
		token := mint(t, tokens, "u-1", time.Hour)
		expectUser(t, tokens, token, "u-1")
		if err := keys.ReplaceSecrets([]identity.Secret{{ID: "a", Key: secret("b").Key}}); err != nil {
			t.Fatal(err)
		}
		if _, ok := tokens.VerifyPlainly(token); ok {
			t.Error("a token of a key that is gone is plainly good")
		}
		expectRefused(t, tokens, token)
	})
	t.Run("learns a bounded number of headers", func(t *testing.T) {
		t.Parallel()
		tokens, _ := acquainted(t, identity.TokensConfig{})
		learned, now := 0, newHandClock().Now().Unix()
		for n := range 100 {
			token := forge(t, jwt.SigningMethodHS256, map[string]any{"kid": "a", "n": n}, jwt.MapClaims{"sub": "u-1", "exp": now + 60}, secret("a").Key)
			expectUser(t, tokens, token, "u-1")
			if _, ok := tokens.VerifyPlainly(token); ok {
				learned++
			}
		}
		if learned == 0 || learned > 16 {
			t.Errorf("%d headers are known", learned)
		}
	})
}

func FuzzPlainTokens(f *testing.F) {
	tokens, header := acquainted(f, identity.TokensConfig{Issuer: "shop", Audience: "sale"})
	now := newHandClock().Now().Unix()
	f.Add(fmt.Sprintf(`{"iss":"shop","sub":"u-1","aud":"sale","exp":%d,"iat":%d}`, now+60, now))
	f.Add(fmt.Sprintf(`{"iss":"shop","sub":"u-1","aud":"sale","exp":%d,"nbf":%d,"x":"y","n":0}`, now+60, now-3))
	f.Add(fmt.Sprintf(`{"iss":"shop","aud":["sale"],"sub":"u-1","exp":%d}`, now+60))
	f.Fuzz(func(t *testing.T, claims string) {
		token := sign(header, claims, secret("a").Key)
		user, ok := tokens.VerifyPlainly(token)
		if !ok {
			return
		}
		if known, err := tokens.VerifyByLibrary(token); err != nil || known != user {
			t.Errorf("%q: %q the short way, %q by the library, %v", claims, user, known, err)
		}
	})
}

// BenchmarkVerify is a token that has not been seen before.
func BenchmarkVerify(b *testing.B) {
	tokens, _ := acquainted(b, identity.TokensConfig{})
	token := mint(b, tokens, "user-0000001", time.Hour)
	b.Run("the short way", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tokens.VerifyPlainly(token)
		}
	})
	b.Run("by the library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = tokens.VerifyByLibrary(token) // it is good
		}
	})
}
