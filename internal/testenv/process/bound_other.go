//go:build !linux

package process

import "syscall"

// boundToUs makes the child a group leader. Without Linux nothing ends it when we are killed with -9.
func boundToUs() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
