package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// SignatureHeader carries the signature of a notice.
	SignatureHeader = "Sandbox-Signature"
	// tolerance is how far the time in a signature may be from when the notice came: who has seen a notice may not send it
	// again later.
	tolerance = 5 * time.Minute
	// noticeMax bounds a notice.
	noticeMax = 64 << 10

	typeCharged = "charge.succeeded"
)

// notice is what the webhook is told. Its id is the same every time.
type notice struct {
	ID          string    `json:"id"`
	Type        string    `json:"type"`
	At          time.Time `json:"at"`
	Session     string    `json:"session"`
	Reference   string    `json:"reference"`
	Charge      string    `json:"charge"`
	AmountMinor int64     `json:"amount_minor"`
	Currency    string    `json:"currency"`
}

func noticeOf(charged Entry) notice {
	return notice{
		ID: "evt_" + charged.Txn, Type: typeCharged, At: charged.At, Session: charged.Session, Reference: charged.Reference,
		Charge: charged.Txn, AmountMinor: charged.AmountMinor, Currency: charged.Currency,
	}
}

// Sign is the value of SignatureHeader for a body.
func Sign(secret string, at time.Time, body []byte) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac(secret, stamp, body))
}

func mac(secret, stamp string, body []byte) []byte {
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(stamp))
	sum.Write([]byte{'.'})
	sum.Write(body)
	return sum.Sum(nil)
}

// verify wants the signature of this body, made around this time.
func verify(secret, header string, at time.Time, body []byte) error {
	stamp, signature, ok := cutSignature(header)
	if !ok {
		return errors.New("it is not t=…,v1=…")
	}
	// The signature first: what it does not cover is not worth a look.
	if !hmac.Equal(signature, mac(secret, stamp, body)) {
		return errors.New("it is not of this body")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errors.New("its time is no number")
	}
	if age := at.Sub(time.Unix(seconds, 0)); age.Abs() > tolerance {
		return fmt.Errorf("it is %v old", age.Round(time.Second))
	}
	return nil
}

func cutSignature(header string) (stamp string, signature []byte, ok bool) {
	stamp, text, cut := strings.Cut(header, ",")
	stamp, isStamp := strings.CutPrefix(stamp, "t=")
	text, isSignature := strings.CutPrefix(text, "v1=")
	signature, err := hex.DecodeString(text)
	return stamp, signature, cut && isStamp && isSignature && err == nil
}

// Read implements seckill.Provider.
func (p *Provider) Read(n seckill.Notice) ([]seckill.Charge, error) {
	if len(n.Body) > noticeMax {
		return nil, fmt.Errorf("read a notice: %w: more than %d bytes", seckill.ErrUnreadable, noticeMax)
	}
	if err := verify(p.options.Secret, n.Header(SignatureHeader), n.At, n.Body); err != nil {
		return nil, fmt.Errorf("read a notice: %w: %w", seckill.ErrForged, err)
	}
	var told notice
	if err := json.Unmarshal(n.Body, &told); err != nil {
		return nil, fmt.Errorf("read a notice: %w: %w", seckill.ErrUnreadable, err)
	}
	if told.Type != typeCharged {
		return nil, nil
	}
	payment, err := seckill.ParseID(told.Reference)
	if err != nil || told.Charge == "" {
		return nil, fmt.Errorf("read a notice: %w: it names no charge of ours", seckill.ErrUnreadable)
	}
	return []seckill.Charge{{
		Provider: Name, Txn: told.Charge, Payment: payment, AmountMinor: told.AmountMinor, Currency: told.Currency,
	}}, nil
}
