// Command gin is the ceiling: an empty gin handler that answers a purchase with as many bytes of JSON as the product does.
// It checks nothing and keeps nothing.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"
)

// answer is a receipt as the product writes it.
const answer = `{"id":"1234567890123456789","item_id":"1234567890123456789","links":{"order":"/v1/orders/1234567890123456789",` +
	`"self":"/v1/items/1234567890123456789/reservations/1234567890123456789"},"quantity":1,"status":"queued"}`

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "where to serve")
	flag.Parse()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	body := []byte(answer)
	engine.POST("/v1/items/:item_id/reservations", func(c *gin.Context) {
		c.Data(http.StatusAccepted, "application/json; charset=utf-8", body)
	})
	engine.GET("/livez", func(c *gin.Context) { c.Status(http.StatusNoContent) })
	if err := http.ListenAndServe(*listen, engine); err != nil { //nolint:gosec // its only client is the generator
		fmt.Fprintln(os.Stderr, "gin:", err)
		os.Exit(1)
	}
}
