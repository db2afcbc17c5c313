package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// noticeMax bounds what a payment provider posts.
	noticeMax = 64 << 10

	providerMax = 32
)

// receiveNotice takes what a payment provider posts. Its signature is its only credential, so the body is passed on byte by
// byte, whatever its type.
func (s *shoppers) receiveNotice(ctx context.Context, c *gin.Context) error {
	provider, err := pathProvider(c)
	if err != nil {
		return err
	}
	body, err := readBytes(c, noticeMax)
	if err != nil {
		return err
	}
	notice := seckill.Notice{Header: c.Request.Header.Get, Body: body, At: s.clock.Now()}
	if err := s.checkout.Receive(ctx, provider, notice); err != nil {
		return err
	}
	c.Writer.WriteHeader(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}

// pathProvider reads a provider's name: lower case letters.
func pathProvider(c *gin.Context) (string, error) {
	name := c.Param("provider")
	strange := strings.ContainsFunc(name, func(r rune) bool { return r < 'a' || r > 'z' })
	if name == "" || len(name) > providerMax || strange {
		return "", seckill.InvalidField("provider", "a provider's name consists of lower case letters")
	}
	return name, nil
}
