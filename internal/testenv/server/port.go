package server

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports of servers come from below those that systems give to outgoing connections (32768 and up, or higher). Otherwise
// a client that dials a server which is down can be given the server's own port, and keeps it from coming back.
const (
	portMin   = 15_000
	portsMany = 17_000
	portTries = 100
)

// held are the ports this process has been given. A server binds its port long after that, and many choose at once: UDP's
// port of the same number, which nobody needs, says to every process that it is taken, until this one ends.
var held struct { //nolint:gochecknoglobals // the kernel's table of ports is one, too
	sync.Mutex
	ports []net.PacketConn
}

// FreePort returns a TCP port of the loopback interface that was free a moment ago, and that is not given to anybody else who
// asks for one while this process lives. Whoever uses it must be ready to find it taken by others.
func FreePort() (int, error) {
	var err error
	for range portTries {
		port := portMin + rand.IntN(portsMany)
		if err = hold(port); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}

func hold(port int) error {
	address := fmt.Sprintf("127.0.0.1:%d", port)
	udp, err := net.ListenPacket("udp", address) //nolint:noctx // it does not wait
	if err != nil {
		return err
	}
	tcp, err := net.Listen("tcp", address) //nolint:noctx // it does not wait
	if err != nil {
		return errors.Join(err, udp.Close())
	}
	held.Lock()
	defer held.Unlock()
	held.ports = append(held.ports, udp)
	return tcp.Close()
}
