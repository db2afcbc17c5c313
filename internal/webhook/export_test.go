package webhook

import "net/netip"

// Sign is the value of the signature header.
func Sign(secret, id, timestamp string, body []byte) (string, error) {
	s, err := newSigner(secret)
	return s.sign(id, timestamp, body), err
}

// IsPublic says whether a receiver may be there.
func IsPublic(address string) bool { return newWall().isPublic(netip.MustParseAddr(address)) }
