package webhook

import (
	"net/http"
	"net/netip"
)

// Sign is the value of the signature header.
func Sign(secret, id, timestamp string, body []byte) (string, error) {
	s, err := newSigner(secret)
	return s.sign(id, timestamp, body), err
}

// IsPublic says whether a receiver may be there.
func IsPublic(address string) bool { return newWall().isPublic(netip.MustParseAddr(address)) }

// Through has the endpoint's requests answered by somebody else than the network.
func (e *Endpoint) Through(transport http.RoundTripper) { e.client.Transport = transport }
