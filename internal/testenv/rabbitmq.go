package testenv

import (
	"testing"

	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// RabbitMQ is a private rabbitmq-server: one node, no plugins.
type RabbitMQ struct {
	life

	server *server.RabbitMQ
}

// StartRabbitMQ starts a server for this test alone, which may kill, stop, block and empty it. It ends with the test and
// takes seconds to start: share Env.RabbitMQ where nothing is broken.
func StartRabbitMQ(t testing.TB) *RabbitMQ {
	t.Helper()
	opened, err := server.OpenRabbitMQ(t.Context(), server.Options{})
	r := started(t, opened, err)
	return &RabbitMQ{life{r}, r}
}

// URL is the address with credentials.
func (r *RabbitMQ) URL() string { return r.server.URL() }

// BlockPublishers raises the memory alarm: the server reads no more from connections that publish.
func (r *RabbitMQ) BlockPublishers(t testing.TB) {
	t.Helper()
	must(t, r.server.BlockPublishers(lasting(t)))
}

// UnblockPublishers ends the alarm of BlockPublishers.
func (r *RabbitMQ) UnblockPublishers(t testing.TB) {
	t.Helper()
	must(t, r.server.UnblockPublishers(lasting(t)))
}

// DeleteQueue deletes a queue with all it holds, as an operator might by mistake.
func (r *RabbitMQ) DeleteQueue(t testing.TB, name string) {
	t.Helper()
	must(t, r.server.DeleteQueue(lasting(t), name))
}
