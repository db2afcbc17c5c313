package identity_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// FuzzSignedTokens: of what is signed with our secret, only what says HS256, a key of ours and a time that is not over lets
// anybody in; and who comes again, when the header is known, hears the same.
func FuzzSignedTokens(f *testing.F) {
	now := newHandClock().Now().Unix()
	good := fmt.Sprintf(`{"sub":"u-1","exp":%d}`, now+60)
	for _, header := range []string{
		`{"alg":"HS256","kid":"a","typ":"JWT"}`, `{"alg":"none"}`, `{"alg":"HS256"}`, `{"alg":"RS256","kid":"a"}`, `{"alg":"HS256","kid":7}`,
		`{"alg":"HS256","kid":"a","crit":["exp"]}`, `{"alg":"HS256","kid":"b"}`, `{"alg":"hs256","kid":"a"}`, `{"ALG":"HS256","kid":"a"}`, ``, `[]`,
	} {
		f.Add(header, good)
	}
	for _, claims := range []string{
		fmt.Sprintf(`{"sub":"u-1","exp":%d.5}`, now+60), fmt.Sprintf(`{"sub":"u-1","exp":%d}`, now-60), `{"sub":"u-1","exp":1e300}`, `{"sub":"u-1","exp":-1}`,
		`{"sub":"u-1"}`, fmt.Sprintf(`{"sub":"u;1","exp":%d}`, now+60), fmt.Sprintf(`{"sub":"u-1","exp":%d,"nbf":1e18}`, now+60), fmt.Sprintf(`{"sub":"u-1","exp":%d,"aud":[1]}`, now+60),
	} {
		f.Add(`{"alg":"HS256","kid":"a"}`, claims)
	}
	f.Fuzz(func(t *testing.T, header, claims string) {
		tokens := newTokens(t, newHandClock(), secret("a"))
		token := sign(base64.RawURLEncoding.EncodeToString([]byte(header)), claims, secret("a").Key)
		user, err := tokens.Verify(token)
		again, errAgain := tokens.Verify(token)
		if user != again || (err == nil) != (errAgain == nil) {
			t.Fatalf("%s %s: first %q, %v, then %q, %v", header, claims, user, err, again, errAgain)
		}
		if err != nil {
			if seckill.ReasonOf(err) != seckill.Unauthenticated || user != "" {
				t.Fatalf("%s %s: user %q, %v", header, claims, user, err)
			}
			return
		}
		expectFair(t, header, claims, user, now)
	})
}

// expectFair reads a token that was accepted with encoding/json alone.
func expectFair(t *testing.T, header, claims string, user seckill.UserID, now int64) {
	t.Helper()
	var head struct {
		Algorithm string          `json:"alg"`
		Key       string          `json:"kid"`
		Critical  json.RawMessage `json:"crit"`
	}
	var said struct {
		Subject string  `json:"sub"`
		Expires float64 `json:"exp"`
	}
	if json.Unmarshal([]byte(header), &head) != nil || head.Algorithm != "HS256" || head.Key != "a" && head.Key != "" || head.Critical != nil {
		t.Errorf("the header %s was accepted", header)
	}
	if json.Unmarshal([]byte(claims), &said) != nil || said.Subject != string(user) || user.Validate() != nil || !(said.Expires+6 > float64(now)) {
		t.Errorf("%s let %q in", claims, user)
	}
}

// FuzzTamperedTokens: a token in which a single character is another one, or that is cut or continued, is nobody's.
func FuzzTamperedTokens(f *testing.F) {
	tokens, header := acquainted(f, identity.TokensConfig{})
	token := sign(header, fmt.Sprintf(`{"sub":"u-1","exp":%d}`, newHandClock().Now().Add(time.Hour).Unix()), secret("a").Key)
	f.Add(uint16(0), "f")
	f.Add(uint16(len(token)-1), "B") // the last character carries bits that are not of the signature
	f.Add(uint16(len(header)), "=")
	f.Add(uint16(len(token)), "")
	f.Add(uint16(len(token)), "\n")
	f.Add(uint16(7), "ab")
	f.Fuzz(func(t *testing.T, at uint16, put string) {
		from := min(int(at), len(token))
		tampered := token[:from] + put + token[min(from+len(put), len(token)):]
		if put == "" {
			tampered = token[:from]
		}
		if tampered == token {
			return
		}
		if user, ok := tokens.VerifyPlainly(tampered); ok {
			t.Fatalf("%q lets %q in the short way", tampered, user)
		}
		if user, err := tokens.Verify(tampered); err == nil || seckill.ReasonOf(err) != seckill.Unauthenticated {
			t.Fatalf("%q lets %q in, %v", tampered, user, err)
		}
	})
}

// FuzzTokens: whatever is sent for a token, nobody gets in who has not signed with a secret of ours.
func FuzzTokens(f *testing.F) {
	tokens, _ := acquainted(f, identity.TokensConfig{})
	f.Add(mint(f, tokens, "u-1", time.Hour))
	for _, seed := range []string{"", ".", "..", "...", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", strings.Repeat("A", 5000), "e30.e30.e30"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		user, err := tokens.Verify(token)
		if err != nil {
			if seckill.ReasonOf(err) != seckill.Unauthenticated || user != "" {
				t.Fatalf("%q: user %q, %v", token, user, err)
			}
			return
		}
		end := strings.LastIndexByte(token, '.')
		mac := hmac.New(sha256.New, secret("a").Key)
		_, _ = mac.Write([]byte(token[:end]))
		if token[end+1:] != base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) {
			t.Fatalf("%q lets %q in", token, user)
		}
	})
}

// FuzzPHC: a hash that is read is written in the same way, and never asks for more than the bounds allow.
func FuzzPHC(f *testing.F) {
	const salt, hash = "c29tZXNhbHRzb21lc2FsdA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for _, seed := range []string{
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + hash, "$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=+1,t=2,p=1$" + salt + "$" + hash, "$argon2i$v=19$m=1,t=2,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=1,t=0,p=1$" + salt + "$" + hash, "$argon2id$v=19$m=1,t=1,p=1$$", "$$$$$", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		written, err := identity.ParsePHC(text)
		if err != nil {
			return
		}
		var memory, passes, threads uint64
		if _, err := fmt.Sscanf(text, "$argon2id$v=19$m=%d,t=%d,p=%d$", &memory, &passes, &threads); err != nil || written != text {
			t.Fatalf("%q became %q, %v", text, written, err)
		}
		if memory == 0 || memory > 1<<20 || passes == 0 || passes > 64 || threads == 0 || threads > 64 {
			t.Fatalf("%q would cost %d KiB, %d passes, %d threads", text, memory, passes, threads)
		}
	})
}

// FuzzJWKS: a key set is taken whole or refused; what is taken verifies with one algorithm, and none of them with a secret.
func FuzzJWKS(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kid":"d","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Add([]byte(`{"keys":[{"kid":"e","kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`))
	f.Add([]byte(`{"keys":[{"kid":"s","kty":"oct","k":"c2VjcmV0"},{"kid":"d","kty":"OKP","crv":"Ed25519","use":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Add([]byte(`{"keys":[{"kid":"r","kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":"AQAB"},{"kid":"","kty":"RSA","n":"AA","e":"AA"}]}`))
	f.Add([]byte(`{"keys":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, content []byte) {
		algorithms, skipped, err := identity.ParseJWKS(content)
		if err != nil {
			return
		}
		var document struct{ Keys []json.RawMessage }
		if err := json.Unmarshal(content, &document); err != nil || len(algorithms)+len(skipped) != len(document.Keys) || len(algorithms) == 0 {
			t.Fatalf("%s: %v, skipped %q", content, algorithms, skipped)
		}
		for id, algorithm := range algorithms {
			if algorithm != "RS256" && algorithm != "ES256" && algorithm != "EdDSA" {
				t.Fatalf("%s: the key %q is for %q", content, id, algorithm)
			}
		}
	})
}
