package server

import (
	"net"
	"strconv"
)

// TLS gives a server a way in that is encrypted, and on which whoever comes has to show a certificate too. Redis and
// RabbitMQ have a port of its own for it, MariaDB has it on the port it has.
type TLS struct {
	// Who vouches for both sides, and the server's certificate and key: PEM files.
	CAFile, CertFile, KeyFile string
}

// SecureAddr is where the encrypted way in is.
func (m *machine) SecureAddr() string {
	if m.id.SecurePort == 0 {
		return m.Addr()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(m.id.SecurePort))
}

// chooseSecurePort is the choice of a server with two ports, if it is to have the second one.
func (m *machine) chooseSecurePort() (err error) {
	if m.tls != nil {
		m.id.SecurePort, err = FreePort()
	}
	return err
}
