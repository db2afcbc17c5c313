package app

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Profile says how strict the start is.
type Profile string

// The profiles. Development makes keys that are missing and warns about what is unsafe; production refuses both.
const (
	ProfileDevelopment Profile = "development"
	ProfileProduction  Profile = "production"
)

// BackendEmbedded keeps everything in this process: Redis in memory, tables and queue in SQLite files.
const BackendEmbedded = "embedded"

// Config is every setting, checked. The tags are the keys of the file; the comments inside are what seckill.example.yaml
// and docs/settings.md say about them (`make docs` writes both), so they speak to operators, about keys.
type Config struct {
	// development makes keys that are missing and warns about what is unsafe; production refuses to start with either.
	// With backend: services it is production unless said otherwise.
	Profile Profile `yaml:"profile"`
	// Where sales live. embedded: Redis inside the process, tables and queue in SQLite files; no server needed.
	// services: on servers that many processes share, which redis, rabbitmq and shards name.
	Backend string `yaml:"backend"`
	// The folder that holds everything that must survive. One process uses it at a time. With backend: services nothing
	// does, but the keys that development makes.
	Data string `yaml:"data"`
	// Where shoppers are served: host:port, or :port for every address of this machine. Port 0 takes a free one.
	Listen string `yaml:"listen"`
	// Where operators and metrics are served, unencrypted. Keep it on loopback, or behind a proxy that encrypts.
	AdminListen string `yaml:"admin_listen"`
	// Says that admin_listen may be reachable from other machines. Production refuses that otherwise.
	AdminAnywhere bool `yaml:"admin_anywhere"`
	// Proxies whose X-Forwarded-For is believed, in logs only: addresses or networks, such as 10.0.0.0/8.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// How long requests under way may take to finish when the process is asked to stop: 1s-10m.
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout"`
	// How long Redis may sell on after SQL was last heard of: 1s-5s. More for databases that stall now and then; an outage
	// is noticed that much later. It is stored with each item at its preload.
	Gate time.Duration `yaml:"gate"`
	// What is logged, and how.
	Log LogConfig `yaml:"log"`
	// Shoppers' bearer tokens (JWT). The user id is `sub`: 1-64 letters, digits or _ . : @ -
	Tokens TokensConfig `yaml:"tokens"`
	// Who may use the operators' API, by a key of at least 20 characters each.
	// Empty in development: one is made in the data folder.
	//   - name: ada
	//     key_file: /run/secrets/seckill-operator-ada
	//   - name: ben
	//     key: a long random text
	Operators []OperatorConfig `yaml:"operators"`
	// Built-in accounts: register and log in with a name and a password.
	Accounts AccountsConfig `yaml:"accounts"`
	// What is let in. Beyond it the answer is an early 429 or 503 with Retry-After.
	Limits LimitsConfig `yaml:"limits"`
	// How orders are paid.
	Payments PaymentsConfig `yaml:"payments"`
	// Who is told what happens to orders, items and sales.
	Events EventsConfig `yaml:"events"`
	// What keepers hold against each other while sales run (docs/reliability.md).
	Audit AuditConfig `yaml:"audit"`
	// What helps to find out why something is slow.
	Debug DebugConfig `yaml:"debug"`
	// Where Redis is, with backend: services.
	Redis RedisConfig `yaml:"redis"`
	// Where the brokers of one RabbitMQ cluster are, with backend: services.
	RabbitMQ RabbitMQConfig `yaml:"rabbitmq"`
	// MySQL or MariaDB databases, with backend: services. Their number and order must never change: `seckill migrate up`
	// stores who lives where. The first one holds the catalog.
	//   - address: db-1:3306
	//     database: seckill
	//     replicas: [db-1-replica:3306]
	//     connections: 20
	//     login: {username: seckill, password_file: /run/secrets/seckill-db-1}
	//     tls: {enabled: true}
	Shards []ShardConfig `yaml:"shards"`
}

// LogConfig says what is logged, and how.
type LogConfig struct {
	// debug, info, warn or error.
	Level string `yaml:"level"`
	// text for people, json for machines.
	Format string `yaml:"format"`
}

// TokensConfig says whose tokens shoppers bring.
type TokensConfig struct {
	// Required `iss` of a token; empty: any.
	Issuer string `yaml:"issuer"`
	// Required `aud` of a token; empty: any.
	Audience string `yaml:"audience"`
	// How long tokens last that seckill itself makes: 1m-720h.
	TTL time.Duration `yaml:"ttl"`
	// HS256 secrets of at least 32 characters. The first signs, all verify: rotate by putting the new one first. Empty in
	// development: one is made in the data folder.
	//   - kid: "2026-03"
	//     secret_file: /run/secrets/seckill-token-key
	//   - kid: "2025-09"
	//     secret: the one before, until its last token has expired
	Keys []TokenKeyConfig `yaml:"keys"`
	// Instead of keys: a JWKS file with the public keys of your identity provider (RS256, ES256, EdDSA), read again when
	// it changes. Then set accounts.enabled to false.
	JWKSFile string `yaml:"jwks_file"`
}

// TokenKeyConfig is one HS256 secret, written here or in a file of its own.
type TokenKeyConfig struct {
	// The name by which tokens call this key.
	KID string `yaml:"kid"`
	// The secret; better, name its file.
	Secret Secret `yaml:"secret"`
	// The file that holds the secret; nobody else may read it.
	SecretFile string `yaml:"secret_file"`
}

// OperatorConfig is one operator's key, written here or in a file of its own.
type OperatorConfig struct {
	// What the operators' log says: 1-64 letters, digits or _ . : @ -
	Name string `yaml:"name"`
	// The key; better, name its file.
	Key Secret `yaml:"key"`
	// The file that holds the key; nobody else may read it.
	KeyFile string `yaml:"key_file"`
}

// AccountsConfig is about the built-in accounts.
type AccountsConfig struct {
	// false in a shop that has its own.
	Enabled bool `yaml:"enabled"`
	// What one password hash (argon2id) costs.
	Argon2 Argon2Config `yaml:"argon2"`
	// How many passwords are checked at once, so that a flood of log-ins leaves the cores to the sale: 1-64.
	Concurrent int `yaml:"concurrent"`
	// How many more may wait for their turn; the rest hear `busy`: 1-10000.
	Waiting int `yaml:"waiting"`
}

// Argon2Config is what one password hash costs.
type Argon2Config struct {
	// 128-1048576; under 7168 passwords are cheap to guess.
	MemoryKiB uint32 `yaml:"memory_kib"`
	// 1-64.
	Passes uint32 `yaml:"passes"`
	// 1-16.
	Threads uint8 `yaml:"threads"`
}

// LimitsConfig bounds what is let in.
type LimitsConfig struct {
	// Purchases of one shopper per second, on average, and as many payments and cancellations: 1-1000000.
	PerUserPerSecond int `yaml:"per_user_per_second"`
	// How many of them may come at once.
	PerUserBurst int `yaml:"per_user_burst"`
	// Purchases that may wait for their answer in this process: 1-1000000.
	Pending int64 `yaml:"pending"`
	// When the oldest queued message waits longer than this, the workers are behind and new purchases hear `busy`: 1s-1h.
	BacklogAge time.Duration `yaml:"backlog_age"`
	// The same by number: batches in the queue that nobody has taken yet.
	BacklogDepth int64 `yaml:"backlog_depth"`
}

// AuditConfig is about the audit that goes on for as long as sales run.
type AuditConfig struct {
	// How often a keeper holds what is on sale against the books, and goes on a page with everything else: 100ms-1h.
	Every time.Duration `yaml:"every"`
	// Has nothing more sold of an item whose units do not add up, until an operator has looked. false only says so, in the
	// log and in seckill_invariant_violations.
	CloseGate bool `yaml:"close_gate"`
}

// DebugConfig is what helps to find out why something is slow.
type DebugConfig struct {
	// Serves the Go runtime's profiles on admin_listen, at /debug/pprof/, to whoever has an operator's key.
	PProf bool `yaml:"pprof"`
}

// Defaults are the settings of a start without any configuration.
func Defaults() Config {
	return Config{
		Profile: ProfileDevelopment, Backend: BackendEmbedded, Data: "./seckill-data",
		Listen: ":8080", AdminListen: "127.0.0.1:8081", TrustedProxies: []string{},
		ShutdownTimeout: 30 * time.Second, Gate: seckill.GateDefault,
		Log:       LogConfig{Level: "info", Format: "text"},
		Tokens:    TokensConfig{TTL: time.Hour, Keys: []TokenKeyConfig{}},
		Operators: []OperatorConfig{},
		Accounts: AccountsConfig{
			Enabled: true, Argon2: Argon2Config{MemoryKiB: 19 * 1024, Passes: 2, Threads: 1}, Concurrent: 2, Waiting: 16,
		},
		Limits: LimitsConfig{
			PerUserPerSecond: 10, PerUserBurst: 20, Pending: 16384, BacklogAge: 30 * time.Second, BacklogDepth: 20_000,
		},
		Payments: PaymentsConfig{Provider: ProviderSandbox, Sandbox: SandboxConfig{Listen: "127.0.0.1:8082"}},
		Events:   EventsConfig{Webhooks: []WebhookConfig{}},
		Audit:    AuditConfig{Every: 2 * time.Second, CloseGate: true},
		Redis:    RedisConfig{Addresses: []string{}, CallTimeout: 300 * time.Millisecond},
		RabbitMQ: RabbitMQConfig{Addresses: []string{}, Vhost: "/", Prefix: "seckill", Lanes: 2, Prefetch: 512},
		Shards:   []ShardConfig{},
	}
}
