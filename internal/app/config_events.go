package app

import "github.com/seckill-dev/seckill/internal/rabbitmq"

// EventsConfig says who is told what happens to orders, items and sales.
type EventsConfig struct {
	// An exchange in the virtual host of rabbitmq that is told of everything, by types such as order.paid; with backend:
	// services. One that is there is used as it is, one that is missing is made, of the topic kind and durable. Empty: none.
	Exchange string `yaml:"exchange"`
	// Servers of the shop that are told by signed requests (docs/events.md).
	//   - name: shop
	//     url: https://shop.example/seckill-events
	//     secret_file: /run/secrets/seckill-webhook-shop
	Webhooks []WebhookConfig `yaml:"webhooks"`
}

// WebhookConfig is one server that is told.
type WebhookConfig struct {
	// What operators see: 1-64 small letters, digits or dashes. What waits for it is kept under this name.
	Name string `yaml:"name"`
	// Where it is told. No redirect is followed from there.
	URL string `yaml:"url"`
	// The secret that signs: whsec_ and 24-64 bytes in base64. Several, with spaces between them, sign side by side.
	Secret Secret `yaml:"secret"`
	// The file that holds the secret; nobody else may read it.
	SecretFile string `yaml:"secret_file"`
	// Lets it be at a private address, such as 10.0.0.7 or this machine. Only for a URL that none but you may set.
	AllowPrivate bool `yaml:"allow_private"`
	// Certificates (PEM) of the authorities to trust instead of the machine's.
	CAFile string `yaml:"ca_file"`
}

// endpoints are the names of those who are told of events.
func (c *Config) endpoints() []string {
	var names []string
	if c.Events.Exchange != "" {
		names = append(names, rabbitmq.ExchangeEndpoint)
	}
	for _, hook := range c.Events.Webhooks {
		names = append(names, hook.Name)
	}
	return names
}

// isTold says whether anybody is told of events.
func (c *Config) isTold() bool { return c.Events.Exchange != "" || len(c.Events.Webhooks) > 0 }
