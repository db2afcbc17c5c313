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

// BackendEmbedded keeps everything in this process: Redis in memory, tables and queue in one SQLite file.
const BackendEmbedded = "embedded"

// Config is every setting, checked. The tags are the keys of the file; seckill.example.yaml says what they mean, and a
// test holds the two together.
type Config struct {
	Profile         Profile          `yaml:"profile"`
	Backend         string           `yaml:"backend"`
	Data            string           `yaml:"data"`
	Listen          string           `yaml:"listen"`
	AdminListen     string           `yaml:"admin_listen"`
	AdminAnywhere   bool             `yaml:"admin_anywhere"`
	TrustedProxies  []string         `yaml:"trusted_proxies"`
	ShutdownTimeout time.Duration    `yaml:"shutdown_timeout"`
	Gate            time.Duration    `yaml:"gate"`
	Log             LogConfig        `yaml:"log"`
	Tokens          TokensConfig     `yaml:"tokens"`
	Operators       []OperatorConfig `yaml:"operators"`
	Accounts        AccountsConfig   `yaml:"accounts"`
	Limits          LimitsConfig     `yaml:"limits"`
	Redis           RedisConfig      `yaml:"redis"`
	RabbitMQ        RabbitMQConfig   `yaml:"rabbitmq"`
	Shards          []ShardConfig    `yaml:"shards"`
}

// LogConfig says what is logged, and how.
type LogConfig struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// TokensConfig says whose tokens shoppers bring.
type TokensConfig struct {
	Issuer   string           `yaml:"issuer"`
	Audience string           `yaml:"audience"`
	TTL      time.Duration    `yaml:"ttl"`
	Keys     []TokenKeyConfig `yaml:"keys"`
	JWKSFile string           `yaml:"jwks_file"`
}

// TokenKeyConfig is one HS256 secret, written here or in a file of its own.
type TokenKeyConfig struct {
	KID        string `yaml:"kid"`
	Secret     Secret `yaml:"secret"`
	SecretFile string `yaml:"secret_file"`
}

// OperatorConfig is one operator's key, written here or in a file of its own.
type OperatorConfig struct {
	Name    string `yaml:"name"`
	Key     Secret `yaml:"key"`
	KeyFile string `yaml:"key_file"`
}

// AccountsConfig is about the built-in accounts.
type AccountsConfig struct {
	Enabled    bool         `yaml:"enabled"`
	Argon2     Argon2Config `yaml:"argon2"`
	Concurrent int          `yaml:"concurrent"`
	Waiting    int          `yaml:"waiting"`
}

// Argon2Config is what one password hash costs.
type Argon2Config struct {
	MemoryKiB uint32 `yaml:"memory_kib"`
	Passes    uint32 `yaml:"passes"`
	Threads   uint8  `yaml:"threads"`
}

// LimitsConfig bounds what is let in.
type LimitsConfig struct {
	PerUserPerSecond int           `yaml:"per_user_per_second"`
	PerUserBurst     int           `yaml:"per_user_burst"`
	Pending          int64         `yaml:"pending"`
	BacklogAge       time.Duration `yaml:"backlog_age"`
	BacklogDepth     int64         `yaml:"backlog_depth"`
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
		Redis:    RedisConfig{Addresses: []string{}, CallTimeout: 300 * time.Millisecond},
		RabbitMQ: RabbitMQConfig{Addresses: []string{}, Vhost: "/", Prefix: "seckill", Lanes: 2, Prefetch: 512},
		Shards:   []ShardConfig{},
	}
}
