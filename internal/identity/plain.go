package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"strings"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// plainMax bounds the encoded claims of a plain token; headsMax how many headers are known.
	plainMax = 512
	headsMax = 16
	// macSize is the length of an encoded HS256 signature.
	macSize = 43
)

// head is an encoded header that the JWT library has accepted with a good signature, and what signs under it.
type head struct {
	text  string
	seals *sync.Pool
}

// plain verifies the tokens that nearly every shop has: HS256, under a header that the library has accepted before, with
// claims in the simplest JSON. It costs a tenth of what the library does, and the crowd brings a new token with every
// request. It only ever says yes: what is not plainly good goes the library's way, which also says what is wrong with it.
func (t *Tokens) plain(set *keySet, token string) (seckill.UserID, bool) {
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, signed := strings.Cut(rest, ".")
	if !signed || len(payload) > plainMax || len(signature) != macSize {
		return "", false
	}
	seals := set.sealsOf(header)
	if seals == nil {
		return "", false
	}
	seal, _ := seals.Get().(*seal)
	defer seals.Put(seal)
	if !seal.matches(token[:len(header)+1+len(payload)], signature) {
		return "", false
	}
	seal.bytes = append(seal.bytes[:0], payload...)
	n, err := t.strict.Decode(seal.claims[:], seal.bytes)
	if err != nil || n != t.strict.DecodedLen(len(payload)) { // line breaks are skipped
		return "", false
	}
	claims, ok := readPlain(seal.claims[:n])
	if !ok || !t.current(claims) {
		return "", false
	}
	user := seckill.UserID(claims.texts[claimSub])
	return user, user.Validate() == nil
}

// current says that the claims are for us, now.
func (t *Tokens) current(claims plainClaims) bool {
	now := t.clock.Now()
	switch {
	case !claims.given[claimExp], !now.Before(time.Unix(claims.numbers[claimExp], 0).Add(tokenLeeway)):
		return false
	case claims.given[claimNbf] && now.Before(time.Unix(claims.numbers[claimNbf], 0).Add(-tokenLeeway)):
		return false
	case t.issuer != "" && string(claims.texts[claimIss]) != t.issuer:
		return false
	default:
		return t.audience == "" || string(claims.texts[claimAud]) == t.audience
	}
}

// seal computes signatures with one key, and has room for what is signed: a hash is dear to make.
type seal struct {
	mac    hash.Hash
	sum    []byte
	text   [macSize]byte
	bytes  []byte
	claims [plainMax]byte
}

func newSeals(key []byte) *sync.Pool {
	return &sync.Pool{New: func() any { return &seal{mac: hmac.New(sha256.New, key)} }}
}

// matches says that a signature is that of a text. There is one way to encode it.
func (s *seal) matches(text, signature string) bool {
	s.bytes = append(s.bytes[:0], text...)
	s.mac.Reset()
	s.mac.Write(s.bytes)
	s.sum = s.mac.Sum(s.sum[:0])
	base64.RawURLEncoding.Encode(s.text[:], s.sum)
	s.bytes = append(s.bytes[:0], signature...)
	return subtle.ConstantTimeCompare(s.text[:], s.bytes) == 1
}

// sealsOf is what signs under a header, nil when it is not known.
func (s *keySet) sealsOf(header string) *sync.Pool {
	known := s.heads.Load()
	if known == nil {
		return nil
	}
	for _, h := range *known {
		if h.text == header {
			return h.seals
		}
	}
	return nil
}

// learn notes the header of a token that the library has accepted with an HS256 key. Strangers cannot fill the list: it
// takes a secret to get on it.
func (s *keySet) learn(token string, key verifyKey) {
	secret, isSecret := key.value.([]byte)
	if key.alg != algHS256 || !isSecret {
		return
	}
	header, _, _ := strings.Cut(token, ".")
	for s.sealsOf(header) == nil {
		old := s.heads.Load()
		next := []head{{strings.Clone(header), newSeals(secret)}}
		if old != nil {
			if len(*old) >= headsMax {
				return
			}
			next = append(next, *old...)
		}
		if s.heads.CompareAndSwap(old, &next) {
			return
		}
	}
}

// The registered claims that are looked at (RFC 7519, 4.1).
const (
	claimSub = iota
	claimIss
	claimAud
	claimExp
	claimNbf
	claimIat
	claimJti
	claimsCount
)

func claimNames() [claimsCount]string {
	return [...]string{"sub", "iss", "aud", "exp", "nbf", "iat", "jti"}
}

func isNumeric(claim int) bool { return claim == claimExp || claim == claimNbf || claim == claimIat }

// plainClaims are registered claims; the texts are pieces of what was read.
type plainClaims struct {
	given   [claimsCount]bool
	texts   [claimsCount][]byte
	numbers [claimsCount]int64
}

// readPlain reads one flat JSON object without white space, escapes, or anything beyond ASCII, whose registered claims are
// texts and whole numbers, each there once, and one audience. False for everything else, be it good or bad.
func readPlain(b []byte) (claims plainClaims, ok bool) {
	if len(b) < 2 || b[0] != '{' || b[len(b)-1] != '}' {
		return claims, false
	}
	b = b[1 : len(b)-1]
	for {
		var name []byte
		if name, b, ok = plainText(b); !ok || len(b) == 0 || b[0] != ':' {
			return claims, false
		}
		if b, ok = claims.take(name, b[1:]); !ok {
			return claims, false
		}
		if len(b) == 0 {
			return claims, true
		}
		if b[0] != ',' {
			return claims, false
		}
		b = b[1:]
	}
}

// take reads one value. Names that encoding/json would take for a registered one, though they are written otherwise, are
// left to it.
func (c *plainClaims) take(name, b []byte) (rest []byte, ok bool) {
	claim := -1
	for i, known := range claimNames() {
		if string(name) == known {
			claim = i
		} else if len(name) == len(known) && strings.EqualFold(string(name), known) {
			return nil, false
		}
	}
	text, rest, isText := plainText(b)
	if claim == claimAud && !isText {
		text, rest, isText = plainList(b)
	}
	number, after, isNumber := plainNumber(b)
	switch {
	case claim < 0 && isText:
		return rest, true
	case claim < 0:
		return after, isNumber
	case c.given[claim]:
		return nil, false
	}
	c.given[claim] = true
	if isNumeric(claim) {
		c.numbers[claim] = number
		return after, isNumber
	}
	c.texts[claim] = text
	return rest, isText
}

func plainText(b []byte) (text, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	for i, c := range b[1:] {
		switch {
		case c == '"':
			return b[1 : 1+i], b[2+i:], true
		case c < ' ' || c > '~' || c == '\\':
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// plainList reads a list of one text, the other way to write an audience.
func plainList(b []byte) (text, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '[' {
		return nil, nil, false
	}
	text, rest, ok = plainText(b[1:])
	if !ok || len(rest) == 0 || rest[0] != ']' {
		return nil, nil, false
	}
	return text, rest[1:], true
}

// plainNumber reads digits, few enough for any time in seconds that there will be.
func plainNumber(b []byte) (number int64, rest []byte, ok bool) {
	const digitsMax = 11
	n := 0
	for n < len(b) && n <= digitsMax && b[n] >= '0' && b[n] <= '9' {
		number = number*10 + int64(b[n]-'0')
		n++
	}
	return number, b[n:], n > 0 && n <= digitsMax && (b[0] != '0' || n == 1)
}
