package identity_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func secret(id string) identity.Secret {
	return identity.Secret{ID: id, Key: []byte(strings.Repeat(id, identity.SecretMin))}
}

func newTokens(t testing.TB, clock seckill.Clock, secrets ...identity.Secret) *identity.Tokens {
	t.Helper()
	keys, err := identity.NewSecrets(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return tokensOf(t, identity.TokensConfig{Keys: keys, Clock: clock})
}

func tokensOf(t testing.TB, config identity.TokensConfig) *identity.Tokens {
	t.Helper()
	tokens, err := identity.NewTokens(config)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func mint(t testing.TB, tokens *identity.Tokens, user seckill.UserID, ttl time.Duration) string {
	t.Helper()
	token, err := tokens.Mint(user, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// forge signs whatever it is told to.
func forge(t testing.TB, method jwt.SigningMethod, header map[string]any, claims jwt.MapClaims, key any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	for name, value := range header {
		token.Header[name] = value
	}
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func expectRefused(t testing.TB, tokens *identity.Tokens, token string) {
	t.Helper()
	if user, err := tokens.Verify(token); seckill.ReasonOf(err) != seckill.Unauthenticated || user != "" {
		t.Errorf("user %q, error %v: want unauthenticated", user, err)
	}
}

func expectUser(t testing.TB, tokens *identity.Tokens, token string, want seckill.UserID) {
	t.Helper()
	if user, err := tokens.Verify(token); err != nil || user != want {
		t.Errorf("user %q, error %v: want %q", user, err, want)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	t.Run("verifies what it minted, again and again, until it ends", func(t *testing.T) {
		t.Parallel()
		clock := newHandClock()
		tokens := newTokens(t, clock, secret("a"))
		token := mint(t, tokens, "u-1", time.Minute)
		for range 3 {
			expectUser(t, tokens, token, "u-1")
		}
		clock.Advance(time.Minute + 4*time.Second) // within the leeway
		expectUser(t, tokens, token, "u-1")
		clock.Advance(time.Second)
		expectRefused(t, tokens, token)
		expectRefused(t, newTokens(t, clock, secret("a")), token) // the memory says what a fresh look says
	})
}

func TestRotation(t *testing.T) {
	t.Parallel()
	t.Run("accepts old secrets while they are listed and refuses them from the moment they are not", func(t *testing.T) {
		t.Parallel()
		clock := newHandClock()
		keys, err := identity.NewSecrets([]identity.Secret{secret("a")})
		if err != nil {
			t.Fatal(err)
		}
		tokens := tokensOf(t, identity.TokensConfig{Keys: keys, Clock: clock})
		old := mint(t, tokens, "u-1", time.Hour)
		if err := keys.ReplaceSecrets([]identity.Secret{secret("b"), secret("a")}); err != nil {
			t.Fatal(err)
		}
		expectUser(t, tokens, old, "u-1")
		young := mint(t, tokens, "u-2", time.Hour)
		if err := keys.ReplaceSecrets([]identity.Secret{secret("b")}); err != nil {
			t.Fatal(err)
		}
		expectRefused(t, tokens, old)
		expectUser(t, tokens, young, "u-2")
	})
}

func TestIssuer(t *testing.T) {
	t.Parallel()
	t.Run("wants its issuer and audience when they are configured", func(t *testing.T) {
		t.Parallel()
		clock := newHandClock()
		keys, err := identity.NewSecrets([]identity.Secret{secret("a")})
		if err != nil {
			t.Fatal(err)
		}
		shop := tokensOf(t, identity.TokensConfig{Keys: keys, Clock: clock, Issuer: "shop", Audience: "sales"})
		expectUser(t, shop, mint(t, shop, "u-1", time.Hour), "u-1")
		for _, other := range []identity.TokensConfig{{}, {Issuer: "shop"}, {Audience: "sales"}, {Issuer: "shop", Audience: "mail"}} {
			other.Keys, other.Clock = keys, clock
			expectRefused(t, shop, mint(t, tokensOf(t, other), "u-1", time.Hour))
		}
	})
}

func TestMint(t *testing.T) {
	t.Parallel()
	t.Run("mints only for user ids and bounded times", func(t *testing.T) {
		t.Parallel()
		tokens := newTokens(t, newHandClock(), secret("a"))
		if _, err := tokens.Mint("a b", time.Hour); err == nil {
			t.Error("a bad user was accepted")
		}
		for _, ttl := range []time.Duration{0, -time.Second, identity.TokenTTLMax + 1} {
			if _, err := tokens.Mint("u-1", ttl); err == nil {
				t.Errorf("%s was accepted", ttl)
			}
		}
	})
	t.Run("refuses secrets that are short, nameless, doubled or missing", func(t *testing.T) {
		t.Parallel()
		short := identity.Secret{ID: "s", Key: make([]byte, identity.SecretMin-1)}
		for _, secrets := range [][]identity.Secret{nil, {short}, {{Key: secret("a").Key}}, {secret("a"), secret("a")}} {
			if _, err := identity.NewSecrets(secrets); err == nil {
				t.Errorf("%v was accepted", secrets)
			}
		}
	})
}

// goodClaims are claims that nothing is wrong with.
func goodClaims(now time.Time) jwt.MapClaims {
	return jwt.MapClaims{"sub": "u-1", "exp": now.Add(time.Hour).Unix()}
}

// forgeries are tokens that must be refused where the secrets are a and c, by what is wrong with them.
func forgeries(t *testing.T, now time.Time) map[string]string {
	t.Helper()
	key := secret("a").Key
	good := func() jwt.MapClaims { return goodClaims(now) }
	with := func(name string, value any) jwt.MapClaims {
		claims := good()
		claims[name] = value
		return claims
	}
	without := func(name string) jwt.MapClaims {
		claims := good()
		delete(claims, name)
		return claims
	}
	named := map[string]any{"kid": "a"}
	none := forge(t, jwt.SigningMethodNone, named, good(), jwt.UnsafeAllowNoneSignatureType)
	signed := forge(t, jwt.SigningMethodHS256, named, good(), key)
	return map[string]string{
		"nothing":                   "",
		"no JWT":                    "abc",
		"alg none":                  none,
		"alg none, no signature":    none[:strings.LastIndex(none, ".")+1],
		"alg None":                  forge(t, jwt.SigningMethodNone, map[string]any{"kid": "a", "alg": "None"}, good(), jwt.UnsafeAllowNoneSignatureType),
		"a signature cut off":       signed[:strings.LastIndex(signed, ".")+1],
		"another algorithm":         forge(t, jwt.SigningMethodHS512, named, good(), key),
		"another secret":            forge(t, jwt.SigningMethodHS256, named, good(), secret("b").Key),
		"an unknown key id":         forge(t, jwt.SigningMethodHS256, map[string]any{"kid": "b"}, good(), key),
		"a key id that is no text":  forge(t, jwt.SigningMethodHS256, map[string]any{"kid": 1}, good(), key),
		"a critical extension":      forge(t, jwt.SigningMethodHS256, map[string]any{"kid": "a", "crit": []string{"b64"}}, good(), key),
		"no end":                    forge(t, jwt.SigningMethodHS256, named, without("exp"), key),
		"no subject":                forge(t, jwt.SigningMethodHS256, named, without("sub"), key),
		"a subject with separators": forge(t, jwt.SigningMethodHS256, named, with("sub", "a,b;c"), key),
		"a subject that is no text": forge(t, jwt.SigningMethodHS256, named, with("sub", 7), key),
		"an end in the past":        forge(t, jwt.SigningMethodHS256, named, with("exp", now.Add(-6*time.Second).Unix()), key),
		"a beginning to come":       forge(t, jwt.SigningMethodHS256, named, with("nbf", now.Add(6*time.Second).Unix()), key),
		"more than fits":            forge(t, jwt.SigningMethodHS256, named, with("pad", strings.Repeat("x", 5000)), key),
	}
}

func TestForgedTokens(t *testing.T) {
	t.Parallel()
	clock := newHandClock()
	tokens := newTokens(t, clock, secret("a"), secret("c"))
	for name, token := range forgeries(t, clock.Now()) {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			expectRefused(t, tokens, token)
			expectRefused(t, tokens, token)
		})
	}
	t.Run("accepts the same claims when nothing is wrong", func(t *testing.T) {
		t.Parallel()
		expectUser(t, tokens, forge(t, jwt.SigningMethodHS256, map[string]any{"kid": "a"}, goodClaims(clock.Now()), secret("a").Key), "u-1")
	})
	t.Run("takes a token without key id only while there is a single key", func(t *testing.T) {
		t.Parallel()
		nameless := forge(t, jwt.SigningMethodHS256, nil, goodClaims(clock.Now()), secret("a").Key)
		expectRefused(t, tokens, nameless)
		expectUser(t, newTokens(t, clock, secret("a")), nameless, "u-1")
	})
}

func TestTokenMemory(t *testing.T) {
	t.Parallel()
	t.Run("gives the right answers when it holds far fewer tokens than there are", func(t *testing.T) {
		t.Parallel()
		keys, err := identity.NewSecrets([]identity.Secret{secret("a")})
		if err != nil {
			t.Fatal(err)
		}
		tokens := tokensOf(t, identity.TokensConfig{Keys: keys, Clock: newHandClock(), CachedMax: 8})
		byUser := map[seckill.UserID]string{}
		for i := range 200 {
			user := seckill.UserID(fmt.Sprintf("u-%d", i))
			byUser[user] = mint(t, tokens, user, time.Hour)
		}
		for range 3 {
			for user, token := range byUser {
				expectUser(t, tokens, token, user)
			}
		}
	})
}
