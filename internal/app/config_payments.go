package app

// The payment providers. None says that orders are not paid here.
const (
	ProviderSandbox = "sandbox"
	ProviderStripe  = "stripe"
	ProviderNone    = "none"
)

// PaymentsConfig says how orders are paid.
type PaymentsConfig struct {
	// Who takes the money. stripe: Stripe Checkout. sandbox: nobody, but it behaves like a provider, to try everything out.
	// none: no order can be paid, so each is cancelled at its deadline. When nothing is said it is sandbox in development
	// with backend: embedded, and none elsewhere, which production refuses.
	Provider string `yaml:"provider"`
	// The sandbox, with provider: sandbox.
	Sandbox SandboxConfig `yaml:"sandbox"`
	// The account at Stripe, with provider: stripe. Its webhook goes to /v1/payments/webhooks/stripe and tells of
	// checkout.session.completed and checkout.session.async_payment_succeeded.
	Stripe StripeConfig `yaml:"stripe"`
}

// SandboxConfig says where the sandbox is.
type SandboxConfig struct {
	// Where a `seckill sandbox` is that several processes share, such as http://127.0.0.1:8082. Empty: one runs inside
	// `seckill up`.
	URL string `yaml:"url"`
	// Where the one inside serves its pay pages: host:port. Port 0 takes a free one.
	Listen string `yaml:"listen"`
	// The file in which the one inside keeps what was paid; empty: sandbox.jsonl in the data folder.
	Ledger string `yaml:"ledger"`
	// The key that it asks for. Empty in development: one is made in the data folder.
	Key Secret `yaml:"key"`
	// The file that holds the key; nobody else may read it.
	KeyFile string `yaml:"key_file"`
	// The secret that it signs its notices with. Empty in development: one is made in the data folder.
	Secret Secret `yaml:"secret"`
	// The file that holds the secret; nobody else may read it.
	SecretFile string `yaml:"secret_file"`
}

// StripeConfig is an account at Stripe.
type StripeConfig struct {
	// The account's secret key, or better a restricted one that may write Checkout Sessions and refunds and read payment
	// intents. Better, name its file.
	Key Secret `yaml:"key"`
	// The file that holds the key; nobody else may read it.
	KeyFile string `yaml:"key_file"`
	// The signing secret of the webhook; better, name its file.
	WebhookSecret Secret `yaml:"webhook_secret"`
	// The file that holds the signing secret; nobody else may read it.
	WebhookSecretFile string `yaml:"webhook_secret_file"`
	// The page of your shop that a shopper is sent to after paying; {order} in it is the order's id.
	SuccessURL string `yaml:"success_url"`
	// The page for who turns back; empty: the same.
	CancelURL string `yaml:"cancel_url"`
	// Where Stripe's API is; empty: at Stripe. For tests with a stand-in.
	APIURL string `yaml:"api_url"`
}

// takesPayments says whether orders can be paid.
func (c *Config) takesPayments() bool {
	return c.Payments.Provider == ProviderSandbox || c.Payments.Provider == ProviderStripe
}

// hasSandboxInside says whether the sandbox runs in this process.
func (c *Config) hasSandboxInside() bool {
	return c.Payments.Provider == ProviderSandbox && c.Payments.Sandbox.URL == ""
}
