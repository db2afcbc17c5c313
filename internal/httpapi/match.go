package httpapi

import (
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	matchHeader = "If-Match"
	etagHeader  = "ETag"
)

// ifMatch is the version that the caller has seen; 0 when any will do. Several tags are refused, because there is one
// version. The weak form is taken too: proxies that compress an answer weaken its tag, and a client gives back what it got.
func ifMatch(c *gin.Context) (int64, error) {
	values := c.Request.Header[matchHeader]
	switch {
	case len(values) == 0 || (len(values) == 1 && values[0] == "*"):
		return 0, nil
	case len(values) > 1:
		return 0, seckill.InvalidField(matchHeader, "If-Match is there twice")
	}
	text, quoted := strings.CutPrefix(strings.TrimPrefix(values[0], "W/"), `"`)
	text, closed := strings.CutSuffix(text, `"`)
	version, err := seckill.ParseID(text) // written as an id is
	if err != nil || !quoted || !closed {
		return 0, seckill.InvalidField(matchHeader, `If-Match is one ETag that was answered before, such as "3", or *`)
	}
	return int64(version), nil
}

// tag says which version the answer shows.
func tag(c *gin.Context, version int64) {
	c.Writer.Header().Set(etagHeader, `"`+strconv.FormatInt(version, 10)+`"`)
}
