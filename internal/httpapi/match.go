package httpapi

import (
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	matchHeader = "If-Match"
	etagHeader  = "Etag" // as net/http spells it
)

// ifMatch is the version that the caller has seen; 0 when any will do. Several tags are refused, because there is one version.
func ifMatch(c *gin.Context) (int64, error) {
	values := c.Request.Header[matchHeader]
	switch {
	case len(values) == 0 || (len(values) == 1 && values[0] == "*"):
		return 0, nil
	case len(values) > 1:
		return 0, seckill.InvalidField(matchHeader, "If-Match is there twice")
	}
	text, quoted := strings.CutPrefix(values[0], `"`)
	text, closed := strings.CutSuffix(text, `"`)
	version, err := seckill.ParseID(text) // written as an id is
	if err != nil || !quoted || !closed {
		return 0, seckill.InvalidField(matchHeader, `If-Match is one ETag that was answered before, such as "3", or *`)
	}
	return int64(version), nil
}

// tag says which version the answer shows.
func tag(c *gin.Context, version int64) {
	c.Writer.Header()[etagHeader] = []string{`"` + strconv.FormatInt(version, 10) + `"`}
}
