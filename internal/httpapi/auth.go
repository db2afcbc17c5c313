package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// shopperHandler answers a request of a known user.
type shopperHandler func(ctx context.Context, c *gin.Context, user seckill.UserID) error

// operatorHandler answers a request of a known operator.
type operatorHandler func(ctx context.Context, c *gin.Context, actor string) error

// shopper lets in whoever has a token.
func (s *shoppers) shopper(h shopperHandler) handler {
	return func(ctx context.Context, c *gin.Context) error {
		token, err := bearer(c.Request.Header)
		if err != nil {
			return err
		}
		user, err := s.tokens.Verify(token)
		if err != nil {
			return err
		}
		return h(ctx, c, user)
	}
}

// operator lets in whoever has an operator key.
func (o *operators) operator(h operatorHandler) handler {
	return func(ctx context.Context, c *gin.Context) error {
		key, err := bearer(c.Request.Header)
		if err != nil {
			return err
		}
		actor, err := o.keys.Actor(key)
		if err != nil {
			return err
		}
		return h(ctx, c, actor)
	}
}

// bearer reads the one Authorization header.
func bearer(header http.Header) (string, error) {
	values := header["Authorization"]
	if len(values) != 1 {
		return "", seckill.Refuse(seckill.Unauthenticated, "send one Authorization header with a bearer token")
	}
	scheme, credential, found := strings.Cut(values[0], " ")
	if !found || !strings.EqualFold(scheme, "Bearer") || credential == "" {
		return "", seckill.Refuse(seckill.Unauthenticated, "send Authorization: Bearer and the token")
	}
	return credential, nil
}
