package app

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	invitedShopper  = "demo-shopper"
	invitedTokenFor = 24 * time.Hour
)

// Invitation is what somebody needs to try a sale by hand.
type Invitation struct {
	URL, AdminURL string
	Token         string // of a shopper
	OperatorKey   string
	Sale          string // its name
	SaleID        string
	ItemID        string
	Units, Limit  int64
	Opens         time.Time
	// Further is what else to try, a line each.
	Further []string
}

// payHint is for who has an order and a sandbox.
const payHint = "Or pay an order:  POST /v1/orders/{id}/payments, and open its pay_url; the sandbox there moves no money"

// Introduce prints what somebody needs to try a sale by hand.
func (s *System) Introduce(w io.Writer, sale seckill.Sale) error {
	item := sale.Items[0]
	invitation := Invitation{
		URL: s.URL(), AdminURL: s.AdminURL(), Sale: sale.Name, SaleID: sale.ID.String(), ItemID: item.ID.String(),
		Units: item.Allotment, Limit: item.LimitPerUser, Opens: sale.StartsAt,
		Further: []string{"Or send a crowd:  go run ./cmd/seckill crowd --shoppers 5000"},
	}
	if s.Config.hasSandboxInside() {
		invitation.Further = append(invitation.Further, payHint)
	}
	if err := invitation.admit(s.Config, s.Tokens); err != nil {
		return err
	}
	return invitation.Print(w)
}

// Admit adds a shopper's token and an operator's key, which this machine must know.
func (i *Invitation) Admit(config Config) error {
	minter, err := NewMinter(config)
	if err != nil {
		return err
	}
	return i.admit(config, minter)
}

func (i *Invitation) admit(config Config, minter *identity.Tokens) error {
	token, err := minter.Mint(invitedShopper, invitedTokenFor)
	if err != nil {
		return fmt.Errorf("mint a shopper's token: %w", err)
	}
	credentials, err := config.Credentials()
	if err != nil {
		return err
	}
	i.Token, i.OperatorKey = token, credentials.Operators[0].Key
	return nil
}

// Print writes it for people to paste.
func (i *Invitation) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, invitationText, i.URL, i.AdminURL, i.Sale, i.Units, i.Opens.Local().Format(time.TimeOnly), i.Limit,
		i.Token, i.OperatorKey, i.ItemID, i.SaleID, i.URL, i.URL, i.URL, i.AdminURL, i.AdminURL)
	for _, line := range i.Further {
		if err == nil {
			_, err = fmt.Fprintln(w, strings.TrimRight("  "+line, " "))
		}
	}
	if err == nil {
		_, err = fmt.Fprintln(w)
	}
	return err
}

const invitationText = `
  shoppers   %s
  operators  %s
  sale       %s: %d units, opens at %s, at most %d per shopper

  Paste this into another terminal:

    TOKEN=%s
    ADMIN=%s
    ITEM=%s SALE=%s

    curl -sw '\n' %s/v1/items/$ITEM
    curl -sw '\n' %s/v1/items/$ITEM/reservations -H "Authorization: Bearer $TOKEN" \
         -H 'Idempotency-Key: my-first-buy' -H 'Content-Type: application/json' -d '{"quantity":1}'
    curl -sw '\n' %s/v1/orders -H "Authorization: Bearer $TOKEN"
    curl -sw '\n' %s/admin/v1/sales/$SALE/stats -H "Authorization: Bearer $ADMIN"
    curl -sw '\n' %s/admin/v1/sales/$SALE/audit -H "Authorization: Bearer $ADMIN"

`
