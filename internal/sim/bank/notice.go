package bank

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	signatureHeader = "Bank-Signature" // t=…,v1=…: HMAC-SHA256 over "timestamp.body"
	secret          = "the bank and the shop know it"
	tolerance       = 5 * time.Minute
	typeCharged     = "charge.succeeded"
)

// notice is what the shop is told.
type notice struct {
	Type      string `json:"type"`
	Session   string `json:"session"`
	Reference string `json:"reference"`
	Charge    string `json:"charge"`
	Amount    int64  `json:"amount_minor"`
	Currency  string `json:"currency"`
}

// Notices is how many charges wait to be told.
func (b *Bank) Notices() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.notices)
}

// Notice is the nth of them, signed now. It waits until it is dropped.
func (b *Bank) Notice(nth int) seckill.Notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told(b.notices[nth])
}

// Drop drops the nth notice: the shop has it, or never will.
func (b *Bank) Drop(nth int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notices = slices.Delete(b.notices, nth, nth+1)
}

func (b *Bank) told(c *Charge) seckill.Notice {
	body, err := json.Marshal(notice{
		Type: typeCharged, Session: b.byPayment[c.Payment].ID, Reference: c.Payment.String(), Charge: c.Txn, Amount: c.Amount, Currency: c.Currency,
	})
	if err != nil {
		panic(err) // it has no field that could fail
	}
	return Sign(body, b.clock.Now())
}

// Sign makes a notice of any body at a moment.
func Sign(body []byte, at time.Time) seckill.Notice {
	header := fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(sum(strconv.FormatInt(at.Unix(), 10), body)))
	return seckill.Notice{At: at, Body: body, Header: func(name string) string {
		if name == signatureHeader {
			return header
		}
		return ""
	}}
}

func sum(stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// Read implements seckill.Provider.
func (b *Bank) Read(n seckill.Notice) ([]seckill.Charge, error) {
	if err := verify(n); err != nil && !b.Mistakes.AnySignature {
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
		Provider: Name, Txn: told.Charge, Payment: payment, AmountMinor: told.Amount, Currency: told.Currency,
	}}, nil
}

func verify(n seckill.Notice) error {
	stamp, text, _ := strings.Cut(n.Header(signatureHeader), ",")
	stamp = strings.TrimPrefix(stamp, "t=")
	signature, err := hex.DecodeString(strings.TrimPrefix(text, "v1="))
	if err != nil || !hmac.Equal(signature, sum(stamp, n.Body)) {
		return errors.New("the signature is another one")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || n.At.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return errors.New("it is too old, or from the future")
	}
	return nil
}
