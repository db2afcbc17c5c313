// Package contract holds one behaviour suite per port. A suite is given a function that opens a fresh, empty fixture and
// runs on every adapter of the port, so that "the same" is tested and not believed. For tests only.
package contract
