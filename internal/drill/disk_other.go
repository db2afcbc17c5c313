//go:build !linux

package drill

import "errors"

// disk is a small one that can be filled, where there is one.
type disk struct{}

func openDisk(string, int64) (*disk, error) { return nil, errors.New("that takes Linux") }

func (*disk) fill() error { return nil }
func (*disk) free() error { return nil }
func (*disk) close()      {}
