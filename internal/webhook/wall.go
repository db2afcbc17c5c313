package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// errPrivate says that the receiver's name leads to a place that is not public.
var errPrivate = errors.New("is not a public address, and allow_private is not set")

// wall keeps connections from addresses that are not public.
type wall struct{ special []netip.Prefix }

// newWall knows the special ranges of https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry
// that netip has no name for, and those that carry an IPv4 address inside.
func newWall() wall {
	var w wall
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
		"5f00::/16", "fec0::/10",
	} {
		w.special = append(w.special, netip.MustParsePrefix(text))
	}
	return w
}

// control is called with the address of each connection, after the name was resolved and before anything is sent.
func (w wall) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	place, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w", address, errPrivate)
	}
	if !w.isPublic(place.Addr()) {
		return fmt.Errorf("%s %w", place.Addr(), errPrivate)
	}
	return nil
}

// nat64 begins the addresses that an IPv6 network without IPv4 gives to IPv4 hosts; the last four bytes say which.
const nat64 = "64:ff9b::/96"

func (w wall) isPublic(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	if netip.MustParsePrefix(nat64).Contains(address) {
		inside := address.As16()
		address = netip.AddrFrom4([4]byte(inside[12:]))
	}
	if !address.IsGlobalUnicast() || address.IsPrivate() {
		return false
	}
	for _, special := range w.special {
		if special.Contains(address) {
			return false
		}
	}
	return true
}
