package identity

import "github.com/seckill-dev/seckill/internal/seckill"

// VerifyPlainly verifies a token the short way only.
func (t *Tokens) VerifyPlainly(token string) (seckill.UserID, bool) {
	return t.plain(t.keys.current.Load(), token)
}

// VerifyByLibrary verifies a token the library's way only.
func (t *Tokens) VerifyByLibrary(token string) (seckill.UserID, error) {
	known, err := t.verify(t.keys.current.Load(), token)
	if err == nil && !t.clock.Now().Before(known.ends) {
		return "", seckill.Refuse(seckill.Unauthenticated, "the token has expired")
	}
	return known.user, err
}

// ParsePHC reads a hash and writes it again.
func ParsePHC(text string) (string, error) {
	p, err := parsePHC(text)
	return p.String(), err
}

// ParseJWKS reads a key set and tells the algorithm of each key by its id.
func ParseJWKS(content []byte) (algorithms map[string]string, skipped []string, err error) {
	set, skipped, err := parseJWKS(content)
	if err != nil {
		return nil, nil, err
	}
	algorithms = make(map[string]string, len(set.keys))
	for _, key := range set.keys {
		algorithms[key.id] = key.alg
	}
	return algorithms, skipped, nil
}
