package testenv_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv"
)

func TestRabbitMQIsOneServerForAllTestsOfAPackage(t *testing.T) {
	t.Parallel()
	if first, second := env.RabbitMQ(t), env.RabbitMQ(t); first != second || !strings.HasPrefix(first, "amqp://") {
		t.Errorf("gave %s and %s", first, second)
	}
}

func TestRabbitMQLivesAndDiesAsTheTestWants(t *testing.T) {
	t.Parallel()
	r := testenv.StartRabbitMQ(t)
	r.BlockPublishers(t)
	r.UnblockPublishers(t)
	r.Stop(t)
	if greets(t, r.Addr()) {
		t.Error("serves while stopped")
	}
	r.Continue(t)
	r.Kill(t)
	if greets(t, r.Addr()) {
		t.Error("serves after it was killed")
	}
	r.Restart(t)
	r.RestartEmpty(t)
	if !greets(t, r.Addr()) {
		t.Error("does not serve after a restart")
	}
}

// greets says whether an AMQP server greets a client there soon.
func greets(t *testing.T, addr string) bool {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = conn.Write([]byte("AMQP\x00\x00\x09\x01"))
	n, _ := conn.Read(make([]byte, 1))
	return n == 1
}
