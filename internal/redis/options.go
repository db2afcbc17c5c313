package redis

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// CallTimeoutDefault is short because a shopper waits for it; a script takes well under a millisecond.
const CallTimeoutDefault = 300 * time.Millisecond

const (
	redirectsMax = 3 // MOVED and ASK inside a cluster
	respVersion  = 2 // RESP3 brings nothing here that every server understands alike
)

// Options say where Redis is and how to enter.
type Options struct {
	// Addresses are host:port: one server, or seeds of a cluster.
	Addresses []string
	Cluster   bool
	Username  string
	Password  string
	// TLS is nil for a plain connection.
	TLS *tls.Config
	// DB is the number of the database; a cluster has only 0.
	DB int
	// CallTimeout bounds each step of a call: waiting for a connection, making one, one read or write on it. 0 is
	// CallTimeoutDefault.
	CallTimeout time.Duration
	// FixedIdentity stands in for INFO where the server does not know who it is. Leave it empty on a real Redis.
	FixedIdentity Identity
}

// Identity tells one life of a server from another.
type Identity struct {
	RunID         string
	ReplicationID string
}

// argument is what the scripts get: empty when the server itself must say.
func (i Identity) argument() string {
	if i == (Identity{}) {
		return ""
	}
	return i.RunID + " " + i.ReplicationID
}

func (o Options) check() error {
	if len(o.Addresses) == 0 {
		return errors.New("redis: no address")
	}
	if o.Cluster && o.DB != 0 {
		return fmt.Errorf("redis: a cluster has database 0 only, not %d", o.DB)
	}
	if len(o.Addresses) > 1 && !o.Cluster {
		return errors.New("redis: several addresses need cluster")
	}
	if named := o.FixedIdentity.argument(); named != "" && len(strings.Fields(named)) != 2 {
		return errors.New("redis: a fixed identity needs a run id and a replication id without spaces")
	}
	return nil
}

func (o Options) dial() (goredis.UniversalClient, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	callTimeout := cmp.Or(o.CallTimeout, CallTimeoutDefault)
	return goredis.NewUniversalClient(&goredis.UniversalOptions{
		Addrs:         o.Addresses,
		IsClusterMode: o.Cluster,
		Username:      o.Username,
		Password:      o.Password,
		TLSConfig:     o.TLS,
		DB:            o.DB,
		Protocol:      respVersion,
		// A repeated call is the caller's decision: it needs a new batch.
		MaxRetries:               -1,
		MaxRedirects:             redirectsMax,
		DialerRetries:            1,
		DialTimeout:              callTimeout,
		ReadTimeout:              callTimeout,
		WriteTimeout:             callTimeout,
		PoolTimeout:              callTimeout,
		ContextTimeoutEnabled:    true,
		DisableIdentity:          true, // CLIENT SETINFO is unknown to older servers
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}), nil
}
