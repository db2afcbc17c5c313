package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// SecretLeast is how many characters a secret has at least.
const SecretLeast = len(secretPrefix) + 4*secretMin/3

const (
	secretPrefix = "whsec_"
	// secretMin and secretMax are those of Standard Webhooks, in bytes.
	secretMin = 24
	secretMax = 64
	// secretsMax bounds how many sign side by side.
	secretsMax = 4
)

// signer signs with each of its secrets.
type signer struct{ secrets [][]byte }

// CheckSecret says what is wrong with a secret: it must be whsec_ and 24-64 bytes in base64. Several, with spaces between
// them, sign side by side, so that a receiver can be moved from one to the next. Nothing of them is quoted.
func CheckSecret(text string) error {
	_, err := newSigner(text)
	return err
}

func newSigner(text string) (signer, error) {
	var s signer
	for i, word := range strings.Fields(text) {
		encoded, marked := strings.CutPrefix(word, secretPrefix)
		secret, err := base64.StdEncoding.DecodeString(encoded)
		if !marked || err != nil || len(secret) < secretMin || len(secret) > secretMax {
			return signer{}, fmt.Errorf("secret %d must be %s and %d-%d bytes in base64; make one with: echo %s$(openssl rand -base64 32)",
				i+1, secretPrefix, secretMin, secretMax, secretPrefix)
		}
		s.secrets = append(s.secrets, secret)
	}
	if len(s.secrets) == 0 || len(s.secrets) > secretsMax {
		return signer{}, errors.New("there must be 1-4 secrets")
	}
	return s, nil
}

// sign is the value of the signature header.
func (s signer) sign(id, timestamp string, body []byte) string {
	signatures := make([]string, len(s.secrets))
	for i, secret := range s.secrets {
		mac := hmac.New(sha256.New, secret)
		_, _ = mac.Write([]byte(id + "." + timestamp + "."))
		_, _ = mac.Write(body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(signatures, " ")
}
