package identity

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/maypok86/otter/v2"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// tokenBytesMax bounds what is parsed for a stranger.
	tokenBytesMax = 4096
	// tokenLeeway forgives clocks that differ a little.
	tokenLeeway = 5 * time.Second
	// TokensCachedDefault is how many verified tokens are remembered.
	TokensCachedDefault = 100_000
	// TokenTTLMax bounds what Mint makes.
	TokenTTLMax = 30 * 24 * time.Hour
)

// TokensConfig says which tokens count. Issuer and Audience are required of a token when they are set.
type TokensConfig struct {
	Keys      *Keys
	Issuer    string
	Audience  string
	CachedMax int
	Clock     seckill.Clock
}

// Tokens verifies and mints shoppers' tokens. Safe for concurrent use.
type Tokens struct {
	keys     *Keys
	issuer   string
	audience string
	clock    seckill.Clock
	parser   *jwt.Parser
	strict   *base64.Encoding
	verified *otter.Cache[string, verified]
}

// verified is a token that was good under one key set.
type verified struct {
	user seckill.UserID
	ends time.Time
	set  *keySet
}

// NewTokens makes a verifier.
func NewTokens(config TokensConfig) (*Tokens, error) {
	if config.CachedMax <= 0 {
		config.CachedMax = TokensCachedDefault
	}
	cache, err := otter.New(&otter.Options[string, verified]{MaximumSize: config.CachedMax})
	if err != nil {
		return nil, fmt.Errorf("make the token cache: %w", err)
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods([]string{algHS256, algRS256, algES256, algEdDSA}),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(tokenLeeway),
		jwt.WithTimeFunc(config.Clock.Now),
		jwt.WithStrictDecoding(),
	}
	if config.Issuer != "" {
		options = append(options, jwt.WithIssuer(config.Issuer))
	}
	if config.Audience != "" {
		options = append(options, jwt.WithAudience(config.Audience))
	}
	return &Tokens{
		keys: config.Keys, issuer: config.Issuer, audience: config.Audience, clock: config.Clock,
		parser: jwt.NewParser(options...), strict: base64.RawURLEncoding.Strict(), verified: cache,
	}, nil
}

// Verify returns the user a token speaks for, or refuses it as unauthenticated.
func (t *Tokens) Verify(token string) (seckill.UserID, error) {
	set := t.keys.current.Load()
	if user, ok := t.plain(set, token); ok {
		return user, nil
	}
	known, hit := t.verified.GetIfPresent(token)
	if hit && known.set == set {
		if t.clock.Now().Before(known.ends) {
			return known.user, nil
		}
		return "", seckill.Refuse(seckill.Unauthenticated, "the token has expired")
	}
	fresh, err := t.verify(set, token)
	if err != nil {
		if hit {
			t.verified.Invalidate(token) // it would hold on to the old keys
		}
		return "", err
	}
	// Cloned: the token is a piece of the request, which would stay in memory with it.
	t.verified.Set(strings.Clone(token), fresh)
	return fresh.user, nil
}

func (t *Tokens) verify(set *keySet, token string) (verified, error) {
	if len(token) > tokenBytesMax {
		return verified{}, seckill.Refuse(seckill.Unauthenticated, "the token is too long")
	}
	if strings.ContainsAny(token, "\r\n") {
		return verified{}, seckill.Refuse(seckill.Unauthenticated, "the token is not a JWT") // decoders of base64 skip line breaks
	}
	var claims jwt.RegisteredClaims
	var key verifyKey
	_, err := t.parser.ParseWithClaims(token, &claims, func(token *jwt.Token) (any, error) {
		var err error
		key, err = set.pick(token)
		return key.value, err
	})
	if err != nil {
		return verified{}, seckill.Refuse(seckill.Unauthenticated, tokenFault(err))
	}
	set.learn(token, key)
	user := seckill.UserID(claims.Subject)
	if err := user.Validate(); err != nil {
		return verified{}, seckill.Refuse(seckill.Unauthenticated, "the token's sub is not a user id: "+err.Error())
	}
	return verified{user: user, ends: claims.ExpiresAt.Add(tokenLeeway), set: set}, nil
}

// pick finds the key for a token. The key, not the token, says which algorithm it is for.
func (s *keySet) pick(token *jwt.Token) (verifyKey, error) {
	if _, critical := token.Header["crit"]; critical {
		return verifyKey{}, errors.New("an extension that must be understood is not") // RFC 7515, 4.1.11
	}
	id, isText := token.Header["kid"].(string)
	if _, named := token.Header["kid"]; named && !isText {
		return verifyKey{}, errors.New("kid is not a text")
	}
	key, found := s.find(id)
	if !found {
		return verifyKey{}, errors.New("no such key")
	}
	if token.Method.Alg() != key.alg {
		return verifyKey{}, errors.New("the key is for another algorithm")
	}
	return key, nil
}

// tokenFault is what a client may know of a bad token.
func tokenFault(err error) string {
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return "the token is not a JWT"
	case errors.Is(err, jwt.ErrTokenUnverifiable), errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "the token's signature is not good"
	case errors.Is(err, jwt.ErrTokenExpired):
		return "the token has expired"
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return "the token is not valid yet"
	case errors.Is(err, jwt.ErrTokenInvalidIssuer), errors.Is(err, jwt.ErrTokenInvalidAudience):
		return "the token is not for this service"
	default:
		return "the token is not valid"
	}
}

// Mint signs a token for a user. It fails when only public keys are held.
func (t *Tokens) Mint(user seckill.UserID, ttl time.Duration) (string, error) {
	signer := t.keys.current.Load().signer
	if signer.value == nil {
		return "", errors.New("mint a token: there is no secret to sign with")
	}
	if err := user.Validate(); err != nil {
		return "", fmt.Errorf("mint a token: %w", err)
	}
	if ttl <= 0 || ttl > TokenTTLMax {
		return "", fmt.Errorf("mint a token: it may last up to %s, not %s", TokenTTLMax, ttl)
	}
	now := t.clock.Now()
	claims := jwt.RegisteredClaims{
		Issuer: t.issuer, Subject: string(user),
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
	}
	if t.audience != "" {
		claims.Audience = jwt.ClaimStrings{t.audience}
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	token.Header["kid"] = signer.id
	signed, err := token.SignedString(signer.value)
	if err != nil {
		return "", fmt.Errorf("mint a token: %w", err)
	}
	return signed, nil
}
