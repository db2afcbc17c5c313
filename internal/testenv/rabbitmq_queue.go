package testenv

import "testing"

// SuspendQueue freezes one queue's own process: it takes messages and confirms none, as a queue without a majority of its
// replicas does, and the others go on.
func (r *RabbitMQ) SuspendQueue(t testing.TB, name string) {
	t.Helper()
	must(t, r.server.SuspendQueue(lasting(t), name))
}

// ResumeQueue ends a SuspendQueue; what came meanwhile is carried out now.
func (r *RabbitMQ) ResumeQueue(t testing.TB, name string) {
	t.Helper()
	must(t, r.server.ResumeQueue(lasting(t), name))
}

// LimitQueue lets a queue hold no more messages than that: what is published beyond is refused.
func (r *RabbitMQ) LimitQueue(t testing.TB, name string, messagesMax int) {
	t.Helper()
	must(t, r.server.LimitQueue(lasting(t), name, messagesMax))
}

// UnlimitQueue ends a LimitQueue.
func (r *RabbitMQ) UnlimitQueue(t testing.TB) {
	t.Helper()
	must(t, r.server.UnlimitQueue(lasting(t)))
}
