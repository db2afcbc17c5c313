package server

import "context"

// MindPortMapper has the server do now what it does every minute: see that the machine has an epmd.
func (r *RabbitMQ) MindPortMapper(ctx context.Context) error {
	return r.eval(ctx, "rabbit_epmd_monitor ! check, _ = sys:get_state(rabbit_epmd_monitor).")
}
