package rabbitmq_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	broker := env.RabbitMQ(t)
	address, authorities := secured(t, broker)

	t.Run("carries everything when the broker's certificate is trusted", func(t *testing.T) {
		t.Parallel()
		config := configFor(t, broker)
		deleteAfter(t, config)
		config.URLs = []string{address}
		config.TLS = &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}
		q := openQueue(t, config)
		mustPublish(t, q, "secret")
		if d := receive(t, subscribe(t, q)); string(d.Body) != "secret" {
			t.Errorf("delivered %q", d.Body)
		}
	})

	t.Run("refuses a certificate of nobody it knows", func(t *testing.T) {
		t.Parallel()
		var log logBook
		config := configFor(t, address)
		config.Log = log.logger()
		q := openAway(t, config)
		eventually(t, "the refusal is logged", func() bool { return log.has("certificate") })
		wantUnavailable(t, q.Available(0))
	})
}

// secured is a TLS listener in front of a broker, and who vouches for it.
func secured(t *testing.T, broker string) (address string, authorities *x509.CertPool) {
	t.Helper()
	target, err := url.Parse(broker)
	if err != nil {
		t.Fatal(err)
	}
	plain := target.Host
	certificate := selfSigned(t)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate.Raw}, PrivateKey: certificate.key, Leaf: certificate.Certificate}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { join(t, client, plain) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
	})
	authorities = x509.NewCertPool()
	authorities.AddCert(certificate.Certificate)
	target.Scheme, target.Host = "amqps", listener.Addr().String()
	return target.String(), authorities
}

// join carries bytes both ways until either end is gone.
func join(t *testing.T, client net.Conn, target string) {
	t.Helper()
	defer client.Close()
	server, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(client, server)
		client.Close()
	})
	_, _ = io.Copy(server, client)
	server.Close()
	back.Wait()
}

type keyed struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

// selfSigned is a certificate for this machine.
func selfSigned(t *testing.T) keyed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return keyed{certificate, key}
}
