package app

import (
	"context"
	"net/http"
	"time"

	"github.com/seckill-dev/seckill/internal/httpapi"
	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// newAPI builds the edge on the use cases.
func (s *System) newAPI() (*httpapi.API, error) {
	credentials, err := s.Config.KeepCredentials()
	if err != nil {
		return nil, err
	}
	if err := s.openTokens(credentials); err != nil {
		return nil, err
	}
	operators, err := identity.NewOperators(credentials.Operators)
	if err != nil {
		return nil, err
	}
	return httpapi.New(httpapi.Config{
		Tokens: s.Tokens, Accounts: s.accounts(), Purchases: s.Buying, Archive: s.Backend.Catalog,
		Checkout: s.Checkout, Shards: s.Backend.Shards, Keys: operators, Operations: s.Operate, Audit: s.Audit,
		Ready: s.ready, TrustedProxies: s.Config.TrustedProxies, Clock: seckill.SystemClock{}, Log: s.log,
		Registerer: s.registry, Gatherer: s.registry,
	})
}

// withProfiles adds profiles where they are asked for: with the operators' keys, also where nothing else needs these.
func (s *System) withProfiles(handler http.Handler) (http.Handler, error) {
	if !s.Config.Debug.PProf {
		return handler, nil
	}
	credentials, err := s.Config.KeepCredentials()
	if err != nil {
		return nil, err
	}
	operators, err := identity.NewOperators(credentials.Operators)
	if err != nil {
		return nil, err
	}
	return httpapi.WithProfiles(handler, operators), nil
}

// openTokens prepares the verification of shoppers' tokens: by the shop's own identity provider, or by our secrets.
func (s *System) openTokens(credentials Credentials) (err error) {
	var keys *identity.Keys
	if file := s.Config.Tokens.JWKSFile; file != "" {
		if s.jwks, err = identity.OpenJWKS(file, 0, seckill.SystemClock{}, s.log); err != nil {
			return err
		}
		keys = s.jwks.Keys()
	} else if keys, err = identity.NewSecrets(credentials.Tokens); err != nil {
		return err
	}
	s.Tokens, err = newTokens(s.Config, keys)
	return err
}

func newTokens(config Config, keys *identity.Keys) (*identity.Tokens, error) {
	return identity.NewTokens(identity.TokensConfig{
		Keys: keys, Issuer: config.Tokens.Issuer, Audience: config.Tokens.Audience, Clock: seckill.SystemClock{},
	})
}

// NewMinter returns what makes shoppers' tokens with the configured secrets; it fails where only public keys are held.
func NewMinter(config Config) (*identity.Tokens, error) {
	credentials, err := config.Credentials()
	if err != nil {
		return nil, err
	}
	keys, err := identity.NewSecrets(credentials.Tokens)
	if err != nil {
		return nil, err
	}
	return newTokens(config, keys)
}

// accounts are the built-in ones, nil (not a typed nil) where a shop has its own identity provider.
func (s *System) accounts() httpapi.Accounts {
	if !s.Config.Accounts.Enabled || s.Config.Tokens.JWKSFile != "" {
		return nil
	}
	c := s.Config.Accounts
	hasher := identity.NewHasher(identity.HasherConfig{
		Cost:          identity.HashCost{MemoryKiB: c.Argon2.MemoryKiB, Passes: c.Argon2.Passes, Threads: c.Argon2.Threads},
		ConcurrentMax: c.Concurrent, WaitingMax: c.Waiting,
	})
	return identity.NewAccounts(s.Backend.Accounts, s.Backend.IDs, hasher, s.Tokens, s.Config.Tokens.TTL)
}

// ready is what the health check asks.
func (s *System) ready(context.Context) error {
	if err := s.Buying.Ready(); err != nil {
		return seckill.BusyFor(time.Second, err.Error())
	}
	if s.Backend.ready != nil {
		return s.Backend.ready()
	}
	return nil
}

func purchaseOptions(config Config) purchase.Options {
	return purchase.Options{
		PendingMax: config.Limits.Pending,
		UserRate:   float64(config.Limits.PerUserPerSecond), UserBurst: config.Limits.PerUserBurst,
		BacklogAgeMax: config.Limits.BacklogAge, BacklogDepthMax: config.Limits.BacklogDepth,
	}
}
