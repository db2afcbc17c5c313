package app

import "time"

// BackendServices keeps sales on servers: Redis, RabbitMQ and sharded MySQL, for any number of processes.
const BackendServices = "services"

// LoginConfig is how a store is entered; the password is written here or in a file of its own.
type LoginConfig struct {
	// The user's name; only Redis may do without.
	Username string `yaml:"username"`
	// The password; better, name its file.
	Password Secret `yaml:"password"`
	// The file that holds the password; nobody else may read it.
	PasswordFile string `yaml:"password_file"`
}

// TLSConfig says whether and how a connection to a store is encrypted.
type TLSConfig struct {
	// false is for a network that nobody else is on; production takes it on loopback only.
	Enabled bool `yaml:"enabled"`
	// Certificates (PEM) of the authorities to trust instead of the machine's.
	CAFile string `yaml:"ca_file"`
	// The name in the server's certificate, where it is not the host of the address.
	ServerName string `yaml:"server_name"`
	// The certificate (PEM) to show, where the server wants one.
	CertFile string `yaml:"cert_file"`
	// Its private key (PEM), which nobody else may read.
	KeyFile string `yaml:"key_file"`
}

// RedisConfig says where Redis is.
type RedisConfig struct {
	// host:port of the server, or of some nodes of a Redis Cluster.
	Addresses []string `yaml:"addresses"`
	// Says that the addresses are nodes of a Redis Cluster.
	Cluster bool `yaml:"cluster"`
	// The number of the database: 0-15; a cluster has only 0.
	Database int `yaml:"database"`
	// How long one call may take: 50ms-1s. A shopper waits for it.
	CallTimeout time.Duration `yaml:"call_timeout"`
	// How the server is entered.
	Login LoginConfig `yaml:"login"`
	// Whether the way there is encrypted.
	TLS TLSConfig `yaml:"tls"`
}

// RabbitMQConfig says where the brokers of one cluster are.
type RabbitMQConfig struct {
	// host:port of every broker of the cluster; the next one is tried when one is away.
	Addresses []string `yaml:"addresses"`
	// The virtual host that holds the queues.
	Vhost string `yaml:"vhost"`
	// What the names of its queues begin with; two shops on one broker and virtual host need two.
	Prefix string `yaml:"prefix"`
	// Connections that publish side by side: 1-64.
	Lanes int `yaml:"lanes"`
	// Messages a worker may hold unacknowledged: 1-10000.
	Prefetch int `yaml:"prefetch"`
	// How the broker is entered.
	Login LoginConfig `yaml:"login"`
	// Whether the way there is encrypted.
	TLS TLSConfig `yaml:"tls"`
}

// ShardConfig is one MySQL database. The first one holds the catalog.
type ShardConfig struct {
	// host:port of the server that is written to.
	Address string `yaml:"address"`
	// The database on it; it must exist.
	Database string `yaml:"database"`
	// host:port of servers that follow this one; read where a moment's delay does not matter.
	Replicas []string `yaml:"replicas"`
	// How many connections one process may have for writing, and as many for reading: 1-10000; 0 means 16.
	Connections int `yaml:"connections"`
	// How the database is entered.
	Login LoginConfig `yaml:"login"`
	// Whether the way there is encrypted.
	TLS TLSConfig `yaml:"tls"`
}
