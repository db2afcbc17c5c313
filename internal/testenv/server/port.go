package server

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports of servers come from below those that systems give to outgoing connections (32768 and up, or higher). Otherwise
// a client that dials a server which is down can be given the server's own port, and keeps it from coming back.
const (
	portMin   = 15_000
	portsMany = 17_000
	portTries = 100
)

// FreePort returns a TCP port of the loopback interface that was free a moment ago. Whoever uses it must be ready to
// find it taken.
func FreePort() (int, error) {
	var err error
	for range portTries {
		port := portMin + rand.IntN(portsMany)
		var listener net.Listener
		listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)) //nolint:noctx // it does not wait
		if err == nil {
			listener.Close()
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}
