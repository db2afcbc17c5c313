//go:build !linux

package main

// tethered cannot do on this system what it does on Linux; scripts end what they start.
func tethered(program func()) func() { return program }
