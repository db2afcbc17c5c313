package rabbitmq

import (
	"errors"

	amqp "github.com/rabbitmq/amqp091-go"
)

// RefusesUs says that a broker answered and would not have us: its user, the password, the virtual host or what the user
// may do there is wrong. Waiting does not help, somebody has to change a setting.
func RefusesUs(err error) bool {
	var refusal *amqp.Error
	return errors.As(err, &refusal) && (refusal.Code == amqp.AccessRefused || refusal.Code == amqp.NotAllowed)
}
