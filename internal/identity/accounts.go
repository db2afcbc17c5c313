package identity

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	usernameMin = 3
	passwordMin = 8
	passwordMax = 128
	// TokenTTLDefault is how long a token from a log-in lasts.
	TokenTTLDefault = time.Hour
)

// Accounts are the built-in accounts: register, then log in for a token.
type Accounts struct {
	store  seckill.Accounts
	ids    seckill.IDs
	hasher *Hasher
	tokens *Tokens
	ttl    time.Duration
}

// NewAccounts makes the use case. tokens must be able to mint; ttl 0 means TokenTTLDefault.
func NewAccounts(store seckill.Accounts, ids seckill.IDs, hasher *Hasher, tokens *Tokens, ttl time.Duration) *Accounts {
	if ttl <= 0 {
		ttl = TokenTTLDefault
	}
	return &Accounts{store: store, ids: ids, hasher: hasher, tokens: tokens, ttl: ttl}
}

// Grant is what a log-in gives.
type Grant struct {
	Token     string
	ExpiresIn time.Duration
}

// Register makes an account. A name that is taken is a conflict.
func (a *Accounts) Register(ctx context.Context, username, password string) (seckill.Account, error) {
	user, err := credentials(username, password)
	if err != nil {
		return seckill.Account{}, err
	}
	hash, err := a.hasher.Hash(ctx, password)
	if err != nil {
		return seckill.Account{}, err
	}
	id, err := a.ids.Next(user.Bucket())
	if err != nil {
		return seckill.Account{}, fmt.Errorf("make an account id: %w", err)
	}
	account := seckill.Account{ID: id, User: user, Hash: hash}
	created, err := a.store.Create(ctx, account)
	if err != nil {
		return seckill.Account{}, fmt.Errorf("create account: %w", err)
	}
	if !created {
		return seckill.Account{}, &seckill.Refusal{Reason: seckill.Conflict, Field: "username", Detail: "this name is taken"}
	}
	return account, nil
}

// Login trades name and password for a token. It does not say which of the two was wrong, in words or in time.
func (a *Accounts) Login(ctx context.Context, username, password string) (Grant, error) {
	user, err := credentials(username, password)
	if err != nil {
		return Grant{}, err
	}
	account, err := a.store.Find(ctx, user)
	if err != nil && !errors.Is(err, seckill.ErrNotFound) {
		return Grant{}, fmt.Errorf("find account: %w", err)
	}
	matches, err := a.hasher.Matches(ctx, account.Hash, password)
	if err != nil {
		return Grant{}, err
	}
	if !matches {
		return Grant{}, seckill.Refuse(seckill.Unauthenticated, "name or password is wrong")
	}
	token, err := a.tokens.Mint(user, a.ttl)
	if err != nil {
		return Grant{}, err
	}
	return Grant{Token: token, ExpiresIn: a.ttl}, nil
}

func credentials(username, password string) (seckill.UserID, error) {
	user := seckill.UserID(username)
	if err := user.Validate(); err != nil {
		return "", seckill.InvalidField("username", err.Error())
	}
	if len(username) < usernameMin {
		return "", seckill.InvalidField("username", fmt.Sprintf("a name has at least %d characters", usernameMin))
	}
	if n := utf8.RuneCountInString(password); n < passwordMin || n > passwordMax {
		return "", seckill.InvalidField("password", fmt.Sprintf("a password has %d-%d characters", passwordMin, passwordMax))
	}
	return user, nil
}
