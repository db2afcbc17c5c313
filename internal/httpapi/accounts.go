package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
)

func (s *shoppers) register(ctx context.Context, c *gin.Context) error {
	var body api.Credentials
	if err := decode(c, bodyMax, &body); err != nil {
		return err
	}
	account, err := s.accounts.Register(ctx, body.Username, body.Password)
	if err != nil {
		return err
	}
	return s.reply(c, http.StatusCreated, api.Account{ID: account.ID.String(), Username: string(account.User)})
}

func (s *shoppers) login(ctx context.Context, c *gin.Context) error {
	var body api.Credentials
	if err := decode(c, bodyMax, &body); err != nil {
		return err
	}
	grant, err := s.accounts.Login(ctx, body.Username, body.Password)
	if err != nil {
		return err
	}
	return s.reply(c, http.StatusOK, api.Token{
		AccessToken: grant.Token, TokenType: api.TokenTokenTypeBearer, ExpiresIn: int(grant.ExpiresIn / time.Second),
	})
}
