// Package server runs the real servers that the system shares - Redis, RabbitMQ, MariaDB - as child processes on free
// ports of the loopback interface, each with a folder of its own, and takes from them whatever a sale must survive:
//
//	redis, err := server.OpenRedis(ctx, server.Options{})
//	defer redis.Close()
//	redis.Kill()              // kill -9; it stays away
//	err = redis.Restart(ctx)  // back on the same port, with the data it had
//
// They end with this process, however it ends. It knows nothing of tests: see testenv for those. A server that is not
// installed is a *MissingError, whose sentence says how to get it.
package server

// Options of every server; the zero value is ready.
type Options struct {
	// Dir holds the server's data and log. It is kept when the server is closed; a temporary one, if empty, is not.
	Dir string
	// TLS adds an encrypted way in; see SecureAddr.
	TLS *TLS
}
